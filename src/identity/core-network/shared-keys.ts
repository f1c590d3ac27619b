/** Keys that a device and this server get from the operator's core network: by GBA (TS 33.220) or AKMA (TS 33.535). */
import { LRUCache } from 'lru-cache';
import type { SubscriberDirectory } from '../../subscribers/subscriber.js';
import type { Xui } from '../../xcap/terms.js';
import type { SecurityProtocolId } from './security-protocol.js';

/** TS 33.220 §3.1, NAF_Id: for whom a key is made. */
export interface ApplicationFunction {
  /** As the client wrote it. */
  readonly host: string;
  readonly protocolId: SecurityProtocolId;
}

/** Whom a key belongs to, in one of the ways in which the core network may say it. */
export type KeyOwner = { readonly identities: readonly Xui[] } | { readonly impi: string };

export interface SharedKeys {
  /** The key for HTTP Digest with a realm that begins like this; undefined where there is none. */
  readonly keys: ReadonlyMap<string, Buffer>;
  /** Milliseconds since 1970; undefined where nobody says it. */
  readonly expiresAt: number | undefined;
  /** The first that leads to an identity counts. */
  readonly owners: readonly KeyOwner[];
}

export interface SharedKeySource {
  /**
   * The keys with that identifier (B-TID, A-KID); undefined where it is unknown or has expired.
   *
   * @throws IdentityUnavailable
   */
  retrieve(keyId: string, by: ApplicationFunction): Promise<SharedKeys | undefined>;
}

/** Keys without a time of expiry are asked for again after this time. */
const usualLifetimeMilliseconds = 3_600_000;

/** A device has its identifier from the core network before this server hears of it: what is unknown there was made up. */
const unknownMilliseconds = 30_000;
const maximalUnknown = 20_000;
/** TS 24.109 §4.3: RAND in base64 and a host; an A-KID is no longer. */
const maximalKeyIdLength = 1024;

/** Asks the source once for each key, however many requests come at a time, and then not until the key expires. */
export function cachedKeys(source: SharedKeySource, maximalKeys = 20_000): SharedKeySource {
  const cache = new LRUCache<string, SharedKeys, { keyId: string; by: ApplicationFunction }>({
    max: maximalKeys,
    async fetchMethod(_name, _known, { options, context: { keyId, by } }) {
      const keys = await source.retrieve(keyId, by);
      if (keys === undefined || isExpired(keys)) return undefined;
      const lifetime = keys.expiresAt === undefined ? usualLifetimeMilliseconds : keys.expiresAt - Date.now();
      options.ttl = Math.max(1, Math.min(lifetime, 2 ** 31 - 1));
      return keys;
    },
  });
  const unknown = new LRUCache<string, true>({ max: maximalUnknown, ttl: unknownMilliseconds });
  return {
    async retrieve(keyId, by) {
      if (keyId.length > maximalKeyIdLength) return undefined;
      const name = JSON.stringify([keyId, by.host, by.protocolId]);
      if (unknown.has(name)) return undefined;
      const keys = await cache.fetch(name, { context: { keyId, by } });
      if (keys === undefined) unknown.set(name, true);
      return keys;
    },
  };
}

function isExpired({ expiresAt }: SharedKeys): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

/** The public identities of who has a key; none where the operator knows none. */
export async function identitiesOf(
  owners: readonly KeyOwner[],
  directory: Pick<SubscriberDirectory, 'withImpi'>,
): Promise<readonly Xui[]> {
  for (const owner of owners) {
    const identities = 'impi' in owner ? await identitiesOfImpi(owner.impi, directory) : owner.identities;
    if (identities.length > 0) return identities;
  }
  return [];
}

/** The XUI first: it is the one that records show. */
async function identitiesOfImpi(
  impi: string,
  directory: Pick<SubscriberDirectory, 'withImpi'>,
): Promise<readonly Xui[]> {
  const subscriber = await directory.withImpi(impi);
  return subscriber === undefined ? [] : [...new Set([subscriber.xui, ...subscriber.identities])];
}
