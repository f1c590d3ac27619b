/** Whether the `uri` of a digest names what the request asks for (RFC 7616 §3.4.6). */
import { percentDecoded } from '../../xcap/uri/percent-encoding.js';

/**
 * - `strict`: the request target itself.
 * - `tolerant`: also with other percent-encoding, and without the query. Both are what handsets do. The query of XCAP
 *   binds namespace prefixes (RFC 4825 §6.4) and chooses no resource by itself.
 * - `loose`: also the path without its last segments, as a client that leaves the document name out does.
 */
export const uriStrictnesses = ['strict', 'tolerant', 'loose'] as const;

export type UriStrictness = (typeof uriStrictnesses)[number];

/** The directive may be in absolute form (RFC 9110 §7.1) whatever form the request target has. */
export function isSameResource(directive: string, target: string, strictness: UriStrictness): boolean {
  const [named, asked] = [originForm(directive), originForm(target)];
  if (named === asked) return true;
  if (strictness === 'strict') return false;
  const [askedPath = ''] = asked.split('?');
  // A client that decodes its target has sent it decoded already: it is not decoded once more for lack of a match.
  const names = [named, decoded(named)];
  const resources = [decoded(asked), decoded(askedPath)];
  if (names.some((name) => resources.includes(name))) return true;
  return strictness === 'loose' && names.some((name) => isAncestor(name, decoded(askedPath)));
}

function originForm(uri: string): string {
  return uri.replace(/^https?:\/\/[^/?#]*/i, '');
}

function decoded(uri: string): string {
  return percentDecoded(uri) ?? uri;
}

function isAncestor(path: string, of: string): boolean {
  const base = path.replace(/\/$/, '');
  return base !== '' && of.startsWith(`${base}/`);
}
