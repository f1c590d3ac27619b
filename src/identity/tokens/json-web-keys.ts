/** The public keys of an identity provider (RFC 7517): fetched when they are needed, kept while the provider is away. */
import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';
import { IdentityUnavailable } from '../unavailable.js';

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** Finds the key that a token names. @throws IdentityUnavailable where the provider would have to be asked and is away. */
export type KeyFinder = (...token: Parameters<KeySet>) => ReturnType<KeySet>;

export interface JsonWebKeysOptions {
  readonly timeoutMilliseconds: number;
  /** After this time the keys are fetched again, so that withdrawn ones do not count for ever. */
  readonly maximalAgeMilliseconds: number;
  /** Tokens with unknown keys make the server fetch no more often than this. */
  readonly cooldownMilliseconds: number;
  /** A provider that did not answer is not asked again for this time. */
  readonly retryMilliseconds: number;
}

const usualOptions: JsonWebKeysOptions = {
  timeoutMilliseconds: 2_000,
  maximalAgeMilliseconds: 600_000,
  cooldownMilliseconds: 30_000,
  retryMilliseconds: 1_000,
};

interface Fetched {
  readonly find: KeySet;
  readonly at: number;
}

/** @param source the URL of a JWKS, or the name of a file that has one */
export function jsonWebKeys(source: string, options: Partial<JsonWebKeysOptions> = {}): KeyFinder {
  const limits = { ...usualOptions, ...options };
  let current: Fetched | undefined;
  let failedAt = -Infinity;
  let fetching: Promise<Fetched> | undefined;

  /** One request to the provider at a time, and none right after one that failed. */
  function fetchAgain(): Promise<Fetched> {
    if (Date.now() - failedAt < limits.retryMilliseconds) return Promise.reject(unavailable());
    fetching ??= load(source, limits.timeoutMilliseconds)
      .then((keys) => (current = { find: createLocalJWKSet(keys), at: Date.now() }))
      .catch((error: unknown) => {
        failedAt = Date.now();
        throw unavailable(error);
      })
      .finally(() => (fetching = undefined));
    return fetching;
  }

  async function keys(): Promise<Fetched> {
    if (current === undefined) return fetchAgain();
    if (Date.now() - current.at < limits.maximalAgeMilliseconds) return current;
    const old = current;
    const fetched = fetchAgain().catch(() => old);
    // While the provider is away, nobody waits for what is tried again and again.
    return failedAt > old.at ? old : fetched;
  }

  return async (...token) => {
    const known = await keys();
    try {
      return await known.find(...token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknown || Date.now() - known.at < limits.cooldownMilliseconds) throw error;
      return (await fetchAgain()).find(...token);
    }
  };
}

function unavailable(cause?: unknown): IdentityUnavailable {
  return new IdentityUnavailable('The identity provider', 5, { cause });
}

async function load(source: string, timeoutMilliseconds: number): Promise<JSONWebKeySet> {
  if (!/^https?:/.test(source)) return keySet(JSON.parse(await readFile(source, 'utf8')));
  const response = await fetch(source, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMilliseconds),
  });
  if (response.ok) return keySet(await response.json());
  await response.body?.cancel();
  throw new Error(`the provider answered ${response.status}`);
}

/** @throws where it is no set of keys (RFC 7517 §5). */
function keySet(value: unknown): JSONWebKeySet {
  if (!isKeySet(value)) throw new Error('this is no JSON Web Key Set');
  return value;
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return (
    typeof value === 'object' &&
    value !== null &&
    'keys' in value &&
    Array.isArray(value.keys) &&
    value.keys.every((key) => typeof key === 'object' && key !== null)
  );
}
