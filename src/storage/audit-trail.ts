/** Who did what when over the management API. */
import type { AuditEntry } from '../xcap/document-store.js';
import type { AuditTrail } from '../subscribers/register.js';
import type { Query } from './database.js';
import { pageOf, type Transactions } from './transactions.js';

interface AuditRow {
  readonly id: string;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details: AuditEntry['details'];
}

export function openAuditTrail({ query }: Transactions): AuditTrail {
  return {
    record: (entry) => appendAuditRecords(query, [entry]),
    async auditRecords({ after, limit }, subject) {
      const rows = await query<AuditRow>({
        text:
          'select id, at, actor, action, subject, details from xcapd.audit_records ' +
          'where ($1::bigint is null or id < $1) and ($2::text is null or subject = $2) order by id desc limit $3',
        values: [after, subject, limit + 1],
      });
      return pageOf(
        rows,
        limit,
        ({ id, at, actor, action, subject, details }) => ({
          id,
          at: at.toISOString(),
          actor,
          action,
          subject,
          details,
        }),
        ({ id }) => id,
      );
    },
  };
}

/** In the transaction of what they tell. */
export async function appendAuditRecords(query: Query, entries: readonly AuditEntry[]): Promise<void> {
  await query({
    text:
      'insert into xcapd.audit_records (actor, action, subject, details) ' +
      'select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])',
    values: [
      entries.map(({ actor }) => actor),
      entries.map(({ action }) => action),
      entries.map(({ subject }) => subject),
      entries.map(({ details }) => JSON.stringify(details)),
    ],
  });
}
