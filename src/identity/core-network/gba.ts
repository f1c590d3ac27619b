/** The Generic Bootstrapping Architecture (3GPP TS 33.220, TS 24.109): this server as a NAF. */
import type { BootstrappingInfo, BootstrappingServer } from './bootstrapping.js';
import type { KeyOwner, SharedKeySource } from './shared-keys.js';
import type { KeyKind } from './shared-key-digest.js';

const deviceRealm = '3GPP-bootstrapping';
const cardRealm = '3GPP-bootstrapping-uicc';
const digestRealm = '3GPP-bootstrapping-digest';

/** TS 24.109 §5.2: the product tokens of clients, and the realms for them. */
export const bootstrappedKeyKinds: readonly KeyKind[] = [
  { userAgent: /3gpp-gba-uicc/i, realm: cardRealm },
  { userAgent: /3gpp-gba-digest/i, realm: digestRealm },
  { userAgent: /3gpp-gba/i, realm: deviceRealm },
];

/** The keys of bootstrapping transactions. The user security settings say who has them, or else the private identity. */
export function bootstrappedKeys(server: BootstrappingServer): SharedKeySource {
  return {
    async retrieve(bTid, by) {
      const info = await server.retrieve(bTid, by);
      if (info === undefined) return undefined;
      return { keys: keysOf(info), expiresAt: info.expiresAt, owners: ownersOf(info) };
    },
  };
}

function keysOf({ ksNaf, ksIntNaf }: BootstrappingInfo): ReadonlyMap<string, Buffer> {
  const keys = new Map([
    [deviceRealm, ksNaf],
    [digestRealm, ksNaf],
  ]);
  return ksIntNaf === undefined ? keys : keys.set(cardRealm, ksIntNaf);
}

function ownersOf({ identities, impi }: BootstrappingInfo): KeyOwner[] {
  return [{ identities }, ...(impi === undefined ? [] : [{ impi }])];
}
