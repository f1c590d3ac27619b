/** The header fields of a message on its way through a gateway (RFC 9110 §7.6; 3GPP TS 24.109 §7). */
import type { IncomingHttpHeaders } from 'node:http';
import type { Xui } from '../xcap/terms.js';

const assertedIdentity = 'X-3GPP-Asserted-Identity';

/** RFC 9110 §7.6.1: what is between two neighbours only, also where Connection does not name it. */
const hopByHop: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * What the next server must not see as if this one said it: credentials, which are for this server alone, and what a client
 * says about who and where they are. There are servers that take an underscore for a hyphen.
 */
const unbelievable =
  /^(authorization|proxy-authorization|x-(3gpp|xcap)-asserted-identity|x-3gpp-intended-identity|forwarded|x-forwarded(-.*)?|x-real-ip)$/;

/** What the client of the upstream makes itself: the length of the body, the name of the upstream. 100 Continue was said. */
const remade: readonly string[] = ['host', 'content-length', 'expect', 'via'];

export interface ForwardedRequest {
  /** As they came: names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** All identities of who asks, the one that they want to be known by first. */
  readonly identities: readonly Xui[];
  /** The name of this server in Via. */
  readonly pseudonym: string;
  readonly httpVersion: string;
  /** In lower case; a header that says something about the client's connection to a proxy. */
  readonly otherHeader?: string | undefined;
}

/** The header fields of the request to the upstream, names and values in turn. */
export function upstreamRequestHeaders(request: ForwardedRequest): string[] {
  const fields = pairs(request.rawHeaders);
  const dropped = new Set([...hopByHop, ...remade, ...nominated(fields), request.otherHeader]);
  const kept = fields.filter(([name]) => {
    const plain = name.toLowerCase();
    return !dropped.has(plain) && !unbelievable.test(plain.replaceAll('_', '-'));
  });
  const via = fields.filter(([name]) => name.toLowerCase() === 'via').map(([, value]) => value);
  return [
    ...kept.flat(),
    assertedIdentity,
    assertedIdentities(request.identities),
    'Via',
    viaHeader(via.join(', '), request),
  ];
}

/** §7.6.3: the way so far, and this server. */
export function viaHeader(
  via: string | undefined,
  { pseudonym, httpVersion }: Pick<ForwardedRequest, 'pseudonym' | 'httpVersion'>,
): string {
  return [via ?? '', `${httpVersion} ${pseudonym}`].filter((part) => part !== '').join(', ');
}

/** Has the request been here before? */
export function isLoop({ via }: IncomingHttpHeaders, pseudonym: string): boolean {
  return (via ?? '').split(',').some((hop) => hop.trim().split(/\s+/)[1] === pseudonym);
}

/** TS 24.109 §7.2: each one quoted. What would break out of the quotes is percent-encoded; escapes are so already. */
export function assertedIdentities(identities: readonly Xui[]): string {
  return identities.map((identity) => `"${identity.replace(/[^!#-[\]-~]/gu, percentEncoded)}"`).join(', ');
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character)]
    .map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

/** The header fields of the answer to the client. */
export function downstreamHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const connection = [headers.connection ?? []]
    .flat()
    .map((value): [string, string] => ['connection', value]);
  const dropped = new Set([...hopByHop, ...nominated(connection)]);
  const kept = Object.entries(headers).flatMap(([name, value]): [string, string | string[]][] =>
    value === undefined || dropped.has(name.toLowerCase()) ? [] : [[name, value]],
  );
  return Object.fromEntries(kept);
}

function pairs(rawHeaders: readonly string[]): [name: string, value: string][] {
  return rawHeaders.flatMap((name, i): [string, string][] =>
    i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? '']] : [],
  );
}

/** The fields that Connection names. */
function nominated(fields: readonly (readonly [string, string])[]): string[] {
  return fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase()));
}
