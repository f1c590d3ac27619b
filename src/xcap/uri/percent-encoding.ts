/** RFC 3986 §2.1: percent-encoding, which is undone exactly once. */
import { Refusal } from '../refusal.js';

/** Percent-encodes what a path segment cannot hold (RFC 3986 §3.3 pchar). */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(/%(3A|40|21|24|26|27|28|29|2A|2B|2C|3B|3D)/g, (escape) =>
    decodeURIComponent(escape),
  );
}

/** `+` stays a plus. Undefined for a bad escape or bytes that are not UTF-8. */
export function percentDecoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/**
 * The URI that a value of a document stands for. SIP SIMPLE clients percent-encode whole URIs (`sip%3Abob%40example.com`,
 * `http%3A//…`): a value that begins with a scheme and an encoded colon is decoded, once. Others are as they are.
 */
export function decodedUri(value: string): string {
  return /^[a-z][a-z0-9+.-]{0,31}%3a/i.test(value) ? (percentDecoded(value) ?? value) : value;
}

/** Once a URI is resolved, a dot segment leads into another folder; one that cannot be decoded may be anything. */
export function isMisleadingSegment(decoded: string | undefined): boolean {
  return decoded === undefined || decoded === '.' || decoded === '..';
}

/** @throws Refusal 400 where `percentDecoded` gives nothing */
export function percentDecode(encoded: string): string {
  const decoded = percentDecoded(encoded);
  if (decoded !== undefined) return decoded;
  throw new Refusal(400, 'The request target is not valid percent-encoded UTF-8.');
}
