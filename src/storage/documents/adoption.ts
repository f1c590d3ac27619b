/**
 * Documents that were written below an identity before it belonged to a subscriber: they go below their XUI, where they find
 * them whichever identity they use.
 */
import type { Xui } from '../../xcap/terms.js';
import type { Query } from '../database.js';

/** An identity that becomes one of a subscriber. */
export interface Alias {
  readonly identity: Xui;
  readonly xui: Xui;
}

/** The subscribers who would have two documents, or histories of two, at one place. */
export async function doublyKept(query: Query, aliases: readonly Alias[]): Promise<ReadonlySet<Xui>> {
  const rows = await query<{ xui: Xui }>({
    text:
      'with homes as (select identity as home, xui from unnest($1::text[], $2::text[]) as aliases (identity, xui) ' +
      'union select xui, xui from unnest($2::text[]) as owners (xui)), ' +
      'places as (select homes.xui, homes.home, auid, path from homes join xcapd.documents on documents.xui = home ' +
      'union select homes.xui, homes.home, auid, path from homes join xcapd.document_versions on document_versions.xui = home) ' +
      'select distinct xui from places group by xui, auid, path having count(distinct home) > 1',
    values: valuesOf(aliases),
  });
  return new Set(rows.map(({ xui }) => xui));
}

/**
 * Moves documents, their versions and their claims, under the lock on the homes they leave. Nobody of `doublyKept` may be
 * among the aliases.
 */
export async function adoptDocuments(query: Query, aliases: readonly Alias[]): Promise<void> {
  for (const table of ['documents', 'document_versions']) {
    await query({
      text:
        `update xcapd.${table} as kept set xui = aliases.xui ` +
        'from unnest($1::text[], $2::text[]) as aliases (identity, xui) where kept.xui = aliases.identity',
      values: valuesOf(aliases),
    });
  }
}

function valuesOf(aliases: readonly Alias[]): [string[], string[]] {
  return [aliases.map(({ identity }) => identity), aliases.map(({ xui }) => xui)];
}
