/** The public keys of an identity provider (RFC 7517): fetched when they are needed, kept while the provider is away. */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { createRemoteJWKSet, customFetch, errors, type JSONWebKeySet } from 'jose';
import { IdentityUnavailable } from '../unavailable.js';

type KeySet = ReturnType<typeof createRemoteJWKSet>;

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

/** @param source the URL of a JWKS, or the name of a file that has one */
export function jsonWebKeys(source: string, options: Partial<JsonWebKeysOptions> = {}): KeyFinder {
  const limits = { ...usualOptions, ...options };
  const copy = lastingCopy(limits.retryMilliseconds);
  const keys = createRemoteJWKSet(isUrl(source) ? new URL(source) : pathToFileURL(source), {
    timeoutDuration: limits.timeoutMilliseconds,
    cacheMaxAge: limits.maximalAgeMilliseconds,
    cooldownDuration: limits.cooldownMilliseconds,
    headers: { accept: 'application/jwk-set+json, application/json' },
    [customFetch]: (_url, { headers, signal }) => copy.refresh(() => load(source, headers, signal)),
  });
  return async (...token) => {
    // While the provider is away, nobody waits for what is tried again and again.
    if (copy.isStale()) keys.reload().catch(() => undefined);
    try {
      return await keys(...token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !copy.isStale()) throw error;
      // The key may be a new one.
      await keys.reload();
      if (copy.isStale()) throw unavailable();
      return keys(...token);
    }
  };
}

interface LastingCopy {
  /** The keys as the provider has them, or as it had them last while it is away. @throws IdentityUnavailable where it never was there */
  refresh(load: () => Promise<JSONWebKeySet>): Promise<Response>;
  /** The last attempt failed. */
  isStale(): boolean;
}

/** What the provider said last counts while it is away. */
function lastingCopy(retryMilliseconds: number): LastingCopy {
  let keys: JSONWebKeySet | undefined;
  let failure: { readonly at: number; readonly cause: unknown } | undefined;
  return {
    async refresh(load) {
      if (failure === undefined || Date.now() - failure.at >= retryMilliseconds) {
        try {
          keys = await load();
          failure = undefined;
        } catch (cause) {
          failure = { at: Date.now(), cause };
        }
      }
      if (keys === undefined) throw unavailable(failure?.cause);
      return Response.json(keys);
    },
    isStale: () => failure !== undefined,
  };
}

function unavailable(cause?: unknown): IdentityUnavailable {
  return new IdentityUnavailable('The identity provider', 5, { cause });
}

async function load(source: string, headers: Headers, signal: AbortSignal): Promise<JSONWebKeySet> {
  if (!isUrl(source)) return keySet(JSON.parse(await readFile(source, 'utf8')));
  const response = await fetch(source, { headers, signal, redirect: 'error' });
  if (response.ok) return keySet(await response.json());
  await response.body?.cancel();
  throw new Error(`the provider answered ${response.status}`);
}

function isUrl(source: string): boolean {
  return /^https?:/i.test(source);
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
