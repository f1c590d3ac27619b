/** The bootstrapping server function by its service-based interface Zn: Nbsp_GBA (3GPP TS 29.309). */
import { canonicalXui } from '../../xcap/uri/xui.js';
import type { Xui } from '../../xcap/terms.js';
import type { NetworkFunction } from './network-function.js';
import { isRecord, keyOf, recordsOf, textOf, timeOf } from './json-record.js';
import type { ApplicationFunction } from './shared-keys.js';

export interface BootstrappingInfo {
  /** TS 33.220 §4.5.3: Ks_NAF, or Ks_ext_NAF where the card has a key of its own. */
  readonly ksNaf: Buffer;
  /** Ks_int_NAF of GBA_U. */
  readonly ksIntNaf: Buffer | undefined;
  /** Milliseconds since 1970; undefined where the answer does not say it. */
  readonly expiresAt: number | undefined;
  readonly impi: string | undefined;
  /** The public identities of the user security settings, in canonical form. */
  readonly identities: readonly Xui[];
}

/** Other bindings of Zn (Diameter, SOAP) would be other implementations of this. */
export interface BootstrappingServer {
  /**
   * What is known of a bootstrapping transaction; undefined where it is unknown or has expired.
   *
   * @throws IdentityUnavailable
   */
  retrieve(bTid: string, by: ApplicationFunction): Promise<BootstrappingInfo | undefined>;
}

/** What tokens for the service have to be for. */
export const bootstrappingScope = 'nbsp-gba';

/** @param request the client of the network function */
export function bootstrappingServer(request: NetworkFunction): BootstrappingServer {
  return {
    async retrieve(bTid, { host, protocolId }) {
      const { status, body } = await request('/nbsp-gba/v1/bootstrapping-info-retrieval', {
        btId: bTid,
        nafId: { nafFqdn: host, uaSecProtId: protocolId },
        // Without it the server keeps the key of the card to itself.
        gbaUAware: true,
      });
      return status === 200 && isRecord(body) ? bootstrappingInfo(body) : undefined;
    },
  };
}

function bootstrappingInfo(body: Readonly<Record<string, unknown>>): BootstrappingInfo | undefined {
  const ksNaf = keyOf(textOf(body, 'meKeyMaterial'));
  if (ksNaf === undefined) return undefined;
  return {
    ksNaf,
    ksIntNaf: keyOf(textOf(body, 'uiccKeyMaterial')),
    expiresAt: timeOf(textOf(body, 'keyExpiryTime')),
    impi: textOf(body, 'impi'),
    identities: identitiesOf(body.ussList),
  };
}

function identitiesOf(ussList: unknown): Xui[] {
  const settings = recordsOf(ussList).flatMap(({ uss }) => recordsOf([uss].flat()));
  const names = settings.flatMap(({ ueIds }) => recordsOf(ueIds)).map((ueId) => textOf(ueId, 'ueId'));
  return [...new Set(names.filter((name) => name !== undefined).map((name) => canonicalXui(name)))];
}
