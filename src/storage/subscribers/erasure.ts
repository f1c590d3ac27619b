/** The erasure of a subscriber: afterwards no table has any of their identities. */
import { createHash } from 'node:crypto';
import type { Actor } from '../../subscribers/register.js';
import type { Subscriber } from '../../subscribers/subscriber.js';
import type { Xui } from '../../xcap/terms.js';
import { appendAuditRecords } from '../audit-trail.js';
import { countOf, eraseDocuments } from '../documents/document-erasure.js';
import { readSubscriber } from './rows.js';
import { lockHomes, lockNames, type Transactions } from '../transactions.js';

/** Identities, credentials and grants by them go with the row of the subscriber. */
const statements: readonly string[] = [
  'delete from xcapd.grants where grantee = any($1::text[])',
  'delete from xcapd.roles where xui = any($1::text[])',
  'delete from xcapd.subscribers where xui = any($1::text[])',
  'delete from xcapd.kept_spellings where spelling = any($1::text[])',
];

/**
 * Also of who is no subscriber (any more) and has documents, roles or grants.
 *
 * @returns whether anything was stored of them
 */
export function eraseSubscriber(
  { inTransaction }: Transactions,
  xui: Xui,
  actor: Actor,
  check: (current: Subscriber | undefined) => void = () => undefined,
): Promise<boolean> {
  return inTransaction(async (query) => {
    await lockNames(query);
    const current = await readSubscriber(query, xui);
    const identities = await query<{ identity: string }>({
      text: 'select identity from xcapd.identities where xui = $1 for update',
      values: [xui],
    });
    const names = [...new Set([xui, ...identities.map(({ identity }) => identity)])];
    await lockHomes(query, names);
    // Who is no subscriber may have asked for documents of others; see migration 9 for those who are.
    await query({
      text: 'update xcapd.requests set asker = null where asker = any($1::text[])',
      values: [names],
    });
    let rows = await eraseDocuments(query, names);
    for (const text of statements) rows += await countOf(query, text, names);
    if (rows === 0) return false;
    check(current);
    // What others have, or had: no sign that anything was stored of this one.
    await query({
      text: "update xcapd.kept_spellings set canonical = '' where canonical = any($1::text[])",
      values: [names],
    });
    await query({
      text:
        "delete from xcapd.kept_spellings where kind = 'claim' " +
        'and not exists (select from xcapd.claims where uri = spelling)',
    });
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
function pseudonymOf(xui: Xui): string {
  return `sha256:${createHash('sha256').update(xui).digest('hex')}`;
}
