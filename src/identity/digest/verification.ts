/** The check of a digest (RFC 7616 §3.4), whatever the secret is that it rests on: a password, or a key of GBA. */
import type { DigestAlgorithm } from '../../subscribers/subscriber.js';
import type { Xui } from '../../xcap/terms.js';
import type { Credentials, Finding } from '../authentication.js';
import { authenticationInfo, type DigestAuthorization } from './header.js';
import type { Nonces, ReadNonce } from './nonce.js';
import { answerDigest, isEqualInConstantTime, requestDigest, type Qop } from './response.js';
import { isSameResource, type UriStrictness } from './digest-uri.js';
import type { NonceCounts } from './nonce-counts.js';

export interface DigestRules {
  readonly nonces: Nonces;
  readonly counts: NonceCounts;
  /** Those that are offered, in the order of the challenges. */
  readonly algorithms: readonly DigestAlgorithm[];
  readonly qops: readonly Qop[];
  readonly uriStrictness: UriStrictness;
}

/** Whom the header names. */
export interface DigestUser {
  readonly ha1: string;
  /** Undefined for nobody: the secret is then any, so that the answer takes as long as that to a wrong password. */
  readonly identities: readonly [Xui, ...Xui[]] | undefined;
}

/** @param findUser asked only for a nonce that this server made for that realm */
export async function verifyDigest(
  rules: DigestRules,
  credentials: Credentials,
  authorization: DigestAuthorization,
  findUser: (algorithm: DigestAlgorithm) => Promise<DigestUser>,
): Promise<Finding> {
  const nonce = rules.nonces.read(authorization.nonce, authorization.realm);
  if (nonce === undefined) return refused('the nonce is not of this server and realm');
  const algorithm = rules.algorithms.find((one) => one === authorization.algorithm.toUpperCase());
  if (algorithm === undefined) return refused('the algorithm is not offered');
  const qop = rules.qops.find((one) => one === authorization.qop.toLowerCase());
  if (qop === undefined) return refused('the quality of protection is not offered');
  if (!isSameResource(authorization.uri, credentials.target, rules.uriStrictness)) {
    return refused('the uri is not that of the request');
  }
  const { ha1, identities } = await findUser(algorithm);
  const parameters = { ...authorization, qop };
  const expected = requestDigest(algorithm, ha1, parameters, credentials);
  const isRight = isEqualInConstantTime(expected, authorization.response);
  if (identities === undefined) return refused('the user is not known');
  if (!isRight) return refused('the password is wrong');
  // Only now, so that nobody learns from `stale` what they could not use, and nobody uses up the counts of others.
  if (nonce.isExpired) return { ...refused('the nonce has expired'), isStale: true };
  const count = Number.parseInt(authorization.nc, 16);
  if (!(await rules.counts.use(authorization.nonce, count, nonce.expiresAt))) {
    // §3.3: the nonce is of no more use. Who has the password gets on with a new one, who repeats a request does not.
    return { ...refused('the nonce count was used before'), isStale: true };
  }
  const rspauth = qop === 'auth' ? answerDigest(algorithm, ha1, parameters) : undefined;
  return {
    kind: 'identified',
    identities,
    access: 'read-write',
    headers: successHeaders(rules.nonces, nonce, authorization, rspauth),
  };
}

/**
 * §3.5. With auth-int the server would have to hash its answer, which is not there yet: it then proves nothing, as it may.
 */
function successHeaders(
  nonces: Nonces,
  { isAgeing }: ReadNonce,
  authorization: DigestAuthorization,
  rspauth: string | undefined,
): Readonly<Record<string, string>> {
  const info = authenticationInfo({
    nextNonce: isAgeing ? nonces.make(authorization.realm) : undefined,
    proof: rspauth === undefined ? undefined : { ...authorization, qop: 'auth', rspauth },
  });
  return info === undefined ? {} : { 'authentication-info': info };
}

export function refused(reason: string): Extract<Finding, { kind: 'refused' }> {
  return { kind: 'refused', reason, isStale: false };
}
