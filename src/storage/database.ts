/** Connections to PostgreSQL. */
import pg from 'pg';
import { StoreUnavailable } from '../xcap/document-store.js';

/** Where the database is: the operator's URL, or the socket of the embedded server. */
export type DatabaseAddress = (
  | { readonly url: string }
  | { readonly host: string; readonly port: number; readonly user: string; readonly database: string }
) & {
  /** By which others know whose connection it is. */
  readonly applicationName?: string;
};

/**
 * Connections of each kind that a worker has at most. What is beyond waits, and is refused after `connectionTimeoutMillis`.
 * Writes wait for the disk. Listings and the management API are slow or large.
 */
export const poolSizes = { writes: 10, listings: 4 } as const;

/** With those for documents, for questions about subscribers, and the one that listens. */
export const connectionsOfWorker = poolSizes.writes + poolSizes.listings + 3;

/**
 * A statement is one row by primary key: whatever takes longer is stuck. Client and server give up at different times,
 * so that a server which answers at all gets to say why.
 */
export const timeouts = {
  connectionTimeoutMillis: 2000,
  statement_timeout: 4000,
  query_timeout: 5000,
  keepAlive: true,
  // Node.js probes each second from then on, and gives a silent peer up after ten.
  keepAliveInitialDelayMillis: 10_000,
} as const;

/** A pool that answers fast when the database is away, and finds back by itself. */
export function openPool(
  address: DatabaseAddress,
  onError: (error: Error) => void,
  max: number = poolSizes.writes,
): pg.Pool {
  const pool = new pg.Pool({ ...clientConfig(address), ...timeouts, max });
  pool.on('error', onError);
  return pool;
}

/** The connection settings of one client. */
export function clientConfig({ applicationName, ...address }: DatabaseAddress): pg.ClientConfig {
  const where = 'url' in address ? { connectionString: address.url } : address;
  return { ...where, application_name: applicationName ?? 'xcapd' };
}

/**
 * A connection of its own for what may take its time.
 *
 * @param applicationName what it is for
 */
export async function onOwnConnection<Result>(
  address: DatabaseAddress,
  applicationName: string,
  action: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    ...clientConfig({ ...address, applicationName }),
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  });
  // A connection that breaks fails the statement, or the next one.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await action(client);
  } finally {
    // Without a commit nothing happened.
    await client.end().catch(() => undefined);
  }
}

/** The address without credentials, for logs. */
export function describeAddress(address: DatabaseAddress): string {
  if (!('url' in address)) return `${address.host} (embedded)`;
  try {
    const { hostname, port, pathname } = new URL(address.url);
    return `${hostname}${port === '' ? '' : `:${port}`}${pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}

/** One statement on some connection; returns its rows. */
export type Query = <Row extends pg.QueryResultRow>(statement: pg.QueryConfig) => Promise<Row[]>;

/** @returns statements that throw what PostgreSQL says. */
export function statementsOn(connection: pg.Pool | pg.ClientBase): Query {
  return async <Row extends pg.QueryResultRow>(statement: pg.QueryConfig) =>
    (await connection.query<Row>(statement)).rows;
}

/** What the action throws undoes all of it. */
export async function inOneTransaction<Result>(
  client: pg.Client,
  action: (query: Query) => Promise<Result>,
): Promise<Result> {
  const query = statementsOn(client);
  await query({ text: 'begin' });
  try {
    const result = await action(query);
    await query({ text: 'commit' });
    return result;
  } catch (error) {
    await query({ text: 'rollback' }).catch(() => undefined);
    throw error;
  }
}

/** @throws StoreUnavailable where the database is away. */
export async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw isOutage(error) ? new StoreUnavailable('the database is away', { cause: error }) : error;
  }
}

/**
 * No connection, time-outs, a server that starts, stops, recovers, refuses connections or is read-only. All that passes by
 * itself, unlike faults of ours and what no statement may have (SQLSTATE classes of bad data, limits, constraints, syntax
 * and schema, internal errors).
 */
function isOutage(error: unknown): boolean {
  return !/^(0A|21|22|23|42|54|P0|XX)/.test(sqlStateOf(error) ?? '');
}

/** Transactions that stood in each other's way (SQLSTATE class 40): one of them was undone, and can be done again. */
export function isUndoneByOthers(error: unknown): boolean {
  return error instanceof StoreUnavailable && sqlStateOf(error.cause)?.startsWith('40') === true;
}

/**
 * The server itself says why the statement failed, and has undone it. Not so where it goes away, has no room or time left, or the
 * connection is lost (SQLSTATE classes 08, 53, 57, 58): then whoever tries again only waits longer.
 */
export function saysNothingWasWritten(error: unknown): boolean {
  const state = sqlStateOf(error instanceof StoreUnavailable ? error.cause : error);
  return state !== undefined && !/^(08|53|57|58)/.test(state);
}

/** Undefined for what no server has said, such as the error codes of sockets. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:[0-9][0-9A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/.test(code) ? code : undefined;
}
