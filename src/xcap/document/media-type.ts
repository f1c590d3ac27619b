/** §8.2.2: is the body of the media type that its target wants? */
import type { XcapUri } from '../uri/uri.js';
import { Refusal } from '../refusal.js';

export const elementMediaType = 'application/xcap-el+xml';
export const attributeMediaType = 'application/xcap-att+xml';
export const namespaceBindingsMediaType = 'application/xcap-ns+xml';

/** What curl and Python's urllib send when nobody chose a type. */
const unspecifiedMediaType = 'application/x-www-form-urlencoded';

/**
 * Compares without parameters and case. On documents an unspecified type and what the usage's clients call it are taken for
 * the right one, unless `strict`.
 *
 * @throws Refusal 415.
 */
export function checkMediaType(
  contentType: string | undefined,
  wanted: string,
  target: XcapUri,
  strict: boolean,
  aliases: readonly string[] = [],
): void {
  const [essence = ''] = (contentType ?? '').split(';');
  const mediaType = essence.trim().toLowerCase();
  if (mediaType === wanted.toLowerCase()) return;
  const isTolerated = ['', unspecifiedMediaType, ...aliases].includes(mediaType);
  if (isTolerated && target.node === undefined && !strict) return;
  throw new Refusal(415, `The Content-Type of a PUT to this URI is ${wanted}.`);
}
