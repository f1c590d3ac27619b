/** The bearer tokens of the management API, from the configuration and from the file that it names. */
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../config/config-error.js';
import type { Config } from '../../config/config.js';
import { shortestToken, shortTokenAdvice } from '../../config/tokens.js';
import { operatorRoles, parseTokens, type AdminToken } from './access.js';

/** @throws ConfigError */
export function readAdminTokens({ adminToken, adminTokenFile }: Config): AdminToken[] {
  const own =
    adminToken === undefined ? [] : [{ name: 'admin', role: 'administrator', token: adminToken } as const];
  if (adminTokenFile === undefined) return own;
  let text: string;
  try {
    text = readFileSync(adminTokenFile, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`XCAP_ADMIN_TOKEN_FILE cannot be read: ${reason}.`);
  }
  const tokens = parseTokens(text).map((token, i) => checked(token, i + 1));
  // An empty file must not open the API to everybody on this machine.
  if (tokens.length === 0) throw new ConfigError('XCAP_ADMIN_TOKEN_FILE has no token.');
  return [...own, ...tokens];
}

/** No message repeats a token. @throws ConfigError */
function checked(token: AdminToken | undefined, number: number): AdminToken {
  const line = `The line of token ${number} in XCAP_ADMIN_TOKEN_FILE`;
  if (token === undefined) {
    throw new ConfigError(
      `${line} is none: it has to be a token, or a name and a token, or a name, a role (${operatorRoles.join(', ')}) and a token.`,
    );
  }
  if (token.token.length < shortestToken) throw new ConfigError(`${line} is too short: ${shortTokenAdvice}`);
  return token;
}
