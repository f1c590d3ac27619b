/** The calculations of HTTP Digest (RFC 7616 §3.4.1 to §3.4.3, §3.5). */
import { hash, timingSafeEqual } from 'node:crypto';
import type { DigestAlgorithm } from '../../subscribers/subscriber.js';
import type { DigestAuthorization } from './header.js';

export const qops = ['auth', 'auth-int'] as const;

export type Qop = (typeof qops)[number];

type Parameters = Pick<DigestAuthorization, 'nonce' | 'nc' | 'cnonce' | 'uri'> & { readonly qop: Qop };

const hashNames: Readonly<Record<DigestAlgorithm, string>> = { MD5: 'md5', 'SHA-256': 'sha256' };

/** H of RFC 7616 §3.3: lower-case hexadecimal digits. */
export function digestHash(algorithm: DigestAlgorithm, data: string | Uint8Array): string {
  return hash(hashNames[algorithm], data);
}

/** §3.4.1: what the client has to send. The uri is the one of its header, whatever the request target is. */
export function requestDigest(
  algorithm: DigestAlgorithm,
  ha1: string,
  parameters: Parameters,
  request: { readonly method: string; readonly body: Uint8Array },
): string {
  const { qop, uri } = parameters;
  const hashedBody = qop === 'auth-int' ? `:${digestHash(algorithm, request.body)}` : '';
  return keyedDigest(algorithm, ha1, parameters, `${request.method}:${uri}${hashedBody}`);
}

/** §3.5: `rspauth` for `auth`, by which the server shows that it knows the secret as well. */
export function answerDigest(algorithm: DigestAlgorithm, ha1: string, parameters: Parameters): string {
  return keyedDigest(algorithm, ha1, parameters, `:${parameters.uri}`);
}

function keyedDigest(
  algorithm: DigestAlgorithm,
  ha1: string,
  { nonce, nc, cnonce, qop }: Parameters,
  a2: string,
): string {
  return digestHash(algorithm, `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${digestHash(algorithm, a2)}`);
}

/** Takes the same time wherever two texts of one length differ. */
export function isEqualInConstantTime(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
