/** Tokens of an identity provider (RFC 6750, RFC 7519): OpenID Connect, and the identity management of 3GPP MCX. */
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { Refusal } from '../../xcap/refusal.js';
import type { Xui } from '../../xcap/terms.js';
import { canonicalXui } from '../../xcap/uri/xui.js';
import type { Access } from '../../xcap/terms.js';
import type { Credentials, Finding, AuthenticationScheme } from '../authentication.js';
import type { KeyFinder } from './json-web-keys.js';

export interface BearerOptions {
  readonly keys: KeyFinder;
  /** Has no quotes and no backslash. */
  readonly realm: string;
  /** Undefined where the issuer does not matter. */
  readonly issuer: string | undefined;
  /** Undefined where the audience does not matter. */
  readonly audience: string | undefined;
  /** `sub`, or `mcptt_id` for MCX. */
  readonly identityClaim: string;
  /** All of them have to be there to read; none where every token may. */
  readonly readScopes: readonly string[];
  readonly writeScopes: readonly string[];
  readonly defaultDomain: string | undefined;
}

/** Asymmetric ones only: a public key must never pass for the secret of an HMAC. */
const algorithms = ['RS', 'PS', 'ES'].flatMap((family) => ['256', '384', '512'].map((bits) => family + bits));

const clockToleranceSeconds = 30;

/** Believes tokens that a key of the provider signed, for as long as they are valid. */
export function bearer(options: BearerOptions): AuthenticationScheme {
  return {
    name: 'bearer',
    async identify(credentials) {
      const token = tokenOf(credentials);
      if (token === undefined) return { kind: 'none' };
      const claims = await verified(token, options);
      if (typeof claims === 'string') return refused(`the token is not valid: ${claims}`);
      const [first, ...others] = identitiesOf(claims, options);
      if (first === undefined) return refused(`the token has no claim ${options.identityClaim}`);
      const access = accessOf(scopesOf(claims), options);
      return { kind: 'identified', identities: [first, ...others], access, headers: {} };
    },
    challenges(credentials) {
      // RFC 6750 §3.1: who sent no token is not told that it is wrong.
      const error = tokenOf(credentials) === undefined ? '' : ',error="invalid_token"';
      return [`Bearer realm="${options.realm}"${error}`];
    },
  };
}

function tokenOf({ headers: { authorization } }: Credentials): string | undefined {
  if (authorization === undefined || !/^Bearer /i.test(authorization)) return undefined;
  const token = authorization.slice('Bearer '.length).trim();
  return /\s/.test(token) ? undefined : token;
}

/** The claims, or for the log what is wrong. */
async function verified(token: string, options: BearerOptions): Promise<JWTPayload | string> {
  const { keys, issuer, audience } = options;
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: [...algorithms, 'EdDSA', 'Ed25519'],
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['exp'],
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTClaimValidationFailed) return `${error.code} (${error.claim})`;
    if (error instanceof errors.JOSEError) return error.code;
    throw error;
  }
}

function refused(reason: string): Finding {
  return { kind: 'refused', reason, isStale: false };
}

/** The claim is a string, or several of them. */
function identitiesOf(claims: JWTPayload, { identityClaim, defaultDomain }: BearerOptions): Xui[] {
  const names = [claims[identityClaim]].flat().filter((name) => typeof name === 'string');
  const identities = names.filter((name) => name !== '').map((name) => canonicalXui(name, defaultDomain));
  return [...new Set(identities)];
}

/** RFC 8693 §4.2: one string with blanks between the names; some providers send an array. */
function scopesOf({ scope }: JWTPayload): ReadonlySet<string> {
  const scopes = [scope].flat().filter((item) => typeof item === 'string');
  return new Set(scopes.flatMap((item) => item.split(' ')));
}

/** @throws Refusal where the token is valid, but not for this (RFC 6750 §3.1, insufficient_scope). */
function accessOf(scopes: ReadonlySet<string>, { readScopes, writeScopes }: BearerOptions): Access {
  const mayRead = readScopes.every((scope) => scopes.has(scope));
  const mayWrite = writeScopes.every((scope) => scopes.has(scope));
  if (mayRead && mayWrite) return 'read-write';
  if (mayRead) return 'read';
  if (mayWrite) return 'write';
  throw new Refusal(403, 'This token is neither for reading nor for writing documents.');
}
