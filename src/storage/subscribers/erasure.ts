/** The erasure of a subscriber: afterwards no table has any of their identities. */
import { createHash, randomUUID } from 'node:crypto';
import type { Actor } from '../../subscribers/register.js';
import type { Xui } from '../../xcap/terms.js';
import { appendAuditRecords } from '../audit-trail.js';
import type { Query } from '../database.js';
import { lockNames, type Transactions } from '../transactions.js';

/**
 * What goes with the row of the subscriber (identities, credentials, grants by them) or with their documents (claims) is
 * not named here.
 */
const statements: readonly string[] = [
  'delete from xcapd.documents where xui = any($1::text[])',
  'delete from xcapd.document_versions where xui = any($1::text[])',
  "update xcapd.document_versions set author = '' where author = any($1::text[]) and author <> xui",
  'delete from xcapd.grants where grantee = any($1::text[])',
  'delete from xcapd.roles where xui = any($1::text[])',
  'delete from xcapd.subscribers where xui = any($1::text[])',
];

/** Whether there was such a subscriber. */
export function eraseSubscriber({ inTransaction }: Transactions, xui: Xui, actor: Actor): Promise<boolean> {
  return inTransaction(async (query) => {
    await lockNames(query);
    const identities = await query<{ identity: string }>({
      text: 'select identity from xcapd.identities where xui = $1 for update',
      values: [xui],
    });
    if (identities.length === 0) return false;
    const names = identities.map(({ identity }) => identity);
    await reviseListings(query, names);
    for (const text of statements) await query({ text, values: [names] });
    const subject = pseudonymOf(xui);
    await query({
      text: "update xcapd.audit_records set subject = $2, details = '{}' where subject = any($1::text[])",
      values: [names, subject],
    });
    await appendAuditRecords(query, [{ actor, action: 'subscriber.erase', subject, details: {} }]);
    return true;
  });
}

/** By it whoever knows the XUI can prove the erasure; it does not tell the XUI. */
export function pseudonymOf(xui: Xui): string {
  return `sha256:${createHash('sha256').update(xui).digest('hex')}`;
}

/** Documents that are generated from listed claims change with them, see migrations/0002.do.claims.sql. */
async function reviseListings(query: Query, xuis: readonly Xui[]): Promise<void> {
  await query({
    text:
      'update xcapd.listed_claims_revisions set revision = $2 where auid in ' +
      '(select auid from xcapd.claims where xui = any($1::text[]) and element is not null)',
    values: [xuis, randomUUID()],
  });
}
