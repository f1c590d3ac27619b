/** Starts the servers that are measured, as processes of their own that never outlive the benchmark. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface Server {
  readonly port: number;
  /** The process from which all of its processes descend. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** A program that ends with the benchmark, in whatever way that ends. */
export interface GuardedProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

const startMilliseconds = 30_000;

/** Runs `$@` until standard input ends, which it does when the benchmark ends, in whatever way. */
const guardScript = `
trap '' INT TERM HUP
"$@" & child=$!
read -r word
kill -TERM "$child" 2>/dev/null
wait "$child"
`;

/** The server that is measured. */
export interface XcapServer extends Server {
  readonly managementPort: number;
}

export interface XcapServerOptions {
  readonly databaseUrl: string;
  readonly workers: number;
  readonly logFile: string;
  /** Variables of its own. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** `xcapd serve` as in production, with its log in a file. */
export async function startXcapServer(options: XcapServerOptions): Promise<XcapServer> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const cli = fileURLToPath(new URL('../src/cli.js', import.meta.url));
  const guard = spawnGuarded([process.execPath, cli, 'serve'], options.logFile, {
    ...withoutOwnVariables(process.env),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
    HOST: '127.0.0.1',
    PORT: String(port),
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: String(adminPort),
    DATABASE_URL: options.databaseUrl,
    XCAP_WORKERS: String(options.workers),
    ...options.environment,
  });
  try {
    await untilAnswered(`http://127.0.0.1:${adminPort}/health/ready`, ({ ok }) => ok);
  } catch {
    await guard.stop();
    throw new Error(`The server did not start:\n${readFileSync(options.logFile, 'utf8')}`);
  }
  return { ...guard, port, managementPort: adminPort };
}

/** Starts a program with its output in a file. */
export function spawnGuarded(
  command: readonly string[],
  logFile: string,
  environment: NodeJS.ProcessEnv,
): GuardedProcess {
  const log = openSync(logFile, 'a');
  const guard = spawn('/bin/sh', ['-c', guardScript, 'sh', ...command], {
    // A session of its own: Ctrl-C reaches the benchmark alone, which then stops everything in order.
    detached: true,
    stdio: ['pipe', log, log],
    env: environment,
  });
  closeSync(log);
  return {
    pid: pidOf(guard),
    async stop() {
      if (guard.exitCode !== null) return;
      guard.stdin?.end();
      await once(guard, 'exit');
    },
  };
}

/** The Fastify routes of `bare-server.ts`. */
export async function startBareServer(workers: number, material: string): Promise<Server> {
  const port = await freePort();
  const program = fileURLToPath(new URL('bare-server.js', import.meta.url));
  const child = fork(program, [String(port), String(workers), material], { detached: true });
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('The bare server did not start.');
    }),
  ]);
  const stop = async (): Promise<void> => {
    if (!child.connected) return;
    child.disconnect();
    await once(child, 'exit');
  };
  return { port, pid: pidOf(child), stop };
}

/** The server refuses variables that it does not know. */
function withoutOwnVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('XCAP_')));
}

/** @throws where nothing that is good enough has come within 30 seconds. */
export async function untilAnswered(url: string, isReady: (response: Response) => boolean): Promise<void> {
  const deadline = Date.now() + startMilliseconds;
  for (;;) {
    await sleep(100);
    const response = await fetch(url).catch(() => undefined);
    if (response !== undefined && isReady(response)) return;
    if (Date.now() > deadline) throw new Error(`${url} does not answer.`);
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('A process could not be started.');
  return pid;
}
