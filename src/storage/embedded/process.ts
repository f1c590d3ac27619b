/** The process of the embedded PostgreSQL: its launch, the guard that ends it with its server, readiness and its end. */
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
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { childEnvironment, type Account } from './binaries.js';
import { errorCode, socketFiles, stopOrphan, type Log } from './owner-lock.js';

/** How clients find PostgreSQL. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** What a launch needs to know. */
export interface Server {
  readonly account: Account;
  readonly binaries: string;
  readonly cluster: string;
  readonly connection: Connection;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** A launched PostgreSQL. */
export interface Running {
  readonly postgres: ChildProcess;
  readonly guard: ChildProcess;
  /** Fulfilled with how it ended. */
  readonly ended: Promise<string>;
  /** Where its part of the log begins. */
  readonly logOffset: number;
}

const readyWithin = 60_000;
const logLimit = 8 * 1024 * 1024;
const defaultSettings = { max_connections: '100', shared_buffers: '128MB', log_checkpoints: 'off' };

/** Starts PostgreSQL and waits until it accepts connections; otherwise nothing of it remains. */
export async function launch(server: Server, signal?: AbortSignal): Promise<Running> {
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
    // Also for a signal that cannot be sent, after its start.
    postgres.on('error', (error) => fulfil(error.message));
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

/** The guard is not needed any more. */
export function dismiss(guard: ChildProcess): void {
  guard.stdin?.end('done\n');
}

/** What PostgreSQL is sent until it ends, and the milliseconds after which the next one is. */
export const endingSignals = [
  ['SIGINT', 30_000],
  ['SIGQUIT', 10_000],
  ['SIGKILL', 10_000],
] as const;

/** Fast shutdown: clients are cut off, everything committed is kept. */
export async function terminate({ postgres, guard, ended }: Running): Promise<void> {
  postgres.ref();
  for (const [signal, patience] of endingSignals) {
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

/** PostgreSQL's own log. */
export function logFile(cluster: string): string {
  return join(cluster, 'postgres.log');
}

/**
 * Opens PostgreSQL's log for appending, emptied when it has grown too large. It is a file because PostgreSQL must be
 * able to write when this process is dead. The directory is the account's: no link in it is followed.
 */
export function openLog(cluster: string, account: Account): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const log = openSync(logFile(cluster), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  const { uid, gid } = account.identity;
  if (uid !== undefined && gid !== undefined) fchownSync(log, uid, gid);
  if (fstatSync(log).size > logLimit) ftruncateSync(log);
  return log;
}

function tailOfLog(cluster: string, offset: number): string {
  const lines = readFileSync(logFile(cluster)).subarray(offset).toString('utf8').trimEnd().split('\n');
  return lines.slice(-20).join('\n');
}
