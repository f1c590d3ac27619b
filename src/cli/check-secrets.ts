/** What a server would say of the digest secrets that are to be imported: sealed ones are taken only where it can open them. */
import type { Config } from '../config/config.js';
import { isSealed, secretBox } from '../subscribers/secret-box.js';
import { canonicalXui } from '../xcap/uri/xui.js';
import type { ImportDigest, ImportSubscriber } from './import-input.js';

/** @returns why a subscriber would be refused; undefined where nothing of that kind is wrong */
export type SecretsChecker = (subscriber: ImportSubscriber) => string | undefined;

/** Checks with the keys in the environment, which should be those of the server. */
export function secretsChecker({ passwords, defaultDomain }: Config): SecretsChecker {
  const box = secretBox(passwords);
  const advice =
    passwords.secretsKey === undefined
      ? 'XCAP_SECRETS_KEY is not set: set it to the key of the server, which has to open it.'
      : 'XCAP_SECRETS_KEY does not open it: keep XUI, user name, realm and algorithm as they were where it comes from, and that key.';
  return (subscriber) => {
    const xui = canonicalXui(subscriber.xui, defaultDomain);
    const closed = secretsOf(subscriber)
      .filter(isSealed)
      .find((secret) => box.open({ ...secret, xui }) === undefined);
    if (closed === undefined) return undefined;
    const { username, realm, algorithm } = closed;
    return `The digest secret of '${username}' in realm '${realm}' (${algorithm}) is encrypted, and ${advice}`;
  };
}

/** Those that are of the right form; of the others the server says what is wrong. */
function secretsOf({ digest }: { readonly digest?: unknown }): ImportDigest[] {
  return Array.isArray(digest) ? digest.filter(isDigest) : [];
}

function isDigest(value: unknown): value is ImportDigest {
  if (typeof value !== 'object' || value === null) return false;
  const parts = Object.entries(value);
  return ['realm', 'username', 'algorithm', 'ha1'].every((name) =>
    parts.some(([key, part]) => key === name && typeof part === 'string'),
  );
}
