/** AKMA (3GPP TS 33.535), what 5G has beside GBA: keys for applications from the AAnF, by Naanf_AKMA (TS 29.535). */
import type { NetworkFunction } from './network-function.js';
import { isRecord, keyOf, textOf, timeOf } from './json-record.js';
import type { KeyKind } from './shared-key-digest.js';
import type { ApplicationFunction, KeyOwner, SharedKeySource, SharedKeys } from './shared-keys.js';

/** What tokens for the service have to be for. */
export const akmaScope = 'naanf-akma';

const realm = '3GPP-AKMA';

export const akmaKeyKinds: readonly KeyKind[] = [{ userAgent: /3gpp-akma/i, realm }];

/**
 * @param request the client of the network function
 * @param afId the identifier under which this server is known there; undefined for the host of the request with the Ua*
 *   security protocol identifier behind it, to which TS 33.535 §A.4 binds keys
 */
export function akmaKeys(request: NetworkFunction, afId: string | undefined): SharedKeySource {
  return {
    async retrieve(aKid, by) {
      const { status, body } = await request('/naanf-akma/v1/retrieve-applicationkey', {
        afId: afId ?? applicationFunctionId(by),
        aKId: aKid,
      });
      return status === 200 && isRecord(body) ? sharedKeys(body) : undefined;
    },
  };
}

/** AF_ID is FQDN and identifier side by side; the identifier is five octets, which JSON takes as digits. */
function applicationFunctionId({ host, protocolId }: ApplicationFunction): string {
  return `${host}${protocolId}`;
}

function sharedKeys(body: Readonly<Record<string, unknown>>): SharedKeys | undefined {
  const key = keyOf(textOf(body, 'kaf'));
  if (key === undefined) return undefined;
  return {
    keys: new Map([[realm, key]]),
    expiresAt: timeOf(textOf(body, 'expiry')),
    owners: [...impisOf(textOf(body, 'supi') ?? ''), ...numbersOf(textOf(body, 'gpsi') ?? '')],
  };
}

/**
 * TS 23.003 §13.3: the private identity that belongs to an IMSI. How many digits the network code has cannot be seen;
 * both readings name the same user, as no IMSI is given out twice.
 */
function impisOf(supi: string): KeyOwner[] {
  const [, imsi = '', country = '', code = '', digit = ''] =
    /^imsi-((\d{3})(\d{2})(\d)\d{0,9})$/.exec(supi) ?? [];
  if (imsi === '') return [];
  return [`0${code}`, `${code}${digit}`].map((network) => ({
    impi: `${imsi}@ims.mnc${network}.mcc${country}.3gppnetwork.org`,
  }));
}

function numbersOf(gpsi: string): KeyOwner[] {
  const [, number] = /^msisdn-(\d{5,15})$/.exec(gpsi) ?? [];
  return number === undefined ? [] : [{ identities: [`tel:+${number}`] }];
}
