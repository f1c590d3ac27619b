/** Subscribers and their identities: reading and changing. */
import type { Actor, Login, SubscriberChanges, SubscriberRecords } from '../../subscribers/register.js';
import type { Subscriber } from '../../subscribers/subscriber.js';
import type { Xui } from '../../xcap/terms.js';
import { appendAuditRecords } from '../audit-trail.js';
import type { Query } from '../database.js';
import { adoptDocuments, doublyKept } from '../documents/adoption.js';
import { forgetAuthor } from '../documents/document-erasure.js';
import {
  checkFree,
  createSubscribers,
  documentsInTheWay,
  endClaims,
  identityPossession,
  impiPossession,
} from './creation.js';
import { eraseSubscriber } from './erasure.js';
import { readSubscriber, subscriberColumns, subscriberOf, type SubscriberRow } from './rows.js';
import type { SealSecrets } from '../secrets/secrets-keys.js';
import { lockHomes, lockNames, pageOf, type Transactions } from '../transactions.js';

/** Sorts behind all others. */
const lastCharacter = '\u{10ffff}';

/** A range, which the index serves, and not a pattern. */
function hasIdentityBetween(first: string, last: string): string {
  return (
    'subscribers.xui in (select xui from xcapd.identities ' +
    `where identity >= ${first} and identity < ${last} and ($1::text is null or xui > $1))`
  );
}

/**
 * What there is of an identity beside documents. Whoever gets a telephone number next must not inherit the rights of the
 * one before, and the erasure of a subscriber would not know the identities that they had once.
 */
const traces: readonly string[] = [
  'delete from xcapd.grants where grantee = $1',
  'delete from xcapd.roles where xui = $1',
  "update xcapd.audit_records set details = '{}' where details->>'identity' = $1 and details ? 'identity'",
  'delete from xcapd.kept_spellings where spelling = $1',
  "update xcapd.kept_spellings set canonical = '' where canonical = $1",
];

export function openSubscriberRecords(transactions: Transactions, seal: SealSecrets): SubscriberRecords {
  const { query, inTransaction } = transactions;
  return {
    create: (subscribers, actor) => createSubscribers(transactions, seal, subscribers, actor),
    read: (identity) => readSubscriber(query, identity),
    async isKeptSpelling(spelling) {
      const rows = await query({
        text: "select from xcapd.kept_spellings where spelling = $1 and kind <> 'claim'",
        values: [spelling],
      });
      return rows.length > 0;
    },
    async countWithProfiles(names) {
      const rows = await query<{ profile: string; subscribers: number }>({
        text:
          'select profile, count(*)::float8 as subscribers from xcapd.subscribers ' +
          'where profile = any($1::text[]) group by profile',
        values: [names],
      });
      return new Map(rows.map(({ profile, subscribers }) => [profile, subscribers]));
    },
    async list({ after, limit }, beginnings) {
      const isMeant = beginnings.map((_, i) => hasIdentityBetween(`$${2 * i + 3}`, `$${2 * i + 4}`));
      const rows = await query<SubscriberRow>({
        text:
          `select ${subscriberColumns} from xcapd.subscribers where ($1::text is null or subscribers.xui > $1) ` +
          (isMeant.length === 0 ? '' : `and (${isMeant.join(' or ')}) `) +
          'order by subscribers.xui limit $2',
        values: [after, limit + 1, ...beginnings.flatMap((one) => [one, `${one}${lastCharacter}`])],
      });
      return pageOf(rows, limit, subscriberOf, ({ xui }) => xui);
    },
    update: (xui, changes, logins, actor, check) =>
      inTransaction((query) => updateSubscriber(query, xui, changes, logins, actor, check)),
    erase: (xui, actor, check) => eraseSubscriber(transactions, xui, actor, check),
    addIdentity: (xui, identity, actor) =>
      inTransaction(async (query) => {
        await lockNames(query);
        if (!(await isSubscriber(query, xui))) return false;
        await checkFree(query, [identityPossession(identity)]);
        const aliases = [{ identity, xui }];
        await lockHomes(query, [identity, xui]);
        if ((await doublyKept(query, aliases)).size > 0) throw documentsInTheWay(xui);
        await adoptDocuments(query, aliases);
        await query({
          text: 'insert into xcapd.identities (identity, xui) values ($1, $2)',
          values: [identity, xui],
        });
        await endClaims(query, [identity], actor);
        await appendAuditRecords(query, [
          { actor, action: 'identity.add', subject: xui, details: { identity } },
        ]);
        return true;
      }),
    removeIdentity: (xui, identity, logins, actor) =>
      inTransaction(async (query) => {
        await lockNames(query);
        const removed = await query({
          text: 'delete from xcapd.identities where identity = $1 and xui = $2 and identity <> xui returning 1',
          values: [identity, xui],
        });
        if (removed.length === 0) return false;
        await removeLogins(query, xui, logins);
        for (const text of traces) await query({ text, values: [identity] });
        await forgetAuthor(query, identity);
        await appendAuditRecords(query, [{ actor, action: 'identity.remove', subject: xui, details: {} }]);
        return true;
      }),
  };
}

/** Whether there is such a subscriber; they stay as they are until the end of the transaction. */
export async function isSubscriber(query: Query, xui: Xui): Promise<boolean> {
  const rows = await query({
    text: 'select from xcapd.subscribers where xui = $1 for update',
    values: [xui],
  });
  return rows.length > 0;
}

async function updateSubscriber(
  query: Query,
  xui: Xui,
  changes: SubscriberChanges,
  logins: readonly Login[],
  actor: Actor,
  check: (current: Subscriber) => void = () => undefined,
): Promise<boolean> {
  await lockNames(query);
  if (!(await isSubscriber(query, xui))) return false;
  const current = await readSubscriber(query, xui);
  if (current === undefined) return false;
  check(current);
  // What the change does not name stays as it is now, whoever changed it meanwhile.
  const next = { ...current, ...changes, quota: { ...current.quota, ...changes.quota } };
  if (next.impi !== undefined && next.impi !== current.impi) {
    await checkFree(query, [impiPossession(next.impi)]);
  }
  await query({
    text:
      'update xcapd.subscribers set impi = $2, is_disabled = $3, profile = $4, maximal_documents = $5, ' +
      'maximal_bytes = $6, changed_at = clock_timestamp() where xui = $1',
    values: [xui, next.impi, next.isDisabled, next.profile, next.quota.documents, next.quota.bytes],
  });
  await removeLogins(query, xui, logins);
  await appendAuditRecords(query, [
    { actor, action: 'subscriber.update', subject: xui, details: { changed: Object.keys(changes) } },
  ]);
  return true;
}

/** So that somebody else can have the names. */
async function removeLogins(query: Query, xui: Xui, logins: readonly Login[]): Promise<void> {
  await query({
    text:
      'delete from xcapd.digest_secrets where xui = $1 ' +
      'and (realm, username) in (select * from unnest($2::text[], $3::text[]))',
    values: [xui, logins.map(({ realm }) => realm), logins.map(({ username }) => username)],
  });
}
