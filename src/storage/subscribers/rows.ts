/** Rows of the tables of subscribers as the types of `src/subscribers/`. */
import type { DigestAlgorithm, DigestSecret, Grant, Role, Subscriber } from '../../subscribers/subscriber.js';
import type { Operation, Xui } from '../../xcap/terms.js';
import type { Query } from '../database.js';

/** To be selected from `xcapd.subscribers`. */
export const subscriberColumns =
  'subscribers.xui, impi, is_disabled, profile, maximal_documents, maximal_bytes::float8 as maximal_bytes, ' +
  'array(select identity from xcapd.identities where identities.xui = subscribers.xui order by identity) as identities';

export interface SubscriberRow {
  readonly xui: string;
  readonly identities: string[];
  readonly impi: string | null;
  readonly is_disabled: boolean;
  readonly profile: string | null;
  readonly maximal_documents: number | null;
  readonly maximal_bytes: number | null;
}

export function subscriberOf(row: SubscriberRow): Subscriber {
  return {
    xui: row.xui,
    identities: row.identities,
    impi: row.impi ?? undefined,
    isDisabled: row.is_disabled,
    profile: row.profile ?? undefined,
    quota: { documents: row.maximal_documents ?? undefined, bytes: row.maximal_bytes ?? undefined },
  };
}

/** The subscriber with that identity. */
export async function readSubscriber(query: Query, identity: Xui): Promise<Subscriber | undefined> {
  const [row] = await query<SubscriberRow>({
    text:
      `select ${subscriberColumns} from xcapd.subscribers ` +
      'join xcapd.identities as asked on asked.xui = subscribers.xui where asked.identity = $1',
    values: [identity],
  });
  return row && subscriberOf(row);
}

export interface DigestSecretRow {
  readonly xui: string;
  readonly realm: string;
  readonly username: string;
  readonly algorithm: DigestAlgorithm;
  readonly ha1: string;
}

export function digestSecretOf({ xui, realm, username, algorithm, ha1 }: DigestSecretRow): DigestSecret {
  return { xui, realm, username, algorithm, ha1 };
}

export const grantColumns = 'id, xui, grantee, auid, path, access, expires_at';

export interface GrantRow {
  readonly id: string;
  readonly xui: string;
  readonly grantee: string;
  readonly auid: string | null;
  readonly path: string | null;
  readonly access: Operation;
  readonly expires_at: Date;
}

export function grantOf(row: GrantRow): Grant {
  return {
    id: row.id,
    owner: row.xui,
    grantee: row.grantee,
    auid: row.auid ?? undefined,
    path: row.path ?? undefined,
    access: row.access,
    expiresAt: row.expires_at.toISOString(),
  };
}

export interface RoleRow {
  readonly xui: string;
  readonly role: Role;
}
