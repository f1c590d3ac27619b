/** RFC 3261 §25.1, RFC 3966 §3: what is no URI of somebody, for URIs that are to be given to somebody. */
import { isIPv4, isIPv6 } from 'node:net';
import { addressParts, canonicalHost, canonicalXui, writtenUri, type AddressParts } from './xui.js';

/**
 * Why a URI in the scheme `sip`, or another one of addresses, or `tel`, is none; it may be without its scheme. Reads the parts that
 * `canonicalXui` compares. Characters beyond ASCII may be there without escapes, as in all values of type xs:anyURI, and escapes in
 * a host.
 *
 * @returns the end of a sentence that begins with "because", or undefined
 */
export function addressFault(given: string): string | undefined {
  const { written, scheme, rest } = writtenUri(given);
  if (scheme === 'tel') return telephoneFault(canonicalXui(given), written, rest);
  return strayCharacter(written) ?? faultOf(addressParts(rest));
}

/** What no URI has without an escape (RFC 3986 §2, RFC 3987 §2.2), or an escape that is none. */
const stray = /[\p{Cc}\p{Z}\p{Cs}\p{Bidi_Control}"<>\\^`{|}]|%(?![\da-f]{2})/iu;

function strayCharacter(written: string): string | undefined {
  const [found] = stray.exec(written) ?? [];
  if (found === undefined) return undefined;
  if (found === '%') return 'it has a % that begins no escape';
  return /[!-~]/.test(found) ? `it has ${found} without an escape` : 'it has a blank or a control character';
}

function faultOf({ user, password, host, port, tail }: AddressParts): string | undefined {
  if (user === '') return 'its name is empty';
  const [inName] = /[#@[\]]/.exec(user ?? '') ?? [];
  if (inName === '@') return 'it has more than one @';
  if (inName !== undefined) return `it has ${inName} in its name`;
  if (/[#/:;?@[\]]/.test(password ?? '')) return 'it has a delimiter in its password';
  if (!isHost(canonicalHost(host))) return host === '' ? 'it has no host' : `${host} is no host`;
  if (port !== '' && !(/^:\d{1,5}$/.test(port) && Number(port.slice(1)) <= 65_535))
    return `${port} is no port`;
  return tailFault(tail);
}

/** In canonical form. */
function isHost(host: string): boolean {
  if (host.startsWith('[')) return /^\[[^%]*\]$/.test(host) && isIPv6(host.slice(1, -1));
  return isIPv4(host) || isHostname(host);
}

function isHostname(host: string): boolean {
  const labels = host.split('.');
  return (
    labels.every((label) => /^[a-z\d-]+$/.test(label) && !/^-|-$/.test(label)) &&
    /^[a-z]/.test(labels.at(-1) ?? '')
  );
}

function tailFault(tail: string): string | undefined {
  if (/^[/#]/.test(tail)) return `it has ${tail.charAt(0)} behind its host`;
  const [parameters = ''] = /^[^?]*/.exec(tail) ?? [];
  const headers = tail.slice(parameters.length);
  return (
    (parameters === '' ? undefined : parametersFault(parameters.slice(1).split(';'))) ??
    (headers === '' ? undefined : headersFault(headers.slice(1).split('&')))
  );
}

/** RFC 3261 §25.1 uri-parameter, of which RFC 3261 §19.1.1 wants no name twice. */
function parametersFault(parameters: readonly string[]): string | undefined {
  const names = new Set<string>();
  for (const parameter of parameters) {
    const [name = '', value, more] = parameter.split('=', 3);
    const isWhole = name !== '' && value !== '' && more === undefined;
    if (!isWhole || /[#,?@]/.test(parameter)) return `;${parameter} is no parameter`;
    if (names.size === names.add(name.toLowerCase()).size) return `it has the parameter ${name} twice`;
  }
  return undefined;
}

/** RFC 3261 §25.1 headers. */
function headersFault(headers: readonly string[]): string | undefined {
  const wrong = headers.find((header) => !/^[^=]+=[^=]*$/.test(header) || /[#,;@]/.test(header));
  return wrong === undefined ? undefined : `'${wrong}' is no header`;
}

function telephoneFault(canonical: string, written: string, rest: string): string | undefined {
  if (!/^tel:(?:\+\d+|[*#\da-f]+)(?:;|$)/.test(canonical)) return 'it has no telephone number';
  const [, ...parameters] = rest.split(';');
  return (
    strayCharacter(written.replace(/^[^;]*/, '')) ?? parametersFault(parameters) ?? contextFault(canonical)
  );
}

/** RFC 3966 §3. Letters beyond ASCII are none, because a context is compared as it stands, without the conversion of hosts. */
function contextFault(canonical: string): string | undefined {
  const [parameter, descriptor = ''] = /;phone-context(?=[;=]|$)=?([^;]*)/.exec(canonical) ?? [];
  if (parameter === undefined || /^\+\d+$/.test(descriptor)) return undefined;
  return isHostname(descriptor.replace(/\.$/, '')) ? undefined : `${parameter} is no context of a number`;
}
