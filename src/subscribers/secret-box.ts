/** Digest secrets as they are stored: encrypted, where the operator gave a key. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { DigestSecret } from './subscriber.js';

/** The keys that a process was given, 32 bytes each. */
export interface SecretsKeys {
  readonly secretsKey: Uint8Array | undefined;
  /** The one that takes its place. */
  readonly newSecretsKey?: Uint8Array | undefined;
}

/** What a stored secret says. */
interface OpenedSecret {
  readonly ha1: string;
  /** Of the key that it was sealed with; undefined where it is stored as it is. */
  readonly keyId: string | undefined;
}

/** Encrypts HA1 for storage. The stored value says whether it is encrypted, so that a key can be given later. */
export interface SecretBox {
  /** Of the key that this process is to use; undefined where it has none. Tells nothing of the key. */
  readonly keyId: string | undefined;
  /** Of the key that takes its place; undefined where none does. */
  readonly newKeyId: string | undefined;
  /** Of all keys that this process has. */
  readonly keyIds: readonly string[];
  /**
   * The secret as it is stored.
   *
   * @param keyId which key to seal it with; undefined where secrets are stored as they are
   * @throws SecretsKeyError where this process does not have the key
   */
  seal(secret: DigestSecret, keyId: string | undefined): DigestSecret;
  /** What a stored secret says; undefined where none of the keys opens it: nobody could log in with it. */
  open(secret: DigestSecret): OpenedSecret | undefined;
}

/** The key of this process is not the one that the secrets in the database are sealed with. The message is for the operator. */
export class SecretsKeyError extends Error {
  override readonly name = 'SecretsKeyError';
}

/** What the value of each sealed secret begins with. */
export const sealedPrefix = 'gcm:';

const cipher = 'aes-256-gcm';
const initialBytes = 12;
const tagBytes = 16;
const idCharacters = 32;

/**
 * Sealed values are `gcm:` and, in base64, 12 random bytes, the tag of 16 bytes and the encrypted HA1 (AES-256-GCM). Whom
 * a secret belongs to is authenticated with it, so that nobody gets in by copying rows in the database.
 */
export function secretBox({ secretsKey, newSecretsKey }: SecretsKeys): SecretBox {
  const given = [secretsKey, newSecretsKey].filter((key) => key !== undefined);
  const keys = new Map(given.map((key) => [idOf(key), key]));
  return {
    keyId: secretsKey && idOf(secretsKey),
    newKeyId: newSecretsKey && idOf(newSecretsKey),
    keyIds: [...keys.keys()],
    seal(secret, keyId) {
      if (keyId === undefined) return secret;
      const key = keys.get(keyId);
      if (key === undefined) {
        throw new SecretsKeyError(
          'Digest secrets are encrypted with a key that this server does not have: restart it with that key in XCAP_SECRETS_KEY.',
        );
      }
      return { ...secret, ha1: sealed(secret, key) };
    },
    open(secret) {
      if (!isSealed(secret)) return { ha1: secret.ha1, keyId: undefined };
      for (const [keyId, key] of keys) {
        const ha1 = unsealed(secret, key);
        if (ha1 !== undefined) return { ha1, keyId };
      }
      return undefined;
    },
  };
}

export function isSealed({ ha1 }: Pick<DigestSecret, 'ha1'>): boolean {
  return ha1.startsWith(sealedPrefix);
}

function sealed(secret: DigestSecret, key: Uint8Array): string {
  const initial = randomBytes(initialBytes);
  const sealing = createCipheriv(cipher, key, initial).setAAD(ownerOf(secret));
  const encrypted = Buffer.concat([sealing.update(secret.ha1, 'utf8'), sealing.final()]);
  const bytes = Buffer.concat([initial, sealing.getAuthTag(), encrypted]);
  return sealedPrefix + bytes.toString('base64');
}

function unsealed(secret: DigestSecret, key: Uint8Array): string | undefined {
  const bytes = Buffer.from(secret.ha1.slice(sealedPrefix.length), 'base64');
  try {
    const opening = createDecipheriv(cipher, key, bytes.subarray(0, initialBytes), {
      authTagLength: tagBytes,
    })
      .setAAD(ownerOf(secret))
      .setAuthTag(bytes.subarray(initialBytes, initialBytes + tagBytes));
    return opening.update(bytes.subarray(initialBytes + tagBytes), undefined, 'utf8') + opening.final('utf8');
  } catch {
    return undefined;
  }
}

function ownerOf({ xui, realm, username, algorithm }: DigestSecret): Buffer {
  return Buffer.from([xui, realm, username, algorithm].join('\n'), 'utf8');
}

function idOf(key: Uint8Array): string {
  return createHmac('sha256', key).update('xcapd: id of this key').digest('hex').slice(0, idCharacters);
}
