/** What there is to back up: asked of the database, so that no migration can be forgotten here. */
import type pg from 'pg';
import type { SequencePosition } from './backup-format.js';

export interface Table {
  readonly name: string;
  /** Those that have values of their own. */
  readonly columns: readonly string[];
  /** The primary key. */
  readonly key: readonly string[];
  /** Lost in a crash of PostgreSQL as well: such rows are worth nothing later. */
  readonly isUnlogged: boolean;
}

interface TableRow extends Table {
  /** The tables to which its foreign keys lead. */
  readonly needs: readonly string[];
}

/** Made by the migrations, with what is in them. */
const tablesOfMigrations = ['schema_version', 'compatible_programs'];

/** All tables with data; those that others need come before them. */
export async function tablesIn(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<TableRow>({
    text:
      'select t.relname::text as name, ' +
      'array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = t.oid and a.attnum > 0 ' +
      "and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns, " +
      'array(select a.attname::text from pg_catalog.pg_index i cross join unnest(i.indkey) with ordinality k (n, place) ' +
      'join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.n ' +
      'where i.indrelid = t.oid and i.indisprimary order by k.place) as key, ' +
      'array(select r.relname::text from pg_catalog.pg_constraint f join pg_catalog.pg_class r on r.oid = f.confrelid ' +
      "where f.conrelid = t.oid and f.contype = 'f' and f.confrelid <> t.oid) as needs, " +
      't.relpersistence = \'u\' as "isUnlogged" ' +
      'from pg_catalog.pg_class t join pg_catalog.pg_namespace n on n.oid = t.relnamespace ' +
      "where n.nspname = 'xcapd' and t.relkind = 'r' and t.relname <> all ($1) order by t.relname",
    values: [tablesOfMigrations],
  });
  return inOrderOfNeed(rows);
}

function inOrderOfNeed(tables: readonly TableRow[]): Table[] {
  const ordered: TableRow[] = [];
  let left = [...tables];
  while (left.length > 0) {
    const next = left.filter(({ needs }) => !left.some(({ name }) => needs.includes(name)));
    if (next.length === 0) throw new Error('Tables of the database need each other in a circle.');
    ordered.push(...next);
    left = left.filter((table) => !next.includes(table));
  }
  return ordered;
}

/** The sequences, with the number that comes next of each. */
export async function sequencesIn(client: pg.Client): Promise<SequencePosition[]> {
  const { rows: sequences } = await client.query<{ name: string }>(
    "select sequencename::text as name from pg_catalog.pg_sequences where schemaname = 'xcapd' order by 1",
  );
  const positions: SequencePosition[] = [];
  for (const { name } of sequences) {
    // The catalog's view does not say where one goes on that was set anew.
    const { rows } = await client.query<{ next: string }>(
      `select (last_value + case when is_called then 1 else 0 end)::text as next from xcapd.${name}`,
    );
    positions.push({ name, next: rows[0]?.next ?? '1' });
  }
  return positions;
}

/** Undefined where the database has no schema of ours. */
export async function schemaVersionOf(client: pg.Client): Promise<number | undefined> {
  const { rows: found } = await client.query<{ is_there: boolean }>(
    "select to_regclass('xcapd.schema_version') is not null as is_there",
  );
  if (found[0]?.is_there !== true) return undefined;
  const { rows } = await client.query<{ version: number | null }>(
    'select max(version)::integer as version from xcapd.schema_version',
  );
  return rows[0]?.version ?? undefined;
}
