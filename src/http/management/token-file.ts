/** The bearer tokens of the management API, from the configuration and from the file that it names. */
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../config/config-error.js';
import type { Config } from '../../config/config.js';
import { parseTokens, type AdminToken } from './access.js';

/** @throws ConfigError */
export function readAdminTokens({ adminToken, adminTokenFile }: Config): AdminToken[] {
  const own = adminToken === undefined ? [] : [{ name: 'admin', token: adminToken }];
  if (adminTokenFile === undefined) return own;
  let text: string;
  try {
    text = readFileSync(adminTokenFile, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`XCAP_ADMIN_TOKEN_FILE cannot be read: ${reason}.`);
  }
  const tokens = parseTokens(text);
  // An empty file must not open the API to everybody on this machine.
  if (tokens.length === 0) throw new ConfigError('XCAP_ADMIN_TOKEN_FILE has no token.');
  return [...own, ...tokens];
}
