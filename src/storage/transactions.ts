/** Statements of the management API: one by one, or several that take effect together. */
import type pg from 'pg';
import type { Query } from './database.js';
import { orUnavailable, statementsOn } from './database.js';

export interface Transactions {
  readonly query: Query;
  /** What the action throws undoes all of it. */
  readonly inTransaction: <T>(action: (query: Query) => Promise<T>) => Promise<T>;
}

/** @returns statements that throw StoreUnavailable where the database is away. */
export function openTransactions(pool: pg.Pool): Transactions {
  return {
    query: queryOn(pool),
    async inTransaction(action) {
      const client = await orUnavailable(pool.connect());
      // Where the connection is lost between two statements, nothing else would hear of it; the next statement fails.
      const ignore = () => undefined;
      client.on('error', ignore);
      const query = queryOn(client);
      let isBroken = true;
      try {
        await query({ text: 'begin' });
        const result = await action(query);
        await query({ text: 'commit' });
        isBroken = false;
        return result;
      } catch (error) {
        isBroken = !(await isUndone(query));
        throw error;
      } finally {
        client.off('error', ignore);
        client.release(isBroken);
      }
    },
  };
}

/** @returns statements that throw StoreUnavailable where the database is away. */
export function queryOn(connection: pg.Pool | pg.PoolClient): Query {
  const query = statementsOn(connection);
  return <Row extends pg.QueryResultRow>(statement: pg.QueryConfig) => orUnavailable(query<Row>(statement));
}

async function isUndone(query: Query): Promise<boolean> {
  try {
    await query({ text: 'rollback' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Identities and claimed URIs are one name space: who changes either takes turns until the end of the transaction, as in
 * `xcapd.write`. To be taken before anything else, so that nobody waits crosswise.
 */
export async function lockNames(query: Query): Promise<void> {
  await query({ text: "select pg_advisory_xact_lock(hashtextextended('xcapd.claims', 0))" });
}

/** Nobody writes below these homes until the end of the transaction. To be taken right after `lockNames`. */
export async function lockHomes(query: Query, homes: readonly string[]): Promise<void> {
  await query({
    text:
      'select pg_advisory_xact_lock(home) from (select distinct xcapd.home_lock(name) as home ' +
      'from unnest($1::text[]) as names (name) order by home) as ordered',
    values: [homes],
  });
}

/** Rows of one statement of a listing. */
const rowsAtOnce = 1000;

/**
 * All rows of a listing, by statements that bring a bounded number each, so that none of them takes long.
 *
 * @param page the rows behind one, or the first ones; at most `limit`
 */
export async function inPages<Row>(
  page: (after: Row | undefined, limit: number) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const all: Row[] = [];
  for (;;) {
    const rows = await page(all.at(-1), rowsAtOnce);
    all.push(...rows);
    if (rows.length < rowsAtOnce) return all;
  }
}

/** Rows that were asked for with one more than the limit, as a page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  keyOf: (row: Row) => string,
): { items: Item[]; next: string | undefined } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(item),
    next: rows.length > limit && last !== undefined ? keyOf(last) : undefined,
  };
}
