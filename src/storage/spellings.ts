/** Names in the database that are not in the one form of URIs (`canonicalXui`). */
import { canonicalXui } from '../xcap/uri/xui.js';
import type { Query } from './database.js';

type Kind = 'subscriber' | 'identity' | 'home' | 'claim' | 'role';

/** A spelling that stays. */
export interface KeptSpelling {
  readonly kind: Kind;
  readonly spelling: string;
  readonly canonical: string;
}

/** A spelling that is not the one form. */
export interface Respelling {
  readonly spelling: string;
  readonly canonical: string;
}

const namesAtOnce = 10_000;

/** Names that are not in the one form, of a statement that gives them sorted, behind `$1`, at most `$2`. */
export async function respellings(query: Query, names: string): Promise<Respelling[]> {
  const found: Respelling[] = [];
  let after = '';
  for (;;) {
    const rows = await query<{ name: string }>({ text: names, values: [after, namesAtOnce] });
    for (const { name } of rows) {
      const canonical = canonicalXui(name);
      if (canonical !== name) found.push({ spelling: name, canonical });
    }
    after = rows.at(-1)?.name ?? '';
    if (rows.length < namesAtOnce) return found;
  }
}

/** What became of names. */
export interface Outcome {
  readonly respelled: Respelling[];
  readonly kept: KeptSpelling[];
}

/** Leaves out the spellings that somebody kept. */
export function isFreeOf(kept: ReadonlySet<string>): (respelling: Respelling) => boolean {
  return ({ spelling }) => !kept.has(spelling);
}

/** Replaces the spellings in a column. */
export async function replace(
  query: Query,
  table: string,
  column: string,
  respellings: readonly Respelling[],
): Promise<void> {
  await query({
    text:
      `update xcapd.${table} set ${column} = changes.canonical ` +
      `from unnest($1::text[], $2::text[]) as changes (spelling, canonical) where ${column} = changes.spelling`,
    values: columnsOf(respellings),
  });
}

/** For `unnest`. */
export function columnsOf(respellings: readonly Respelling[]): [spelling: string[], canonical: string[]] {
  return [respellings.map(({ spelling }) => spelling), respellings.map(({ canonical }) => canonical)];
}
