/** The database of another server, PostgreSQL or MySQL, as far as it has to be known to read it. */
import { CommandError, exitCodes, messageOf, wrongUsage } from '../command-error.js';

export type Value = string | number | boolean | bigint | Date | Uint8Array | null;
export type Row = Readonly<Record<string, Value | undefined>>;

export interface SourceDatabase {
  /** The columns of a table in lower case; undefined where there is no such table. */
  columns(table: string): Promise<ReadonlySet<string> | undefined>;
  /** The values stand in the statement as $1, $2, …, each once and in their order. */
  query(sql: string, values: readonly Value[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

const connectMilliseconds = 10_000;

/** @throws CommandError where the URL is none, or nobody answers there. The URL may hold a password: it is not repeated. */
export async function openSourceDatabase(url: string): Promise<SourceDatabase> {
  if (/^postgres(ql)?:\/\//.test(url)) return reading(await connectPostgres(url));
  if (/^(mysql|mariadb):\/\//.test(url)) return reading(await connectMySql(url));
  throw wrongUsage('The database URL does not begin with postgres:// or mysql://.');
}

/** All failures of a database as they are told to the operator. */
function reading(database: SourceDatabase): SourceDatabase {
  return {
    columns: (table) => failing('cannot be read', () => database.columns(table)),
    query: (sql, values) => failing('cannot be read', () => database.query(sql, values)),
    close: () => database.close(),
  };
}

async function failing<Result>(what: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw new CommandError(exitCodes.unreachable, `The database ${what}: ${messageOf(error)}.`);
  }
}

async function connectPostgres(url: string): Promise<SourceDatabase> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    connectionString: url,
    application_name: 'xcapd import',
    connectionTimeoutMillis: connectMilliseconds,
    keepAlive: true,
  });
  // A connection that breaks between two statements fails the next one.
  client.on('error', () => undefined);
  await failing('cannot be reached', async () => {
    await client.connect();
    // What is read is one state of the database, and nothing can change it.
    await client.query('begin transaction isolation level repeatable read read only');
  });
  return {
    async columns(table) {
      const { rows } = await client.query<{ name: string }>(
        'select lower(column_name) as name from information_schema.columns ' +
          'where table_name = $1 and table_schema = any (current_schemas(false))',
        [table],
      );
      return rows.length === 0 ? undefined : new Set(rows.map(({ name }) => name));
    },
    query: async (sql, values) => (await client.query<Row>(sql, [...values])).rows,
    close: () => client.end(),
  };
}

async function connectMySql(url: string): Promise<SourceDatabase> {
  const { createConnection } = await import('mysql2/promise');
  const connection = await failing('cannot be reached', async () => {
    const connecting = createConnection({
      uri: url.replace(/^mariadb:/, 'mysql:'),
      connectTimeout: connectMilliseconds,
      charset: 'utf8mb4',
    });
    const connected = await connecting;
    // A connection that breaks between two statements fails the next one.
    connected.on('error', () => undefined);
    await connected.query('set transaction isolation level repeatable read');
    await connected.query('start transaction with consistent snapshot, read only');
    return connected;
  });
  const query = async (sql: string, values: readonly Value[]): Promise<readonly Row[]> => {
    const [rows] = await connection.query(sql.replace(/\$\d+/g, '?'), [...values]);
    return rows as Row[];
  };
  return {
    async columns(table) {
      const rows = await query(
        'select lower(column_name) as name from information_schema.columns ' +
          'where table_schema = database() and table_name = $1',
        [table],
      );
      return rows.length === 0 ? undefined : new Set(rows.map(({ name }) => String(name)));
    },
    query,
    close: () => connection.end(),
  };
}
