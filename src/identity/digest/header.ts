/** The syntax of HTTP Digest's headers (RFC 7616 §3.3 to §3.5). */
import { percentDecoded } from '../../xcap/uri/percent-encoding.js';

/** RFC 7616 §3.4 defines twelve; who sends more has extensions. */
const maximalParameters = 32;

const parameterName = /[\s,]*([\w*-]+)\s*=\s*/y;
const quotedValue = /"((?:[^"\\]|\\.|"(?!\s*(?:,|$)))*)"\s*(?:,|$)/sy;
const bareValue = /([^\s,"]*)\s*(?:,|$)/y;

/** `Authorization: Digest …` with all that `qop` needs; quotes and their escapes are gone. */
export interface DigestAuthorization {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** In lower-case hexadecimal digits. */
  readonly response: string;
  /** As it was sent; MD5 where there is none. */
  readonly algorithm: string;
  readonly qop: string;
  readonly cnonce: string;
  /** As it was sent: it is part of what is hashed. */
  readonly nc: string;
}

/** True for credentials of this scheme, whatever is in them. */
export function isDigest(header: string | undefined): header is string {
  return /^Digest(?:\s|$)/i.test(header ?? '');
}

/** True for credentials that say something about the body as well (RFC 7616 §3.4.3). */
export function coversBody(header: string | undefined): boolean {
  return isDigest(header) && parseDigestAuthorization(header)?.qop.toLowerCase() === 'auth-int';
}

/** Undefined where the header breaks the syntax, lacks a parameter or has too many. */
export function parseDigestAuthorization(header: string): DigestAuthorization | undefined {
  const parameters = parseParameters(utf8(header).replace(/^Digest\s*/i, ''));
  if (parameters === undefined) return undefined;
  const username = usernameOf(parameters);
  const [realm, nonce, uri] = ['realm', 'nonce', 'uri'].map((name) => parameters.get(name));
  const [response, qop, cnonce] = ['response', 'qop', 'cnonce'].map((name) => parameters.get(name));
  const nc = parameters.get('nc');
  // No database keeps a NUL, which only an encoded name can have.
  if (username?.includes('\0') === true) return undefined;
  if (username === undefined || realm === undefined || nonce === undefined || uri === undefined)
    return undefined;
  if (response === undefined || qop === undefined || cnonce === undefined) return undefined;
  if (nc === undefined || !/^[0-9a-f]{1,8}$/i.test(nc) || !/^[0-9a-f]+$/i.test(response)) return undefined;
  const algorithm = parameters.get('algorithm') ?? 'MD5';
  return { username, realm, nonce, uri, response: response.toLowerCase(), algorithm, qop, cnonce, nc };
}

/**
 * The parameters by name in lower case. A quoted string ends at a quote with a comma or the end behind it, because some
 * handsets send the decoded request target, which has quotes (`uri="/…/rule[@id="a"]"`), without escapes. What is correct
 * is read alike by both rules.
 */
function parseParameters(text: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  const end = text.trimEnd().length;
  for (let at = 0; at < end;) {
    const [before, name] = matchAt(parameterName, text, at) ?? [];
    if (before === undefined || name === undefined || parameters.has(name.toLowerCase())) return undefined;
    if (parameters.size >= maximalParameters) return undefined;
    const valueAt = at + before.length;
    const isQuoted = text.charAt(valueAt) === '"';
    const [taken, value] = matchAt(isQuoted ? quotedValue : bareValue, text, valueAt) ?? [];
    if (taken === undefined || value === undefined) return undefined;
    parameters.set(name.toLowerCase(), isQuoted ? value.replace(/\\(.)/gs, '$1') : value);
    at = valueAt + taken.length;
  }
  return parameters;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** §3.4: either `username` or, for names that are not ASCII, `username*` (RFC 5987). */
function usernameOf(parameters: ReadonlyMap<string, string>): string | undefined {
  const plain = parameters.get('username');
  const extended = parameters.get('username*');
  if (extended === undefined) return plain;
  const [, encoded] = /^UTF-8'[^']*'(.*)$/i.exec(extended) ?? [];
  return plain === undefined && encoded !== undefined ? percentDecoded(encoded) : undefined;
}

/** Node.js reads headers as Latin-1; clients hash what they write in UTF-8. */
function utf8(header: string): string {
  if (!/[\x80-\xff]/.test(header)) return header;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
}

/** §3.3. Handsets take challenges apart by hand: no blanks at all, and one challenge a header. */
export function digestChallenge(challenge: {
  /** Has no quotes and no backslash, and neither has the nonce. */
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: string;
  readonly qops: readonly string[];
  readonly isStale: boolean;
}): string {
  const { realm, nonce, algorithm, qops, isStale } = challenge;
  const stale = isStale ? ',stale=true' : '';
  return `Digest realm="${realm}",nonce="${nonce}",algorithm=${algorithm},qop="${qops.join(',')}"${stale}`;
}

/** §3.5: what Authentication-Info says; undefined where that is nothing. */
export function authenticationInfo(info: {
  readonly nextNonce: string | undefined;
  /** The server's own response, with the parameters of the request that it is computed from. */
  readonly proof: (Pick<DigestAuthorization, 'qop' | 'cnonce' | 'nc'> & { rspauth: string }) | undefined;
}): string | undefined {
  const { nextNonce, proof } = info;
  const parts = [
    ...(nextNonce === undefined ? [] : [`nextnonce="${nextNonce}"`]),
    ...(proof === undefined ? [] : [`qop=${proof.qop}`, `rspauth="${proof.rspauth}"`]),
    ...(proof === undefined ? [] : [`cnonce="${headerText(proof.cnonce)}"`, `nc=${proof.nc}`]),
  ];
  return parts.length === 0 ? undefined : parts.join(',');
}

/** A quoted string as Node.js takes it: the bytes of UTF-8 as Latin-1. */
function headerText(text: string): string {
  return Buffer.from(text.replace(/[\\"]/g, '\\$&'), 'utf8').toString('latin1');
}
