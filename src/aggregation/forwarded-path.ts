/** What of a request target goes on to another server: the resource as the client sent it, unless it leads elsewhere there. */
import { Refusal } from '../xcap/refusal.js';
import { isMisleadingSegment, percentDecoded } from '../xcap/uri/percent-encoding.js';

/** Servers that decode twice are known; a fourth reading of a path is not. */
const readings = 3;

/**
 * What is behind the XCAP root and its slash, with the query, octet by octet as the client sent it (RFC 4825 §6).
 *
 * @throws Refusal 400 where a server that resolves dot segments (RFC 3986 §5.2.4) would find another resource. No segment of
 * a node selector is one (RFC 4825 §6.3), so the whole path is read, not only the document selector.
 */
export function forwardedResource(target: string, xcapRoot: string): string {
  const origin = /^https?:\/\/[^/?]*/i.exec(target)?.[0] ?? '';
  const path = target.slice(origin.length).replace(/^\/+/, '/');
  const resource = Buffer.from(path, 'latin1')
    .subarray(Buffer.byteLength(xcapRoot))
    .toString('latin1')
    .replace(/^\/+/, '');
  const [encoded = ''] = resource.split('?', 1);
  if (leadsElsewhere(encoded)) {
    throw new Refusal(
      400,
      'A segment of the path is a dot segment ("." or "..", also where it is percent-encoded, is followed by ";" or stands ' +
        'behind a backslash or an encoded slash), or is no valid percent-encoding. Write the path without it; an element with ' +
        'such a value in an attribute is selected by its position.',
    );
  }
  return resource;
}

function leadsElsewhere(encoded: string): boolean {
  if (encoded.split('/').map(percentDecoded).some(isMisleadingSegment)) return true;
  let path = encoded;
  for (let reading = 0; reading <= readings; reading++) {
    if (path.split(/[/\\]/).map(nameOf).some(isMisleadingSegment)) return true;
    const decoded = percentDecoded(path);
    if (decoded === undefined || decoded === path) return false;
    path = decoded;
  }
  return false;
}

/** What servers take for the name of a segment: no parameters, no query or fragment, no blanks and controls around it. */
function nameOf(segment: string): string {
  const [name = ''] = segment.split(/[;?#]/, 1);
  // eslint-disable-next-line no-control-regex
  return name.replace(/[\x00-\x20\x7f]/g, '');
}
