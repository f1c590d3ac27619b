/** New subscribers, one or hundreds in one transaction: those that nobody is in the way of. */
import {
  SubscriberConflict,
  type Actor,
  type ConflictCode,
  type NewSubscriber,
  type StoredCredentials,
} from '../../subscribers/register.js';
import type { Xui } from '../../xcap/terms.js';
import { appendAuditRecords } from '../audit-trail.js';
import type { Query } from '../database.js';
import { adoptDocuments, doublyKept, type Alias } from '../documents/adoption.js';
import { releaseClaims } from '../documents/claim-release.js';
import type { SealSecrets } from '../secrets/secrets-keys.js';
import { lockHomes, lockNames, type Transactions } from '../transactions.js';

/** What only one subscriber can have. */
interface Possession {
  readonly code: ConflictCode;
  readonly what: string;
}

/** Makes subscribers in their order; one who is in the way of an earlier one is refused. */
export function createSubscribers(
  { inTransaction }: Transactions,
  seal: SealSecrets,
  subscribers: readonly NewSubscriber[],
  actor: Actor,
): Promise<(SubscriberConflict | undefined)[]> {
  return inTransaction(async (query) => {
    await lockNames(query);
    const aliases = subscribers.flatMap(aliasesOf);
    await lockHomes(
      query,
      aliases.flatMap(({ identity, xui }) => [identity, xui]),
    );
    const taken = await takenPossessions(query, subscribers);
    const doubled = await doublyKept(query, aliases);
    const accepted: NewSubscriber[] = [];
    const outcomes = subscribers.map((subscriber) => {
      const possessions = possessionsOf(subscriber);
      const conflict = possessions.map((possession) => conflictOn(possession, taken)).find((found) => found);
      if (conflict !== undefined) return conflict;
      if (doubled.has(subscriber.xui)) return documentsInTheWay(subscriber.xui);
      for (const possession of possessions) taken.add(keyOf(possession));
      accepted.push(subscriber);
      return undefined;
    });
    await adoptDocuments(query, accepted.flatMap(aliasesOf));
    if (accepted.length > 0) await insert(query, seal, accepted, actor);
    return outcomes;
  });
}

/** For owners who have none yet, when `checkFree` has found nobody in the way. */
export async function insertCredentials(
  query: Query,
  seal: SealSecrets,
  owners: readonly { readonly xui: Xui; readonly credentials: StoredCredentials }[],
): Promise<void> {
  const secrets = await seal(
    query,
    owners.flatMap(({ xui, credentials }) => credentials.digest.map((secret) => ({ xui, ...secret }))),
  );
  if (secrets.length > 0) {
    await query({
      text:
        'insert into xcapd.digest_secrets (realm, username, algorithm, xui, ha1) ' +
        'select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])',
      values: [
        secrets.map(({ realm }) => realm),
        secrets.map(({ username }) => username),
        secrets.map(({ algorithm }) => algorithm),
        secrets.map(({ xui }) => xui),
        secrets.map(({ ha1 }) => ha1),
      ],
    });
  }
  const hashes = owners.filter(({ credentials }) => credentials.passwordHash !== undefined);
  if (hashes.length > 0) {
    await query({
      text: 'insert into xcapd.password_hashes (xui, hash) select * from unnest($1::text[], $2::text[])',
      values: [hashes.map(({ xui }) => xui), hashes.map(({ credentials }) => credentials.passwordHash)],
    });
  }
}

/** To be asked under `lockNames`, before anything is written. @throws SubscriberConflict */
export async function checkFree(query: Query, possessions: readonly Possession[]): Promise<void> {
  const taken = await readTaken(query, possessions);
  for (const possession of possessions) {
    const conflict = conflictOn(possession, taken);
    if (conflict !== undefined) throw conflict;
  }
}

function aliasesOf({ xui, otherIdentities }: NewSubscriber): Alias[] {
  return otherIdentities.filter((identity) => identity !== xui).map((identity) => ({ identity, xui }));
}

export function documentsInTheWay(xui: Xui): SubscriberConflict {
  return new SubscriberConflict(
    'documents-in-the-way',
    `There are documents of the same name below several of the identities of '${xui}'. Delete all but one of each first.`,
  );
}

export function identityPossession(identity: string): Possession {
  return { code: 'identity-taken', what: identity };
}

export function impiPossession(impi: string): Possession {
  return { code: 'impi-taken', what: impi };
}

export function usernamePossessions({ digest }: StoredCredentials): Possession[] {
  return digest.map(({ realm, username, algorithm }) => ({
    code: 'username-taken',
    what: JSON.stringify([realm, username, algorithm]),
  }));
}

function possessionsOf({ xui, otherIdentities, impi, credentials }: NewSubscriber): Possession[] {
  return [
    ...[...new Set([xui, ...otherIdentities])].map(identityPossession),
    ...(impi === undefined ? [] : [impiPossession(impi)]),
    ...usernamePossessions(credentials),
  ];
}

function takenPossessions(query: Query, subscribers: readonly NewSubscriber[]): Promise<Set<string>> {
  return readTaken(query, subscribers.flatMap(possessionsOf));
}

async function readTaken(query: Query, possessions: readonly Possession[]): Promise<Set<string>> {
  const of = (wanted: ConflictCode) =>
    possessions.filter(({ code }) => code === wanted).map(({ what }) => what);
  const usernames = of('username-taken').map((what) => JSON.parse(what) as [string, string, string]);
  const rows = await query<Possession>({
    text:
      "select 'identity-taken' as code, identity as what from xcapd.identities where identity = any($1::text[]) " +
      "union all select 'impi-taken', impi from xcapd.subscribers where impi = any($2::text[]) " +
      "union all select 'username-taken', wanted.what from xcapd.digest_secrets as secrets " +
      'join unnest($3::text[], $4::text[], $5::text[], $6::text[]) as wanted (realm, username, algorithm, what) ' +
      'using (realm, username, algorithm)',
    values: [
      of('identity-taken'),
      of('impi-taken'),
      ...[0, 1, 2].map((i) => usernames.map((username) => username[i])),
      of('username-taken'),
    ],
  });
  return new Set(rows.map(keyOf));
}

function keyOf({ code, what }: Possession): string {
  return `${code} ${what}`;
}

function conflictOn(possession: Possession, taken: ReadonlySet<string>): SubscriberConflict | undefined {
  if (!taken.has(keyOf(possession))) return undefined;
  return new SubscriberConflict(possession.code, conflictMessage(possession));
}

function conflictMessage({ code, what }: Possession): string {
  switch (code) {
    case 'impi-taken':
      return `A subscriber has the private identity '${what}' already.`;
    case 'username-taken':
      return `A subscriber logs in by realm, user name and algorithm ${what} already.`;
    default:
      return `A subscriber has the identity '${what}' already.`;
  }
}

async function insert(
  query: Query,
  seal: SealSecrets,
  subscribers: readonly NewSubscriber[],
  actor: Actor,
): Promise<void> {
  await query({
    text:
      'insert into xcapd.subscribers (xui, impi, is_disabled, profile, maximal_documents, maximal_bytes) ' +
      'select * from unnest($1::text[], $2::text[], $3::boolean[], $4::text[], $5::integer[], $6::bigint[])',
    values: [
      subscribers.map(({ xui }) => xui),
      subscribers.map(({ impi }) => impi),
      subscribers.map(({ isDisabled }) => isDisabled),
      subscribers.map(({ profile }) => profile),
      subscribers.map(({ quota }) => quota.documents),
      subscribers.map(({ quota }) => quota.bytes),
    ],
  });
  const identities = subscribers.flatMap(({ xui, otherIdentities }) =>
    [...new Set([xui, ...otherIdentities])].map((identity) => ({ identity, xui })),
  );
  await query({
    text: 'insert into xcapd.identities (identity, xui) select * from unnest($1::text[], $2::text[])',
    values: [identities.map(({ identity }) => identity), identities.map(({ xui }) => xui)],
  });
  await endClaims(
    query,
    identities.map(({ identity }) => identity),
    actor,
  );
  await insertCredentials(query, seal, subscribers);
  await appendAuditRecords(
    query,
    subscribers.map(({ xui }) => ({ actor, action: 'subscriber.create', subject: xui, details: {} })),
  );
}

/**
 * An identity that the operator gives to a subscriber is no longer the URI of a group or service. Records on others do not have
 * the identity: its erasure would not find them.
 */
export async function endClaims(query: Query, identities: readonly string[], actor: Actor): Promise<void> {
  const released = await releaseClaims(query, identities);
  await appendAuditRecords(
    query,
    released.map(({ xui, auid, path }) => ({
      actor,
      action: 'claim.end',
      subject: xui,
      details: { auid, path },
    })),
  );
}
