/** §6: from the raw request target to XCAP root, document selector and node selector. */
import { Refusal } from '../refusal.js';
import type { DocumentSelector, NamespaceBindings } from '../terms.js';
import { encodeSegment, isMisleadingSegment, percentDecode } from './percent-encoding.js';
import { canonicalXui, maximalXuiBytes } from './xui.js';

/** A request target below an XCAP root. The node selector is not read yet: that is done after authorization (§8). */
export interface XcapUri {
  readonly xcapRoot: string;
  readonly document: DocumentSelector;
  readonly node?: EncodedNodeSelector;
  /** True where the URI names a home directory and `document` is its default document: that can only be read. */
  readonly isHome: boolean;
  /** True where the query asks for what the document carries (`?raw`) and not for the document. */
  readonly isRaw: boolean;
}

/** What the understanding of a URI depends on. */
export interface UriRules {
  /** Paths without a trailing slash ('' for the root `/`). */
  readonly xcapRoots: readonly string[];
  readonly defaultDomain?: string | undefined;
  /** §5.5: the document with which a usage answers for a home directory. */
  readonly defaultDocument?: (auid: string) => string | undefined;
}

/** A node selector and its query component as they came on the wire. */
export interface EncodedNodeSelector {
  readonly selector: string;
  readonly query: string;
}

/** Database keys end at about 2,700 bytes; no real selector comes near. */
const maximalDocumentSelectorBytes = 2000;

/** An octet is three characters where it is percent-encoded. */
const maximalPathLength = 3 * maximalDocumentSelectorBytes;

/** Characters on the wire, so that no step walks more. */
const maximalNodeSelectorLength = 16_384;
const maximalQueryLength = 8192;

const nodeSelectorSeparator = /\/(?:~|%7e){2}/i;

/**
 * Splits a raw request target.
 *
 * @returns undefined where the target lies below no root.
 * @throws Refusal 400 (bad percent-encoding or UTF-8, dot segments), 404 (names no document), 414 (too long).
 */
export function parseRequestTarget(target: string, rules: UriRules): XcapUri | undefined {
  const [path, query] = splitOnce(octetsToText(originForm(target)), '?');
  checkLength('query component', query, maximalQueryLength);
  const xcapRoot = rootOf(path, rules.xcapRoots);
  if (xcapRoot === undefined) return undefined;
  const resource = collapseLeadingSlashes(path).slice(xcapRoot.length).replace(/^\/+/, '');
  // §8: the first separator counts. One glued to the first step (`/~~simservs/…`) is understood.
  const separator = nodeSelectorSeparator.exec(resource);
  if (separator === null) {
    return { xcapRoot, ...documentSelector(resource, rules), isRaw: query === 'raw' };
  }
  const selector = resource.slice(separator.index + separator[0].length).replace(/^\//, '');
  checkLength('node selector', selector, maximalNodeSelectorLength);
  return {
    xcapRoot,
    isRaw: false,
    ...documentSelector(resource.slice(0, separator.index), rules),
    node: { selector, query },
  };
}

/** @throws Refusal 414 */
function checkLength(what: string, encoded: string, limit: number): void {
  if (encoded.length <= limit) return;
  throw new Refusal(414, `A ${what} has at most ${limit} characters, percent-encoded as it is sent.`);
}

/** §6.2: the path of a document below the XCAP root, percent-encoded. */
export function encodeDocumentSelector(document: DocumentSelector): string {
  return `${encodeHome(document)}/${document.path.map(encodeSegment).join('/')}`;
}

/** §6.2: the path of the home directory, or of the global tree, of a document, without a slash at its end. */
export function encodeHome(document: DocumentSelector): string {
  const home = document.tree === 'users' ? ['users', document.xui] : ['global'];
  return [document.auid, ...home].map(encodeSegment).join('/');
}

/**
 * §6.4: the bindings made by the xmlns() parts of a query component. Other pointer parts and anything between the parts
 * are ignored (§6.4), a malformed part binds nothing, and of two parts for one prefix the last counts.
 *
 * @throws Refusal 400 for a bad escape or bytes that are not UTF-8.
 */
export function parseNamespaceBindings(query: string): NamespaceBindings {
  const bindings = new Map<string, string>();
  const decoded = percentDecode(query);
  let at = 0;
  for (let open = decoded.indexOf('('); open >= 0; open = decoded.indexOf('(', at)) {
    const scheme = schemeBefore(decoded, at, open);
    at = open + 1;
    if (scheme === '') continue;
    const data = pointerData(decoded, at);
    if (data === undefined) break;
    at = data.end;
    const [prefix, uri] = splitOnce(data.text, '=');
    const name = prefix.trimEnd();
    if (scheme === 'xmlns' && /^[^\s:]+$/.test(name) && uri.trim() !== '') bindings.set(name, uri.trim());
  }
  return bindings;
}

/** §6.4: the inverse of `parseNamespaceBindings`, percent-encoded, '' for no bindings. */
export function encodeNamespaceBindings(bindings: NamespaceBindings): string {
  const parts = [...bindings].map(
    ([prefix, uri]) =>
      `xmlns(${encodeSegment(prefix)}=${encodeURI(uri.replace(/[()^]/g, '^$&')).replaceAll('#', '%23')})`,
  );
  return parts.length === 0 ? '' : `?${parts.join('')}`;
}

/** The name of a pointer part, which ends at its parenthesis; '' where there is none. */
function schemeBefore(text: string, from: number, open: number): string {
  let start = open;
  // Half of a character beyond U+FFFF counts as one of a name.
  while (start > from && /[\p{L}\p{N}._\-\uD800-\uDFFF]/u.test(text.charAt(start - 1))) start--;
  return text.slice(start, open).replace(/^[^\p{L}_]+/u, '');
}

/** The data of a pointer part from behind its parenthesis: parentheses balance or are escaped by a circumflex. */
function pointerData(text: string, start: number): { text: string; end: number } | undefined {
  let data = '';
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '^') {
      i++;
      data += text.charAt(i);
      continue;
    }
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (depth === 0) return { text: data, end: i + 1 };
    data += character;
  }
  return undefined;
}

/** @throws Refusal 414 */
function checkBytes(what: string, text: string, limit: number): void {
  if (Buffer.byteLength(text) > limit) throw new Refusal(414, `A ${what} has at most ${limit} bytes.`);
}

/** RFC 9112 §3.2.2: a server accepts the absolute form, too. */
function originForm(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '');
}

/** Node hands over one character for each octet of the target; clients do send raw UTF-8. */
function octetsToText(target: string): string {
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(target)) return target;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(target, 'latin1'));
  } catch {
    throw new Refusal(400, 'The request target is not valid UTF-8.');
  }
}

function splitOnce(text: string, delimiter: string): [string, string] {
  const at = text.indexOf(delimiter);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function collapseLeadingSlashes(path: string): string {
  return path.replace(/^\/+/, '/');
}

function rootOf(path: string, xcapRoots: readonly string[]): string | undefined {
  const collapsed = collapseLeadingSlashes(path);
  return xcapRoots
    .filter((root) => collapsed === root || collapsed.startsWith(`${root}/`))
    .reduce<string | undefined>(
      (longest, root) => (longest === undefined || root.length > longest.length ? root : longest),
      undefined,
    );
}

function documentSelector(encoded: string, rules: UriRules): Pick<XcapUri, 'document' | 'isHome'> {
  checkLength('document selector', encoded, maximalPathLength);
  const segments = encoded.replace(/\/$/, '').split('/').map(percentDecode);
  segments.forEach(checkSegment);
  checkBytes('document selector', segments.join('/'), maximalDocumentSelectorBytes);
  const [auid = '', tree, ...rest] = segments;
  if (tree === 'global' && isPath(rest)) return { document: { tree, auid, path: rest }, isHome: false };
  const [identifier, ...path] = rest;
  if (tree === 'users' && identifier !== undefined && identifier !== '') {
    const xui = canonicalXui(identifier, rules.defaultDomain);
    checkBytes('user identifier', xui, maximalXuiBytes);
    const user = { tree, auid, xui } as const;
    if (isPath(path)) return { document: { ...user, path }, isHome: false };
    const name = encoded.endsWith('/') && path.length === 0 ? rules.defaultDocument?.(auid) : undefined;
    if (name !== undefined) return { document: { ...user, path: [name] }, isHome: true };
  }
  throw new Refusal(
    404,
    'The path names no document. Documents are at <AUID>/users/<XUI>/<document> and <AUID>/global/<document> ' +
      'below the XCAP root.',
  );
}

function isPath(segments: string[]): segments is [string, ...string[]] {
  return segments.length > 0 && segments.every((segment) => segment !== '');
}

/** Dot segments are never resolved here, but proxies do resolve them: a name that only some can reach is refused. */
function checkSegment(segment: string): void {
  // eslint-disable-next-line no-control-regex
  if (isMisleadingSegment(segment) || /[\x00-\x1f\x7f]/.test(segment)) {
    throw new Refusal(400, 'A path segment is a dot segment or has control characters.');
  }
}
