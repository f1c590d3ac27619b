/** What is kept of the documents of somebody who is erased: nothing. */
import { randomUUID } from 'node:crypto';
import type { Xui } from '../../xcap/terms.js';
import type { Query } from '../database.js';

/** Claims and flags go with the documents. */
const statements: readonly string[] = [
  'delete from xcapd.documents where xui = any($1::text[])',
  'delete from xcapd.document_versions where xui = any($1::text[])',
  "update xcapd.document_versions set author = '' where author = any($1::text[]) and author <> xui",
];

/** Under the lock on these homes. @returns how many rows had something of them */
export async function eraseDocuments(query: Query, names: readonly Xui[]): Promise<number> {
  await reviseListings(query, names);
  let rows = 0;
  for (const text of statements) rows += await countOf(query, text, names);
  return rows;
}

/** The name of somebody who does not have it any more, in versions that they wrote for others. */
export async function forgetAuthor(query: Query, name: Xui): Promise<void> {
  await query({
    text: "update xcapd.document_versions set author = '' where author = $1 and author <> xui",
    values: [name],
  });
}

/** How many rows a statement on these names changes, without the rows. */
export async function countOf(query: Query, statement: string, names: readonly Xui[]): Promise<number> {
  const [row] = await query<{ n: number }>({
    text: `with changed as (${statement} returning 1) select count(*)::float8 as n from changed`,
    values: [names],
  });
  return row?.n ?? 0;
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
