/** Connections to PostgreSQL. */
import pg from 'pg';

/** Where the database is: the operator's URL, or the socket of the embedded server. */
export type DatabaseAddress =
  | { readonly url: string }
  | { readonly host: string; readonly port: number; readonly user: string; readonly database: string };

/** What a worker needs at most at once. Requests beyond wait, and are refused after `connectionTimeoutMillis`. */
const poolSize = 10;

/** A statement is one row by primary key: whatever takes longer is stuck. Client and server give up at different times,
 * so that a server which answers at all gets to say why. */
const statementTimeoutMilliseconds = 4000;
const queryTimeoutMilliseconds = 5000;
const connectionTimeoutMilliseconds = 2000;

/** A pool that answers fast when the database is away, and finds back by itself. */
export function openPool(address: DatabaseAddress, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(address),
    max: poolSize,
    connectionTimeoutMillis: connectionTimeoutMilliseconds,
    statement_timeout: statementTimeoutMilliseconds,
    query_timeout: queryTimeoutMilliseconds,
    keepAlive: true,
  });
  pool.on('error', onError);
  return pool;
}

/** The connection settings of one client. */
export function clientConfig(address: DatabaseAddress): pg.ClientConfig {
  const where = 'url' in address ? { connectionString: address.url } : address;
  return { ...where, application_name: 'xcapd' };
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
