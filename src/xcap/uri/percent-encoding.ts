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

/** @throws Refusal 400 where `percentDecoded` gives nothing */
export function percentDecode(encoded: string): string {
  const decoded = percentDecoded(encoded);
  if (decoded !== undefined) return decoded;
  throw new Refusal(400, 'The request target is not valid percent-encoded UTF-8.');
}
