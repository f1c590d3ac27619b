/**
 * A real PostgreSQL below the data directory, for servers without `DATABASE_URL`: made on the first start, restarted
 * when it dies, stopped with the server, reachable by a Unix socket only.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import {
  lstat,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  accountForPostgres,
  canWrite,
  childEnvironment,
  giveTo,
  locateBinaries,
  majorVersion,
  makeDirectory,
  makeReachable,
  randomId,
  reachableBinaries,
  requireNamedAccount,
  requireUsable,
  runAs,
  unusable,
  type Account,
} from './embedded-binaries.js';
import {
  acquireOwnerLock,
  errorCode,
  removeSocketDirectory,
  socketFiles,
  stopOrphan,
  type Log,
  type OwnerLock,
} from './owner-lock.js';

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

/** How clients find PostgreSQL. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

interface Server {
  readonly account: Account;
  readonly binaries: string;
  readonly cluster: string;
  readonly connection: Connection;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
}

interface Running {
  readonly postgres: ChildProcess;
  readonly guard: ChildProcess;
  /** Fulfilled with how it ended. */
  readonly ended: Promise<string>;
  /** Where its part of the log begins. */
  readonly logOffset: number;
}

const database = 'xcapd';
const readyWithin = 60_000;
const logName = 'postgres.log';
const logLimit = 8 * 1024 * 1024;
const defaultSettings = { max_connections: '100', shared_buffers: '128MB', log_checkpoints: 'off' };

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
    const connection = { host, port: 5432, user: 'postgres', database };
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

// ---- The cluster ----

interface Place {
  readonly account: Account;
  readonly binaries: string;
  readonly data: string;
  readonly base: string;
  readonly log: Log;
}

/** Gives the real path of the cluster, which is made if there is none. */
async function openCluster(place: Place, unsafe: boolean): Promise<string> {
  const { account, data, base, log } = place;
  const link = join(data, 'postgres');
  await discardDrafts(place);
  await rmdir(link).catch(() => undefined); // An empty directory, which somebody made for us.
  const found = await lstat(link).catch(() => undefined);
  if (found === undefined) await createCluster(place, link, unsafe);
  const cluster = await realpath(link).catch(async () => {
    const target = await readlink(link);
    throw new Error(
      `${link} leads to ${target}, which is gone: bring the data back, or remove the link to start anew.`,
    );
  });
  if (dirname(cluster) === (await realpath(join(base, 'clusters')).catch(() => undefined))) {
    const reason = `its account ${account.name} cannot reach ${data}`;
    log('info', `PostgreSQL's data lies in ${cluster}, for ${reason}.`);
  }
  return cluster;
}

/** What a server left that was killed while it made a cluster. */
async function discardDrafts({ data, base }: Place): Promise<void> {
  for (const name of await readdir(data)) {
    if (!name.startsWith('postgres.new-')) continue;
    const draft = join(data, name);
    const target = await readlink(draft).catch(() => draft);
    const ours = target === draft || dirname(target) === join(base, 'clusters');
    // Its initdb may still be at work.
    if (ours) await rm(target, { recursive: true, force: true, maxRetries: 10 });
    await rm(draft, { force: true });
  }
}

/** The cluster appears under its name when it is complete. */
async function createCluster(place: Place, link: string, unsafe: boolean): Promise<void> {
  const { account, binaries, data, base, log } = place;
  if (account.identity.uid === undefined) requireNamedAccount();
  const draft = join(data, `postgres.new-${randomId()}`);
  await makeReachable(draft, account, base);
  const directory = await realpath(draft);
  log('info', `Making a PostgreSQL cluster in ${data}.`);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = ['--username=postgres', '--auth-local=trust', '--auth-host=reject'];
  const flags = ['-D', directory, ...locale, ...access, ...(unsafe ? ['--no-sync'] : [])];
  const initdb = await runAs(account, join(binaries, 'bin', 'initdb'), flags);
  if (!initdb.ok) throw unusable(`initdb failed: ${initdb.output}.`);
  const postgres = join(binaries, 'bin', 'postgres');
  const sql = `create database ${database};\n`;
  const single = await runAs(account, postgres, ['--single', '-D', directory, 'postgres'], sql);
  if (!single.ok || /ERROR|FATAL|PANIC/.test(single.output)) {
    throw unusable(`the database ${database} could not be made: ${single.output}.`);
  }
  await rename(draft, link);
  const parent = await open(data);
  await parent.sync().finally(() => parent.close());
}

/** Refuses what PostgreSQL would refuse with less plain words. */
async function checkCluster({ account, binaries }: Place, cluster: string): Promise<void> {
  const made = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (made === '')
    throw new Error(`${cluster} is no PostgreSQL cluster: move it away, and a new one will be made.`);
  const ours = await majorVersion(binaries, account);
  if (made !== ours) {
    throw new Error(
      `${cluster} was made by PostgreSQL ${made}, but this is PostgreSQL ${ours}, which cannot read it. ` +
        `Dump it with PostgreSQL ${made} and restore the dump, or set DATABASE_URL to a PostgreSQL ${made}.`,
    );
  }
  const owner = (await stat(cluster)).uid;
  const { uid, gid } = account.identity;
  if (uid !== undefined && gid !== undefined && owner !== uid) {
    await runAs({ name: 'root', identity: {} }, 'chown', ['-R', '-h', `${uid}:${gid}`, cluster]);
  }
  if (!(await canWrite(account, cluster))) {
    throw unusable(
      `its account ${account.name} cannot reach ${cluster}, which belongs to uid ${owner}. ` +
        'Let it search the directories above (chmod o+x), or start xcapd as the owner.',
    );
  }
}

/** The path of a Unix socket has at most 107 bytes (103 on macOS), so that it cannot lie in the data directory. */
async function makeSocketDirectory(account: Account): Promise<string> {
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    if (Buffer.byteLength(parent) > 70) continue;
    const directory = await mkdtemp(join(parent, 'xcapd-')).catch(() => undefined);
    if (directory === undefined) continue;
    await giveTo(account, directory);
    if (await canWrite(account, directory)) return directory;
    removeSocketDirectory(directory);
  }
  throw unusable(`there is no place for its socket: let ${account.name} write into /tmp.`);
}

// ---- The process ----

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
      log(
        'error',
        `PostgreSQL ended unexpectedly (${how}), see ${join(server.cluster, logName)}. Restarting it.`,
      );
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

/** Starts PostgreSQL and waits until it accepts connections; otherwise nothing of it remains. */
async function launch(server: Server, signal?: AbortSignal): Promise<Running> {
  const { connection, cluster, log } = server;
  await stopOrphan(cluster, connection.host, log);
  // Not to be refused on account of a pid that another program has by now.
  for (const name of socketFiles) rmSync(join(connection.host, name), { force: true });
  const running = spawnPostgres(server);
  try {
    await untilReady(server, running, signal);
    unref(running);
    return running;
  } catch (error) {
    await terminate(running);
    throw error;
  }
}

/** Ends the PostgreSQL `$1` when standard input ends without a word, and removes its socket directory `$2`. */
const guardScript = `
trap '' INT TERM HUP
read -r word && exit
kill -INT "$1"
n=0
while kill -0 "$1" && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
rmdir "$2"
`;

/**
 * Starts PostgreSQL, and a shell that stops it when this process dies, however that happens. Both lead sessions of
 * their own, so that no Ctrl-C and no hang-up of a terminal reaches them. Only the shell holds a pipe from here.
 */
function spawnPostgres({ account, binaries, cluster, connection, settings }: Server): Running {
  const fixed = {
    listen_addresses: '',
    port: String(connection.port),
    unix_socket_directories: `"${connection.host}"`,
    unix_socket_permissions: '0700',
    log_destination: 'stderr',
    logging_collector: 'off',
  };
  const flags = Object.entries({ ...defaultSettings, ...settings, ...fixed }).map(
    ([name, value]) => `-c${name}=${value}`,
  );
  const common = { ...account.identity, cwd: '/', env: childEnvironment, detached: true };
  const output = openLog(cluster, account);
  const logOffset = fstatSync(output).size;
  const postgres = spawn(join(binaries, 'bin', 'postgres'), ['-D', cluster, ...flags], {
    ...common,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const ended = new Promise<string>((fulfil) => {
    postgres.once('error', (error) => fulfil(error.message));
    postgres.once('exit', (code, signal) => fulfil(signal ?? `exit code ${code}`));
  });
  const guard = spawn('/bin/sh', ['-c', guardScript, 'sh', String(postgres.pid ?? ''), connection.host], {
    ...common,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  return { postgres, guard, ended, logOffset };
}

function unref({ postgres, guard }: Running): void {
  postgres.unref();
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
}

function dismiss(guard: ChildProcess): void {
  guard.stdin?.end('done\n');
}

/** Fast shutdown: clients are cut off, everything committed is kept. */
async function terminate({ postgres, guard, ended }: Running): Promise<void> {
  postgres.ref();
  for (const [signal, patience] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 10_000],
  ] as const) {
    postgres.kill(signal);
    const timer = new AbortController();
    const timeout = sleep(patience, undefined, { signal: timer.signal }).catch(() => undefined);
    const how = await Promise.race([ended, timeout]);
    timer.abort();
    if (how !== undefined) break;
  }
  dismiss(guard);
}

async function untilReady(server: Server, running: Running, signal?: AbortSignal): Promise<void> {
  const { cluster, connection } = server;
  const deadline = Date.now() + readyWithin;
  let end: string | undefined;
  void running.ended.then((how) => (end = how));
  for (;;) {
    const refusal = await tryToConnect(connection);
    if (refusal === undefined) return;
    signal?.throwIfAborted();
    const timeout = Date.now() > deadline ? `not ready after ${readyWithin / 1000} s, ${refusal}` : undefined;
    const failure = end ?? timeout;
    if (failure !== undefined)
      throw new Error(`PostgreSQL does not start (${failure}).\n${tailOfLog(cluster, running.logOffset)}`);
    await sleep(20);
  }
}

/** Gives why PostgreSQL accepts no connection, or `undefined` when it does. */
async function tryToConnect(connection: Connection): Promise<string | undefined> {
  const client = new pg.Client({ ...connection, ssl: false, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    // All connections taken: its clients were quicker.
    return errorCode(error) === '53300' ? undefined : String(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Opens PostgreSQL's log for appending, emptied when it has grown too large. It is a file because PostgreSQL must be
 * able to write when this process is dead. The directory is the account's: no link in it is followed.
 */
function openLog(cluster: string, account: Account): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const log = openSync(join(cluster, logName), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  const { uid, gid } = account.identity;
  if (uid !== undefined && gid !== undefined) fchownSync(log, uid, gid);
  if (fstatSync(log).size > logLimit) ftruncateSync(log);
  return log;
}

function tailOfLog(cluster: string, offset: number): string {
  const lines = readFileSync(join(cluster, logName)).subarray(offset).toString('utf8').trimEnd().split('\n');
  return lines.slice(-20).join('\n');
}
