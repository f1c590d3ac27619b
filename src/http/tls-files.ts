/** The files with keys and certificates that the configuration names. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../config/config-error.js';
import type { Config, TlsFiles } from '../config/config.js';
import type { ListenerTls } from './xcap-listener.js';

const certificateBegins = '-----BEGIN CERTIFICATE-----';

/** Certificate and key of a listener. */
export type KeyPair = Pick<ListenerTls, 'cert' | 'key'>;

/** Those of the XCAP listener. @throws ConfigError where the files cannot be read or do not belong together. */
export function readTls({ tls, identity: { clientCaFile } }: Config): ListenerTls | undefined {
  if (tls === undefined) return undefined;
  const pair = readKeyPair('XCAP_TLS', tls);
  return { ...pair, ca: clientCaFile === undefined ? undefined : readAuthorities(clientCaFile) };
}

/** Those of the management listener. @throws ConfigError where the files cannot be read or do not belong together. */
export function readManagementTls({ adminTls }: Config): KeyPair | undefined {
  return adminTls && readKeyPair('XCAP_ADMIN_TLS', adminTls);
}

function readKeyPair(variables: string, { certificateFile, keyFile }: TlsFiles): KeyPair {
  try {
    const pair = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
    createSecureContext(pair);
    return pair;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${variables}_CERT and ${variables}_KEY cannot be used: ${reason}.`);
  }
}

/** OpenSSL skips what is no certificate, and then believes nobody without a word: each one is read here first. */
function readAuthorities(file: string): Buffer {
  try {
    const text = readFileSync(file);
    const [, ...certificates] = text.toString('latin1').split(certificateBegins);
    if (certificates.length === 0) throw new Error('it has no certificate');
    certificates.forEach((rest) => new X509Certificate(certificateBegins + rest));
    return text;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`XCAP_TLS_CLIENT_CA cannot be used: ${reason}.`);
  }
}
