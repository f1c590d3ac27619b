/** A worker process: answers requests until its supervisor says stop. Holds nothing that the database does not have. */
import cluster from 'node:cluster';
import type { App } from '../app.js';
import { readConfig } from '../config/config.js';
import { openLogOutput } from './log-output.js';
import { isToWorker, type ToSupervisor } from './messages.js';
import { haveOwnSockets, listenFault } from './sockets.js';
import type { DatabaseAddress } from '../storage/database.js';
import { SecretsKeyError } from '../subscribers/secret-box.js';

/** A request that hangs must not keep the process alive for ever. */
const shutdownMilliseconds = 10_000;

async function run(): Promise<void> {
  // A terminal sends these to the whole group: the supervisor decides.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  // Loaded here, so that a native module that does not fit this Node.js is a reason that the supervisor hears.
  const { createApp } = await import('../app.js');
  const database = JSON.parse(process.env.XCAPD_DATABASE ?? '{}') as DatabaseAddress;
  const config = readConfig(process.env);
  const app = await createApp({
    config,
    database,
    areUsagesChecked: process.env.XCAPD_USAGES_CHECKED === 'true',
    tellsUnserved: process.env.XCAPD_TELLS_UNSERVED === 'true',
    clusterMetrics,
    loginColleagues: {
      processes: config.workers,
      tell: (login) => send({ type: 'xcapd:login', login }),
      onTold: (listener) =>
        process.on('message', (message: unknown) => {
          if (isToWorker(message) && message.type === 'xcapd:login') listener(message.login);
        }),
    },
    logOutput: openLogOutput(config),
  });
  const log = app.listeners.xcap.log;

  let isStopping = false;
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), shutdownMilliseconds).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'the shutdown failed');
        process.exit(1);
      },
    );
  };
  const reload = async (what: string, readAgain: () => void | Promise<void>) => {
    try {
      await readAgain();
      log.info(`${what} was read again`);
    } catch (error) {
      log.error({ reason: messageOf(error) }, `${what} could not be read; the old one stays`);
    }
  };
  process.on('message', (message: unknown) => {
    if (!isToWorker(message)) return;
    if (message.type === 'xcapd:reload') {
      void reload('the certificate', () => app.listeners.reloadTls());
      if (config.adminTls !== undefined) {
        void reload('the certificate of the management listener', () => app.listeners.reloadManagementTls());
      }
      void reload('the set of administrators’ tokens', () => app.listeners.reloadTokens());
      void reload('the set of profiles', () => app.reloadProfiles());
    }
    if (message.type === 'xcapd:figures') sendFigures(app, message.id);
    if (message.type === 'xcapd:metrics') metricsArrived(message.id, message.text);
  });
  await app.listeners.listen({ reusePort: haveOwnSockets(config) });
  // Before that there is no request that could be finished, and the process just ends: Node.js crashes where a server is closed
  // while it waits for its supervisor's socket.
  process.on('SIGTERM', stop);
  send({
    type: 'xcapd:ready',
    usages: [...app.usages.keys()],
    address: addressOf(app.listeners.xcap.server.address()),
    managementAddress: addressOf(app.listeners.management.server.address()),
  });
}

const waitingForMetrics = new Map<number, (text: string | undefined) => void>();
let lastMetricsId = 0;

/** The supervisor gathers the metrics of all workers. */
function clusterMetrics(): Promise<string> {
  const id = ++lastMetricsId;
  return new Promise((resolve, reject) => {
    waitingForMetrics.set(id, (text) => {
      if (text === undefined) reject(new Error('the metrics of the workers could not be gathered'));
      else resolve(text);
    });
    send({ type: 'xcapd:metrics', id });
  });
}

function sendFigures({ metrics, listeners }: App, id: number): void {
  metrics.registry.getMetricsAsJSON().then(
    (figures) => send({ type: 'xcapd:figures', id, figures }),
    (error: unknown) => listeners.xcap.log.error({ err: error }, 'the metrics of this process failed'),
  );
}

function metricsArrived(id: number, text: string | undefined): void {
  waitingForMetrics.get(id)?.(text);
  waitingForMetrics.delete(id);
}

/** Where the supervisor is dead nobody hears it; node:cluster then ends this process. */
function send(message: ToSupervisor, sent: () => void = () => undefined): void {
  process.send?.(message, sent);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? listenFault(error) : String(error);
}

function addressOf(address: ReturnType<import('node:net').Server['address']>): string {
  if (address === null || typeof address === 'string') return address ?? '';
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${host}:${String(address.port)}`;
}

if (cluster.isWorker) {
  run().catch((error: unknown) => {
    const isLasting = error instanceof SecretsKeyError;
    send({ type: 'xcapd:failed', message: messageOf(error), isLasting }, () => process.exit(1));
  });
}
