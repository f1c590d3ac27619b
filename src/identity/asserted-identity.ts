/** The identity that an Aggregation Proxy asserts (3GPP TS 24.109 §7, OMA XDM Core §6.3). */
import { LRUCache } from 'lru-cache';
import { percentDecoded } from '../xcap/uri/percent-encoding.js';
import { Refusal } from '../xcap/refusal.js';
import { canonicalXui } from '../xcap/uri/xui.js';
import type { Xui } from '../xcap/terms.js';
import type { AuthenticationScheme } from './authentication.js';
import { peersIn } from './peer-network.js';

/** A handset asks several times in a row. */
const rememberedLists = 10_000;
const longestRememberedList = 256;

const headerNames = ['x-3gpp-asserted-identity', 'x-xcap-asserted-identity'] as const;

export interface AssertedIdentityOptions {
  /** Addresses and CIDRs. */
  readonly trustedProxies: readonly string[];
  readonly defaultDomain: string | undefined;
}

/**
 * Believes the header of peers whose address is one of the trusted proxies, and of nobody else. All identities of the
 * list belong to the one who asks.
 */
export function assertedIdentity({
  trustedProxies,
  defaultDomain,
}: AssertedIdentityOptions): AuthenticationScheme {
  const isTrusted = peersIn(trustedProxies);
  const known = new LRUCache<string, readonly Xui[]>({ max: rememberedLists });
  const identitiesOf = (header: string | string[] | undefined) => {
    const list = String(header ?? '');
    const remembered = known.get(list);
    if (remembered !== undefined) return remembered;
    const identities = parseIdentityList(list).map((identity) => canonicalXui(identity, defaultDomain));
    if (list.length <= longestRememberedList) known.set(list, identities);
    return identities;
  };
  return {
    name: 'asserted-identity',
    async identify({ peerAddress, headers }) {
      if (!isTrusted(peerAddress)) return { kind: 'none' };
      const [first, ...others] = new Set(headerNames.flatMap((name) => identitiesOf(headers[name])));
      if (first === undefined) return { kind: 'none' };
      return { kind: 'identified', identities: [first, ...others], access: 'read-write', headers: {} };
    },
    challenges: () => [],
  };
}

const maximalIdentities = 32;
const maximalIdentityLength = 1024;

/**
 * The identities of a header: a comma-separated list, each quoted or not.
 *
 * @throws Refusal 400 where there are too many, or one is too long or has a control character, encoded or not
 */
export function parseIdentityList(header: string | string[] | undefined): string[] {
  const value = Array.isArray(header) ? header.join(',') : (header ?? '');
  const identities: string[] = [];
  for (const [, quoted, bare] of value.matchAll(/"([^"]*)"|([^\s,"]+)/g)) {
    const identity = (quoted ?? bare ?? '').trim();
    if (identity === '') continue;
    if (identity.length > maximalIdentityLength)
      throw new Refusal(400, 'An identity in the header is too long.');
    // No database keeps a NUL, and no URI has such a character.
    if (/\p{Cc}/u.test(percentDecoded(identity) ?? identity)) {
      throw new Refusal(400, 'An identity in the header has a control character.');
    }
    if (identities.push(identity) > maximalIdentities) {
      throw new Refusal(400, 'The header has too many identities.');
    }
  }
  return identities;
}
