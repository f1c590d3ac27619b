/**
 * `xcapd serve`: owns the embedded PostgreSQL, applies migrations, and keeps worker processes running that share the
 * listening sockets. It never parses a request.
 */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino, type Logger } from 'pino';
import type { Config } from '../config/config.js';
import { isLogForPeople, openLogOutput, type LogOutput } from './log-output.js';
import { isToSupervisor, type Ready, type ToSupervisor, type ToWorker } from './messages.js';
import { checkFree, haveOwnSockets } from './sockets.js';
import { metricsGatherer } from './figures.js';
import { migrationsFolder } from '../package-files.js';
import { connectionsOfWorker, describeAddress, type DatabaseAddress } from '../storage/database.js';
import { startEmbeddedPostgres } from '../storage/embedded/postgres.js';
import { migrate } from '../storage/migrations.js';
import { beginUpkeep } from '../storage/secrets/upkeep.js';

type Log = Logger;

/** A worker that dies sooner than this after its start is started again with a growing delay. */
const earlyDeathMilliseconds = 5000;
const longestRestartDelayMilliseconds = 800;
/** Where so many workers died and none ever served, the next one will not serve either. */
const deathsBeforeGivingUp = 5;
/** How long the workers have to stop; the embedded PostgreSQL has its own time after that. */
export const stopPatienceMilliseconds = 15_000;
/** How long a database that is away at the start is waited for. */
const databaseWaitMilliseconds = 60_000;
const databaseRetryMilliseconds = 1000;

/** Runs the server until a signal stops it. Rejects where it cannot start. */
export async function serve(config: Config): Promise<void> {
  const output = openLogOutput(config);
  const log = pino({ level: config.logLevel }, output);
  if (config.ignoredVariables.length > 0) {
    log.info(
      { variables: config.ignoredVariables },
      'variables that Kubernetes sets for a service were ignored',
    );
  }
  const stopRequested = nextStopSignal();
  // It would end a server that has only begun to start. What there is to read again, its workers read when they start.
  process.on('SIGHUP', () => undefined);
  const database = await openDatabase(config, log);
  try {
    const applied = await migrateWhenReachable(database.address, log, stopRequested);
    if (applied === undefined) return;
    if (applied.length > 0) log.info({ migrations: applied }, 'the database schema was brought up to date');
    if (haveOwnSockets(config)) await checkFree(config);
    const secrets = await beginUpkeep({ database: database.address, keys: config.passwords, log });
    const workers = superviseWorkers(config, database.address, log);
    process.on('SIGHUP', () => {
      workers.tell({ type: 'xcapd:reload' });
    });
    try {
      const ready = await Promise.race([workers.ready, stopRequested]);
      if (typeof ready !== 'string') announce(output, config, ready);
      const signal = await Promise.race([stopRequested, workers.failed]);
      log.info({ signal }, 'stopping: requests in flight are finished');
    } finally {
      await Promise.all([workers.stop(), secrets.stop()]);
    }
  } finally {
    await database.stop();
  }
  log.info('stopped');
}

function nextStopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}

/** For migrations, operators, and what a worker that was killed leaves for a moment. */
const otherConnections = 83;

async function openDatabase(
  config: Config,
  log: Log,
): Promise<{ address: DatabaseAddress; stop: () => Promise<void> }> {
  if (config.databaseUrl !== undefined) {
    return { address: { url: config.databaseUrl }, stop: () => Promise.resolve() };
  }
  const embedded = await startEmbeddedPostgres({
    dataDirectory: config.dataDirectory,
    log: (level, message) => log[level](message),
    settings: { max_connections: String(config.workers * connectionsOfWorker + otherConnections) },
  });
  return { address: embedded.connection, stop: () => embedded.stop() };
}

/**
 * A database that is started at the same time as the server may need a moment.
 *
 * @returns the names of the applied migrations, or undefined where a signal ended the wait.
 */
async function migrateWhenReachable(
  address: DatabaseAddress,
  log: Log,
  stopRequested: Promise<string>,
): Promise<string[] | undefined> {
  const deadline = Date.now() + databaseWaitMilliseconds;
  for (;;) {
    try {
      return await migrate(address, migrationsFolder, (sentence) => log.warn(sentence));
    } catch (error) {
      if (!isUnreachable(error) || Date.now() > deadline) throw error;
      log.warn({ database: describeAddress(address), reason: messageOf(error) }, 'waiting for the database');
      const signal = await Promise.race([stopRequested, sleep(databaseRetryMilliseconds, undefined)]);
      if (signal !== undefined) return undefined;
    }
  }
}

/** No connection, or a server that starts up or shuts down (57P01, 57P03). */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return unreachableCodes.includes(code) || /^(timeout expired|Connection terminated)/.test(error.message);
}

const unreachableCodes = [
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT'],
  ...['ENOTFOUND', 'EAI_AGAIN', '57P01', '57P03'],
];

interface Workers {
  /** All workers of the start listen. Rejects where one of them cannot start at all. */
  readonly ready: Promise<Ready>;
  /** Rejects where, later, a worker cannot start and no other one could. */
  readonly failed: Promise<never>;
  tell(message: ToWorker): void;
  stop(): Promise<void>;
}

function superviseWorkers(config: Config, database: DatabaseAddress, log: Log): Workers {
  const metrics = metricsGatherer(tell);
  let isStopping = false;
  let restartDelay = 0;
  /** Those that hear messages; the others have only begun to start. */
  const listening = new Set<Worker>();
  const tellWhenListening = new Map<Worker, ToWorker>();
  let wasReady = false;
  let deathsBeforeReady = 0;
  let becomeReady: (ready: Ready) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const ready = new Promise<Ready>((resolve, reject) => {
    becomeReady = resolve;
    fail = reject;
  });
  let failForGood: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => (failForGood = reject));
  // It may come while nobody waits for it yet.
  failed.catch(() => undefined);
  cluster.setupPrimary({ exec: fileURLToPath(new URL('worker.js', import.meta.url)) });

  const onMessage = (worker: Worker, message: ToSupervisor) => {
    switch (message.type) {
      case 'xcapd:ready': {
        listening.add(worker);
        const missed = tellWhenListening.get(worker);
        if (missed !== undefined) tell(worker, missed);
        tellWhenListening.delete(worker);
        if (listening.size < config.workers || wasReady) return;
        wasReady = true;
        becomeReady(message);
        return;
      }
      case 'xcapd:failed':
        if (message.isLasting) failForGood(new Error(message.message));
        if (wasReady) log.error({ reason: message.message }, 'a worker could not start');
        else fail(new Error(message.message));
        return;
      case 'xcapd:figures':
        metrics.arrived(worker, message.id, message.figures);
        return;
      case 'xcapd:login':
        for (const other of listening) if (other !== worker) tell(other, message);
        return;
      case 'xcapd:metrics':
        metrics.gather([...listening]).then(
          (text) => tell(worker, { type: 'xcapd:metrics', id: message.id, text }),
          (error: unknown) => {
            log.error({ reason: messageOf(error) }, 'the metrics could not be gathered');
            tell(worker, { type: 'xcapd:metrics', id: message.id });
          },
        );
    }
  };

  const start = (tellsUnserved: boolean) => {
    const startedAt = Date.now();
    const worker = cluster.fork({
      XCAPD_DATABASE: JSON.stringify(database),
      // A replacement has the usages that its predecessor has checked, and is wanted soon.
      XCAPD_USAGES_CHECKED: String(wasReady),
      XCAPD_TELLS_UNSERVED: String(tellsUnserved),
    });
    worker.on('message', (message: unknown) => {
      if (isToSupervisor(message)) onMessage(worker, message);
    });
    const replace = (code: number | null, signal: string | null) => {
      listening.delete(worker);
      tellWhenListening.delete(worker);
      metrics.gone(worker);
      if (isStopping) return;
      metrics.died();
      const diedEarly = Date.now() - startedAt < earlyDeathMilliseconds;
      restartDelay = diedEarly ? Math.min(longestRestartDelayMilliseconds, restartDelay * 2 + 25) : 0;
      if (!wasReady && ++deathsBeforeReady >= deathsBeforeGivingUp) {
        const how = worker.process.signalCode ?? `exit code ${String(worker.process.exitCode)}`;
        fail(
          new Error(`The workers die before they can answer requests (${how}); see what they wrote above.`),
        );
        return;
      }
      log.error({ worker: worker.process.pid, code, signal }, 'a worker died and is replaced');
      setTimeout(() => {
        if (!isStopping) start(false);
      }, restartDelay);
    };
    worker.on('exit', replace);
    // The system has no room for another process, which never exits then; or a message came to a worker that has just died.
    worker.on('error', (error) => {
      log.warn({ reason: messageOf(error) }, 'a worker cannot be reached');
      if (worker.process.pid === undefined) replace(null, null);
    });
  };
  for (let i = 0; i < config.workers; i++) start(i === 0);

  return {
    ready,
    failed,
    tell(message) {
      for (const worker of liveWorkers()) {
        if (listening.has(worker)) tell(worker, message);
        else tellWhenListening.set(worker, message);
      }
    },
    async stop() {
      isStopping = true;
      await Promise.all(liveWorkers().map(stopped));
    },
  };
}

/**
 * A signal and no message: a worker that has only begun to start has no ear for messages yet, and dies of it at once. One that
 * is stuck is waited for a little longer than it would wait for its requests.
 */
async function stopped({ process: worker }: Worker): Promise<void> {
  const gone = once(worker, 'exit');
  worker.kill('SIGTERM');
  const timer = setTimeout(() => worker.kill('SIGKILL'), stopPatienceMilliseconds);
  await gone;
  clearTimeout(timer);
}

function liveWorkers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter(
    (worker) => worker?.process.pid !== undefined && !worker.isDead(),
  ) as Worker[];
}

/** A worker that died a moment ago has no channel any more, or one that nobody reads; its exit is handled elsewhere. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}

/** Where, what, and one line to try: for whoever sits at the terminal as they read it, else as a line of the log. */
function announce(output: LogOutput, config: Config, { usages, address, managementAddress }: Ready): void {
  const schemeOf = (tls: Config['tls']) => (tls === undefined ? 'http' : 'https');
  const url = `${schemeOf(config.tls)}://${address}${config.xcapRoots[0] ?? ''}/`;
  const management = `${schemeOf(config.adminTls)}://${managementAddress}/docs`;
  const example = `curl -H 'X-3GPP-Asserted-Identity: "sip:alice@example.com"' ${url}xcap-caps/global/index`;
  if (!isLogForPeople(config)) {
    // Whatever LOG_LEVEL is: a program that waits for it waits for a line that comes.
    pino({ level: 'info' }, output).info({ url, management, usages, example }, 'xcapd listens');
    return;
  }
  output.write(
    [
      '',
      `xcapd listens on ${url}`,
      `  application usages: ${usages.join(', ')}`,
      `  management:         ${management}`,
      `  try:                ${example}`,
      '',
      '',
    ].join('\n'),
  );
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Where a name has several addresses and none answers, the message is empty.
  return error.message !== '' || !('code' in error) ? error.message : String(error.code);
}
