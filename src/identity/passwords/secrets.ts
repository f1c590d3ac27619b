/** What is kept of a password, and how. */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import {
  digestAlgorithms,
  type DigestAlgorithm,
  type DigestSecret,
  type Subscriber,
} from '../../subscribers/subscriber.js';
import { digestHash } from '../digest/response.js';

/** RFC 7616 §3.4.2, for an algorithm without `-sess`. */
export function ha1(username: string, realm: string, password: string, algorithm: DigestAlgorithm): string {
  return digestHash(algorithm, `${username}:${realm}:${password}`);
}

/**
 * The secrets for all names by which a subscriber may log in: of each SIP identity the user part (in the realm of its
 * domain only, because it names nobody elsewhere), `user@domain` and `sip:user@domain`; the private identity; all other
 * public identities (`tel:`) as they are.
 *
 * @param realms beside the domains of the SIP identities: at least the default realm of the server
 */
export function digestSecretsFor(
  { xui, identities, impi }: Pick<Subscriber, 'xui' | 'identities' | 'impi'>,
  realms: readonly string[],
  password: string,
): DigestSecret[] {
  const addresses = identities.map(sipAddressOf).filter((address) => address !== undefined);
  const allRealms = new Set([...addresses.map(({ domain }) => domain), ...realms]);
  const names = new Set([
    ...addresses.flatMap(({ user, domain }) => [`${user}@${domain}`, `sip:${user}@${domain}`]),
    ...identities,
    ...(impi === undefined ? [] : [impi]),
  ]);
  const inEachRealm = [...allRealms].flatMap((realm) => [...names].map((username) => ({ realm, username })));
  const inOwnRealm = addresses.map(({ user, domain }) => ({ realm: domain, username: user }));
  // The user part of one identity may be the private identity, or that of `sips:`.
  const logins = new Map(
    [...inEachRealm, ...inOwnRealm].map((login) => [`${login.realm} ${login.username}`, login]),
  );
  return [...logins.values()].flatMap(({ realm, username }) =>
    digestAlgorithms.map((algorithm) => {
      return { xui, realm, username, algorithm, ha1: ha1(username, realm, password, algorithm) };
    }),
  );
}

/** Without the parameters (`;user=phone`). */
function sipAddressOf(identity: string): { user: string; domain: string } | undefined {
  const [, user, domain] = /^sips?:([^@]+)@([^@;?]+)/.exec(identity) ?? [];
  return user === undefined || domain === undefined ? undefined : { user, domain };
}

/** As OWASP recommends for 32 MiB: cost 2^15, blocks of 8, three times. */
const usualCost = { logarithmicCost: 15, blockSize: 8, parallelization: 3 };
const hashBytes = 32;
const saltBytes = 16;

/**
 * The hash for HTTP Basic: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>` (RFC 7914; the form of PHC strings, base64 without
 * padding).
 */
export async function hashPassword(password: string, cost = usualCost): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt, cost, hashBytes);
  const { logarithmicCost, blockSize, parallelization } = cost;
  const parameters = `ln=${logarithmicCost},r=${blockSize},p=${parallelization}`;
  return ['', 'scrypt', parameters, unpadded(salt), unpadded(hash)].join('$');
}

/** Whether the hash is of that password. @throws Error where it is no such hash. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const form = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,})\$([A-Za-z0-9+/]{22,})$/;
  const [, logarithmicCost, blockSize, parallelization, salt, expected] = form.exec(hash) ?? [];
  if (salt === undefined || expected === undefined)
    throw new Error('A password hash is not of a known form.');
  const cost = {
    logarithmicCost: Number(logarithmicCost),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
  };
  const expectedBytes = Buffer.from(expected, 'base64');
  const actual = await derive(password, Buffer.from(salt, 'base64'), cost, expectedBytes.length);
  return timingSafeEqual(actual, expectedBytes);
}

function derive(
  password: string,
  salt: Uint8Array,
  { logarithmicCost, blockSize, parallelization }: typeof usualCost,
  bytes: number,
): Promise<Buffer> {
  const cost = 2 ** logarithmicCost;
  const options: ScryptOptions = {
    cost,
    blockSize,
    parallelization,
    // RFC 7914 §6: V and B, and some more for what OpenSSL counts beside them.
    maxmem: 128 * blockSize * (cost + parallelization + 32),
  };
  return new Promise((resolve, reject) => {
    // NFC, because one password is typed in several forms (RFC 7617 §2.1, RFC 8265 §4.2).
    scrypt(password.normalize('NFC'), salt, bytes, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}
