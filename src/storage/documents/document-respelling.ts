/** The one form of URIs in the tables of documents, see `storage/respelling.ts`. */
import { randomBytes } from 'node:crypto';
import type { Query } from '../database.js';
import { isFreeOf, replace, respellings, type KeptSpelling, type Outcome } from '../spellings.js';

/** Documents with their histories, flags and claims, each that finds nothing of its name where it belongs. */
export async function respellHomes(query: Query): Promise<Outcome> {
  const outcome: Outcome = { respelled: [], kept: [] };
  const names =
    'select xui as name from (select xui from xcapd.documents union select xui from xcapd.document_versions) as homes ' +
    'where xui > $1 order by 1 limit $2';
  for (const respelling of await respellings(query, names)) {
    const values = [respelling.spelling, respelling.canonical];
    const [state] = await query<{ home: string; is_subscriber: boolean; is_claimed: boolean }>({
      text:
        'select coalesce((select xui from xcapd.identities where identity = $2), $2) as home, ' +
        'exists (select from xcapd.identities where identity = $1) as is_subscriber, ' +
        'exists (select from xcapd.claims where uri = $2) as is_claimed',
      values,
    });
    // Where the subscriber kept the spelling, so do the documents.
    if (state === undefined || state.is_subscriber) continue;
    const isMoved = !state.is_claimed && (await moveDocuments(query, respelling.spelling, state.home));
    if (isMoved) outcome.respelled.push(respelling);
    else outcome.kept.push({ kind: 'home', ...respelling });
  }
  return outcome;
}

/** @returns whether nothing is left behind */
async function moveDocuments(query: Query, from: string, to: string): Promise<boolean> {
  const placesOf = (home: string) =>
    `(select auid, path from xcapd.documents where xui = ${home} ` +
    `union select auid, path from xcapd.document_versions where xui = ${home})`;
  const places = await query<{ auid: string; path: string; is_free: boolean }>({
    text:
      `select auid, path, (auid, path) not in ${placesOf('$2')} as is_free ` +
      `from ${placesOf('$1')} as places`,
    values: [from, to],
  });
  const free = places.filter(({ is_free }) => is_free);
  for (const table of ['documents', 'document_versions']) {
    await query({
      text:
        `update xcapd.${table} set xui = $2 where xui = $1 ` +
        'and (auid, path) in (select * from unnest($3::text[], $4::text[]))',
      values: [from, to, free.map(({ auid }) => auid), free.map(({ path }) => path)],
    });
  }
  return free.length === places.length;
}

/** A spelling that somebody kept still means them. */
export async function respellAuthors(query: Query, kept: ReadonlySet<string>): Promise<void> {
  const authors = await respellings(
    query,
    'select author as name from (select distinct author from xcapd.document_versions) as authors ' +
      "where author > $1 and author not like 'operator:%' order by 1 limit $2",
  );
  await replace(query, 'document_versions', 'author', authors.filter(isFreeOf(kept)));
}

/** Free are URIs that nobody claims and that are the address of nobody. The documents that list them change. */
export async function respellClaims(query: Query): Promise<KeptSpelling[]> {
  const kept: KeptSpelling[] = [];
  const changed = new Set<string>();
  const names = 'select uri as name from xcapd.claims where uri > $1 order by 1 limit $2';
  for (const respelling of await respellings(query, names)) {
    const rows = await query<{ auid: string }>({
      text:
        'update xcapd.claims set uri = $2 where uri = $1 ' +
        'and not exists (select from xcapd.claims as others where others.uri = $2) ' +
        'and not exists (select from xcapd.documents where documents.xui = $2) ' +
        'and not exists (select from xcapd.identities where identity = $2) returning auid',
      values: [respelling.spelling, respelling.canonical],
    });
    if (rows.length === 0) kept.push({ kind: 'claim', ...respelling });
    for (const { auid } of rows) changed.add(auid);
  }
  await query({
    text: 'update xcapd.listed_claims_revisions set revision = $2 where auid = any($1::text[])',
    values: [[...changed], randomBytes(12).toString('base64url')],
  });
  return kept;
}
