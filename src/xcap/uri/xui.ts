/** §6.2: XCAP User Identifiers, and the one form in which URIs are compared (RFC 3261 §19.1.4, RFC 3986 §6.2). */
import { domainToASCII } from 'node:url';
import type { Xui } from '../terms.js';
import { percentDecoded } from './percent-encoding.js';

/** Of an XUI, and of a URI that only one document may claim: keys of databases have an end. */
export const maximalXuiBytes = 1024;

/**
 * The one form of an XUI, or of any URI that stands for somebody, that is stored and compared; two spellings of one URI have
 * the same. `alice@example.com` and `sip:alice@example.com` are one user. The URI is taken apart before anything in it is
 * decoded, so an escaped delimiter in a name stays a part of the name.
 *
 * - Escapes of characters that delimit nothing are decoded, others are in upper case. A URI that is encoded as a whole
 *   (`sip%3Aalice%40example.com`) is decoded once.
 * - A scheme, a host, telephone numbers and parameters compare without case, parameters in any order. A host has no escapes,
 *   no dot at its end, A-labels, and the one form of an IPv6 address.
 * - A password in the userinfo (some handsets send their call-barring password there) is dropped, so that it is neither
 *   stored nor logged. So are the visual separators of telephone numbers (RFC 3966 §3) and `;user=phone`, which say nothing
 *   about who it is; other parameters stay, because the URIs of services have some.
 * - An identifier without scheme and domain gets `defaultDomain` where there is one, and stays as it is otherwise (MCX device
 *   identifiers are such).
 */
export function canonicalXui(identifier: string, defaultDomain = ''): Xui {
  const { scheme, rest } = writtenUri(identifier);
  if (scheme === 'tel') return `tel:${canonicalTelephone(rest)}`;
  if (scheme === 'urn') return `urn:${rest.replace(/^[^:]*/, (namespace) => namespace.toLowerCase())}`;
  if (scheme === 'http' || scheme === 'https') return `${scheme}:${canonicalHierarchy(rest)}`;
  if (scheme !== undefined) return `${scheme}:${canonicalAddress(rest)}`;
  const address = rest.includes(':') ? rest : withAt(rest);
  if (address.includes('@')) return `sip:${canonicalAddress(address)}`;
  const name = withPlus(rest);
  if (defaultDomain === '' || name.includes(':')) return name;
  return `sip:${name}@${canonicalHost(defaultDomain)}`;
}

/** What stands where in an address, without common escapes: what is behind `sip:` (RFC 3261 §19.1.1), and likewise in other schemes. */
export interface AddressParts {
  /** Undefined where there is no `@`. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly host: string;
  /** With its colon; '' where there is none. */
  readonly port: string;
  /** All that is behind. */
  readonly tail: string;
}

/** A URI of somebody before its parts are compared. */
export interface WrittenUri {
  /** As it was written, decoded once where it was encoded as a whole. */
  readonly written: string;
  readonly scheme: string | undefined;
  /** What is behind the scheme, without common escapes. */
  readonly rest: string;
}

/** What `canonicalXui` goes by. */
export function writtenUri(identifier: string): WrittenUri {
  const written = wholeDecoded(withCommonEscapes(identifier)) ?? identifier;
  const [scheme, rest] = schemeAndRest(withCommonEscapes(written));
  return { written, scheme, rest };
}

/** Takes an address without its scheme apart. The last `@` counts: some passwords have others, not escaped. */
export function addressParts(rest: string): AddressParts {
  const address = withAt(rest);
  const at = address.lastIndexOf('@');
  const userinfo = address.slice(0, Math.max(at, 0));
  const [user = ''] = userinfo.split(':', 1);
  const [hostAndPort = ''] = /^[^;?/#]*/.exec(address.slice(at + 1)) ?? [];
  const [host = ''] = /^(?:\[[^\]]*\]?|[^:]*)/.exec(hostAndPort) ?? [];
  return {
    user: at < 0 ? undefined : user,
    password: userinfo.length > user.length ? userinfo.slice(user.length + 1) : undefined,
    host,
    port: hostAndPort.slice(host.length),
    tail: address.slice(at + 1 + hostAndPort.length),
  };
}

/** A host in the one form in which hosts are compared: RFC 3986 §6.2.2, RFC 4745 §7.1.3, RFC 5952. */
export function canonicalHost(host: string): string {
  const plain = withCommonEscapes(withCommonEscapes(host).toLowerCase());
  // eslint-disable-next-line no-control-regex
  const needsConversion = plain.startsWith('[') || /[^\x00-\x7f]/.test(plain);
  const converted = needsConversion ? domainToASCII(plain) || plain : plain;
  return converted.replace(/([^.])\.$/, '$1');
}

/** Only these are schemes of public identities: `user:password@domain` has what looks like one. */
const schemes = ['sip', 'sips', 'tel', 'im', 'pres', 'xmpp', 'mailto', 'urn', 'http', 'https'];

function schemeAndRest(text: string): [scheme: string | undefined, rest: string] {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  return schemes.includes(scheme) ? [scheme, text.slice(colon + 1)] : [undefined, text];
}

/** A URI that was percent-encoded as a whole, as SIP SIMPLE clients do. */
function wholeDecoded(text: string): string | undefined {
  const [, scheme = ''] = /^([a-z]{1,8})%3A/i.exec(text) ?? [];
  return schemes.includes(scheme.toLowerCase()) ? percentDecoded(text) : undefined;
}

/** One escaped octet or character, a percent sign that escapes nothing, or a control character. */
const escapes =
  /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}|%[\da-f]{2}|[%\p{Cc}]/giu;

/** What may delimit the parts of a URI (RFC 2396 §2.2, RFC 3986 §2.2), or is no character of any name. */
const escapedAlways = /[;/?:@&=+$,#[\]%\p{Cc}]/u;

/** RFC 3986 §6.2.2. The marks of RFC 3261 §25.1 are not reserved there, nor is what a URI has escaped only. */
function withCommonEscapes(text: string): string {
  return text.replace(escapes, (found) => {
    if (found.length < 3) return encodeURIComponent(found);
    const character = percentDecoded(found);
    return character === undefined || escapedAlways.test(character) ? found.toUpperCase() : character;
  });
}

/** RFC 3261 §25.1, RFC 3966 §3: in a name it delimits nothing, and telephone numbers begin with it. */
function withPlus(name: string): string {
  return name.replaceAll('%2B', '+');
}

/** No host has an escaped `@`: where there is no other, it is the one in front of the host. */
function withAt(address: string): string {
  const last = address.lastIndexOf('%40');
  if (last < 0 || address.includes('@')) return address;
  return `${address.slice(0, last)}@${address.slice(last + 3)}`;
}

function canonicalAddress(address: string): string {
  const { user, host, port, tail } = addressParts(address);
  const canonicalPort = port === ':' ? '' : withCommonEscapes(port.toLowerCase());
  return `${user === undefined ? '' : `${withPlus(user)}@`}${canonicalHost(host)}${canonicalPort}${canonicalTail(tail)}`;
}

/** Parameters, which compare without case and in any order (RFC 3261 §19.1.4), and what is behind them. */
function canonicalTail(tail: string): string {
  const [parameters = ''] = /^[^?#]*/.exec(tail) ?? [];
  const [path = '', ...others] = parameters.split(';');
  const kept = canonicalParameters(others).filter((parameter) => parameter !== 'user=phone');
  return [path, ...kept].join(';') + tail.slice(parameters.length);
}

function canonicalParameters(parameters: readonly string[]): string[] {
  return parameters
    .map((parameter) => withCommonEscapes(parameter.toLowerCase()))
    .filter((parameter) => parameter !== '')
    .sort();
}

/** RFC 3966 §4. Dots and hyphens in the parameters count, unless they are those of a number. */
function canonicalTelephone(telephone: string): string {
  const [number = '', ...parameters] = telephone.split(';');
  const kept = canonicalParameters(parameters).map((parameter) => {
    const [, name, value = ''] = /^(phone-context=(?=\+)|ext=)(.*)$/s.exec(withPlus(parameter)) ?? [];
    return name === undefined ? parameter : `${name}${withoutSeparators(value)}`;
  });
  return [withoutSeparators(withPlus(number).replaceAll('%23', '#')), ...kept.sort()].join(';');
}

function withoutSeparators(number: string): string {
  return withCommonEscapes(withCommonEscapes(number.replace(/[-.() ]/g, '')).toLowerCase());
}

/** What is behind `http:`; the path compares as it is. */
function canonicalHierarchy(rest: string): string {
  if (!rest.startsWith('//')) return rest;
  const [authority = ''] = /^[^/?#]*/.exec(rest.slice(2)) ?? [];
  return `//${canonicalAddress(authority)}${rest.slice(2 + authority.length)}`;
}
