/** What of a row of a table `subscriber` proves who a subscriber is. */
import type { ImportDigest, ImportSubscriber } from '../import-input.js';

export interface CredentialColumns {
  readonly username: string;
  readonly domain: string;
  readonly password: string;
  /** Of the user name alone; with MD5, or with SHA-256 where the server was told so. */
  readonly ha1: string;
  /** Of `username@domain`. */
  readonly ha1b: string;
  readonly ha1Sha256: string;
}

export interface Credentials {
  readonly credentials: Pick<ImportSubscriber, 'password' | 'digest'>;
  /** The columns that hold something which is no HA1. */
  readonly unreadable: readonly string[];
}

/** A password is worth more than what was made of it: it also serves HTTP Basic, other realms and other algorithms. */
export function credentialsOf(columns: CredentialColumns, realm: string): Credentials {
  const { username, domain, password, ha1, ha1b, ha1Sha256 } = columns;
  if (password !== '') return { credentials: { password }, unreadable: [] };
  const columnsWithName: readonly [column: string, username: string, value: string][] = [
    ['ha1', username, ha1],
    ['ha1b', `${username}@${domain}`, ha1b],
    ['ha1_sha256', username, ha1Sha256],
  ];
  const filled = columnsWithName.filter(([, , value]) => value !== '');
  const read = filled.map(([column, name, value]) => ({ column, digest: digestOf(realm, name, value) }));
  const digests = read.flatMap(({ digest }) => (digest === undefined ? [] : [digest]));
  // HA1 with SHA-256 may stand in two columns.
  const digest = [...new Map(digests.map((one) => [`${one.username} ${one.algorithm}`, one])).values()];
  return {
    credentials: digest.length === 0 ? {} : { digest },
    unreadable: read.filter(({ digest }) => digest === undefined).map(({ column }) => column),
  };
}

function digestOf(realm: string, username: string, value: string): ImportDigest | undefined {
  const ha1 = value.toLowerCase();
  if (/^[0-9a-f]{32}$/.test(ha1)) return { realm, username, algorithm: 'MD5', ha1 };
  if (/^[0-9a-f]{64}$/.test(ha1)) return { realm, username, algorithm: 'SHA-256', ha1 };
  return undefined;
}
