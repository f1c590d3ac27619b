/** What is asked about claims: who has a URI, which are free, and the listed elements of all documents. */
import { maximalListedBytes, type ListedElements } from '../../xcap/document-store.js';
import type { DocumentSelector } from '../../xcap/terms.js';
import type { Query } from '../database.js';
import { selectorOf, type DocumentKey } from './key.js';

const noElements: ListedElements = { revision: '', elements: [] };

/** The document that claims the URI. */
export async function readClaimant(query: Query, uri: string): Promise<DocumentSelector | undefined> {
  const [row] = await query<DocumentKey>({
    name: 'xcapd-claimant',
    text: 'select xui, auid, path from xcapd.claims where uri = $1',
    values: [uri],
  });
  return row && selectorOf(row);
}

/** Those that lead to nobody yet: to no claim of a document, no user with documents and no subscriber. */
export async function readFreeUris(query: Query, uris: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await query<{ uri: string }>({
    name: 'xcapd-free-uris',
    text:
      'select uri from unnest($1::text[]) as candidates (uri), lateral xcapd.address_of(uri) as address ' +
      'where not exists (select from xcapd.claims where xcapd.address_of(claims.uri) = address) ' +
      'and not exists (select from xcapd.documents where xcapd.address_of(documents.xui) = address) ' +
      'and not exists (select from xcapd.identities where xcapd.address_of(identities.identity) = address)',
    values: [uris],
  });
  return new Set(rows.map(({ uri }) => uri));
}

/** Revision and elements are of one moment. Where the caller knows the revision, the elements do not travel. */
export async function readListedElements(
  query: Query,
  auid: string,
  known: ListedElements = noElements,
): Promise<ListedElements> {
  const [row] = await query<{ revision: string; elements: string[] | null }>({
    name: 'xcapd-listed-elements',
    text:
      // JSON is parsed much faster than an array of PostgreSQL.
      "select revision, case when bytes <= $3 then (select coalesce(json_agg(element order by uri), '[]') " +
      'from xcapd.claims where claims.auid = $1 and element is not null) end as elements from xcapd.listed_claims_revisions, lateral (' +
      'select case when revision <> $2 then (select coalesce(sum(octet_length(element)), 0) ' +
      'from xcapd.claims where claims.auid = $1 and element is not null) end as bytes) as listed where auid = $1',
    values: [auid, known.revision, maximalListedBytes],
  });
  if (row === undefined) return noElements;
  return row.revision === known.revision
    ? known
    : { revision: row.revision, elements: row.elements ?? undefined };
}
