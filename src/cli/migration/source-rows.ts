/** The rows of another server's tables, page by page: a page is all that is in memory. */
import { wrongUsage } from '../command-error.js';
import type { Row, SourceDatabase, Value } from './source-database.js';

/** A subscriber may have some documents of a hundred kilobytes. */
const rowsAtOnce = 100;

export interface SubscriberRow {
  readonly username: string;
  readonly domain: string;
  readonly password: string;
  readonly ha1: string;
  readonly ha1b: string;
  readonly ha1Sha256: string;
  readonly documents: readonly DocumentRow[];
}

export interface DocumentRow {
  readonly username: string;
  readonly domain: string;
  readonly document: Uint8Array;
  readonly documentType: number;
  readonly documentUri: string;
}

const subscriberColumns = ['id', 'username', 'domain'];
const documentColumns = ['id', 'username', 'domain', 'doc', 'doc_type', 'doc_uri'];
const credentialColumns = ['password', 'ha1', 'ha1b', 'ha1_sha256'];

export interface SourceTables {
  /** In the order of their ids, with their documents. */
  subscribers(): AsyncGenerator<readonly SubscriberRow[]>;
  /** The documents of users who are no subscribers. */
  otherDocuments(): AsyncGenerator<readonly DocumentRow[]>;
}

/** @throws CommandError where the database has neither table, or one that is not as it should be. */
export async function sourceTables(database: SourceDatabase): Promise<SourceTables> {
  const subscriber = await columnsOf(database, 'subscriber', subscriberColumns);
  const xcap = await columnsOf(database, 'xcap', documentColumns);
  if (subscriber === undefined && xcap === undefined) {
    throw wrongUsage('The database has neither a table subscriber nor a table xcap.');
  }
  return {
    async *subscribers() {
      if (subscriber === undefined) return;
      const selected = [...subscriberColumns, ...credentialColumns.filter((name) => subscriber.has(name))];
      const sql = `select ${selected.join(', ')} from subscriber where id > $1 order by id limit ${rowsAtOnce}`;
      let before: Value = 0;
      for await (const { rows, last } of pagesById(database, sql)) {
        const documents = xcap === undefined ? [] : await documentsOf(database, before, last);
        before = last;
        yield rows.map((row) => subscriberRow(row, documents));
      }
    },
    async *otherDocuments() {
      if (xcap === undefined) return;
      // Whether two names are one user is decided as that database compares them.
      const isNobodys =
        subscriber === undefined
          ? ''
          : 'and not exists (select 1 from subscriber s where s.username = x.username and s.domain = x.domain) ';
      const sql =
        `select ${documentColumns.map((name) => `x.${name}`).join(', ')} from xcap x ` +
        `where x.id > $1 ${isNobodys}order by x.id limit ${rowsAtOnce}`;
      for await (const { rows } of pagesById(database, sql)) yield rows.map(documentRow);
    },
  };
}

async function columnsOf(
  database: SourceDatabase,
  table: string,
  needed: readonly string[],
): Promise<ReadonlySet<string> | undefined> {
  const columns = await database.columns(table);
  const missing = needed.find((name) => columns?.has(name) === false);
  if (missing === undefined) return columns;
  throw wrongUsage(`The table ${table} of the database has no column ${missing}.`);
}

async function* pagesById(
  database: SourceDatabase,
  sql: string,
): AsyncGenerator<{ readonly rows: readonly Row[]; readonly last: Value }> {
  let last: Value = 0;
  for (;;) {
    const rows: readonly Row[] = await database.query(sql, [last]);
    const next = rows.at(-1)?.id;
    if (next === undefined || next === null) return;
    last = next;
    yield { rows, last };
  }
}

/** The documents of the subscribers with these ids, by subscriber. */
function documentsOf(database: SourceDatabase, after: Value, last: Value): Promise<readonly Row[]> {
  const selected = documentColumns.map((name) => `x.${name}`).join(', ');
  return database.query(
    `select s.id as owner, ${selected} from xcap x ` +
      'join subscriber s on s.username = x.username and s.domain = x.domain ' +
      'where s.id > $1 and s.id <= $2 order by s.id, x.id',
    [after, last],
  );
}

function subscriberRow(row: Row, documents: readonly Row[]): SubscriberRow {
  return {
    username: textOf(row.username),
    domain: textOf(row.domain),
    password: textOf(row.password),
    ha1: textOf(row.ha1),
    ha1b: textOf(row.ha1b),
    ha1Sha256: textOf(row.ha1_sha256),
    documents: documents.filter(({ owner }) => owner === row.id).map(documentRow),
  };
}

function documentRow(row: Row): DocumentRow {
  const { doc } = row;
  return {
    username: textOf(row.username),
    domain: textOf(row.domain),
    document: doc instanceof Uint8Array ? doc : Buffer.from(textOf(doc)),
    documentType: Number(row.doc_type),
    documentUri: textOf(row.doc_uri),
  };
}

/** Columns of some installations are binary. */
function textOf(value: Value | undefined): string {
  if (value === undefined || value === null) return '';
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
}
