/**
 * A real PostgreSQL below the data directory, for servers without `DATABASE_URL`: made on the first start, restarted
 * when it dies, stopped with the server, reachable by a Unix socket only.
 */
import { closeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  accountForPostgres,
  locateBinaries,
  makeDirectory,
  reachableBinaries,
  requireUsable,
  unusable,
} from './binaries.js';
import { checkCluster, databaseName, makeSocketDirectory, openCluster } from './cluster.js';
import {
  dismiss,
  launch,
  logFile,
  openLog,
  terminate,
  type Connection,
  type Running,
  type Server,
} from './process.js';
import {
  acquireOwnerLock,
  errorCode,
  removeSocketDirectory,
  stopOrphan,
  type Log,
  type OwnerLock,
} from './owner-lock.js';

export type { Connection } from './process.js';

/** What `startEmbeddedPostgres` needs to know. */
export interface EmbeddedPostgresOptions {
  /** The server's data directory; the cluster lies in its subdirectory `postgres`. Made when missing. */
  readonly dataDirectory: string;
  /** Takes human-readable lines: changes of state and recoveries, not PostgreSQL's own log. */
  readonly log: Log;
  /** Further PostgreSQL settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where a server of root puts what PostgreSQL cannot reach in its place. */
  readonly reachableDirectory?: string;
}

/** A running PostgreSQL. It is restarted when it dies; clients must reconnect. */
export interface EmbeddedPostgres {
  /** For node-postgres; `host` is the directory of the socket. */
  readonly connection: Connection;
  /** The same as a URL. */
  readonly url: string;
  /** Stops PostgreSQL, waits for its end and gives up the data directory. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on the cluster in the data directory and waits until it accepts connections.
 *
 * @throws Error with a sentence for the operator
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, settings = {} } = options;
  const account = accountForPostgres();
  const native = locateBinaries();
  const data = resolve(options.dataDirectory);
  const isRoot = account.identity.uid !== undefined;
  const base = resolve(options.reachableDirectory ?? (isRoot ? '/var/lib/xcapd' : data));
  const releases: (() => void)[] = [];
  const lock = (held: OwnerLock): number => releases.push(() => held.release());
  const release = (): void => {
    for (const undo of releases.splice(0).reverse()) undo();
  };
  try {
    await requireUsable(account);
    await makeDirectory(data);
    lock(acquireOwnerLock(join(data, 'xcapd.lock'), `The data directory ${data}`));
    const binaries = await reachableBinaries(native, account, base, log);
    const place = { account, binaries, data, base, log };
    const cluster = await openCluster(place, settings.fsync === 'off');
    // Two data directories may lead to one cluster, when a checkout was copied with its symbolic link.
    lock(acquireOwnerLock(join(cluster, 'xcapd.lock'), `The cluster ${cluster}`));
    const host = await makeSocketDirectory(account);
    releases.push(() => removeSocketDirectory(host));
    await stopOrphan(cluster, host, log);
    await checkCluster(place, cluster);
    const connection = { host, port: 5432, user: 'postgres', database: databaseName };
    const server = { account, binaries, cluster, connection, settings, log };
    const first = await launchPatiently(server);
    return superviseUntilStopped(server, first, release);
  } catch (error) {
    release();
    // An error of the system: a directory that is not writable, a full disk.
    if (errorCode(error) !== undefined) throw unusable(`${String(error)}.`);
    throw error;
  }
}

function superviseUntilStopped(server: Server, first: Running, release: () => void): EmbeddedPostgres {
  const { connection, cluster, account } = server;
  const controller = new AbortController();
  const trimming = setInterval(() => closeSync(openLog(cluster, account)), 3_600_000).unref();
  const supervision = supervise(server, first, controller.signal);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    clearInterval(trimming);
    controller.abort();
    try {
      await supervision;
    } finally {
      release();
    }
  };
  return {
    connection,
    url: `postgres://${connection.user}@/${connection.database}?host=${encodeURIComponent(connection.host)}`,
    stop: () => (stopped ??= stop()),
  };
}

/** Restarts PostgreSQL whenever it ends, until the signal; then stops it. */
async function supervise(server: Server, first: Running, signal: AbortSignal): Promise<void> {
  const { log } = server;
  const aborted = new Promise<string>((fulfil) =>
    signal.addEventListener('abort', () => fulfil(''), { once: true }),
  );
  let running: Running | undefined = first;
  let delay = 100;
  for (;;) {
    if (running !== undefined) {
      const since = Date.now();
      const how = await Promise.race([running.ended, aborted]);
      if (signal.aborted) return terminate(running);
      dismiss(running.guard);
      if (Date.now() - since > 10_000) delay = 100;
      log('error', `PostgreSQL ended unexpectedly (${how}), see ${logFile(server.cluster)}. Restarting it.`);
    }
    await sleep(delay, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    delay = Math.min(delay * 2, 5_000);
    running = await launch(server, signal).catch((error: unknown) => {
      if (!signal.aborted) log('error', `PostgreSQL does not start again: ${String(error)} Trying again.`);
      return undefined;
    });
    if (running !== undefined) log('info', 'PostgreSQL runs again.');
  }
}

/** The first launch; processes of a PostgreSQL that was killed may need some seconds to notice and end. */
async function launchPatiently(server: Server): Promise<Running> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return await launch(server);
    } catch (error) {
      const wait = String(error).includes('shared memory block') && Date.now() < deadline;
      if (!wait) throw error;
      server.log('warn', 'Processes of a PostgreSQL that was killed are still ending. Trying again.');
      await sleep(500);
    }
  }
}
