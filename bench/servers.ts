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
  readonly environment?: Readonly<Record<string, string>>;
}

/** `xcapd serve` as in production, with its log in a file. */
export async function startXcapServer(options: XcapServerOptions): Promise<XcapServer> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const cli = fileURLToPath(new URL('../src/cli.js', import.meta.url));
  const log = openSync(options.logFile, 'a');
  const guard = spawn('/bin/sh', ['-c', guardScript, 'sh', process.execPath, cli, 'serve'], {
    // A session of its own: Ctrl-C reaches the benchmark alone, which then stops everything in order.
    detached: true,
    stdio: ['pipe', log, log],
    env: {
      ...withoutOwnVariables(process.env),
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_HOST: '127.0.0.1',
      ADMIN_PORT: String(adminPort),
      DATABASE_URL: options.databaseUrl,
      XCAP_WORKERS: String(options.workers),
      ...options.environment,
    },
  });
  closeSync(log);
  const stop = async (): Promise<void> => {
    if (guard.exitCode !== null) return;
    guard.stdin?.end();
    await once(guard, 'exit');
  };
  try {
    await untilReady(`http://127.0.0.1:${adminPort}/health/ready`);
  } catch {
    await stop();
    throw new Error(`The server did not start:\n${readFileSync(options.logFile, 'utf8')}`);
  }
  return { port, managementPort: adminPort, pid: pidOf(guard), stop };
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

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + startMilliseconds;
  for (;;) {
    await sleep(100);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok === true) return;
    if (Date.now() > deadline) throw new Error(`${url} does not answer.`);
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
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
