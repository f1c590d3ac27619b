/** Somebody else, in a thread of their own: asks for a small document without a pause, and tells how long they waited. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export interface Waits {
  readonly requests: number;
  readonly longestMilliseconds: number;
}

export interface Watcher {
  /** What was waited since the last time. */
  waits(): Promise<Waits>;
  stop(): Promise<unknown>;
}

interface Target {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const pauseMilliseconds = 2;

export function startWatcher(target: Target): Watcher {
  const worker = new Worker(new URL(import.meta.url), { workerData: target });
  return {
    waits: () =>
      new Promise((resolve) => {
        worker.once('message', (waits: Waits) => resolve(waits));
        worker.postMessage('tell');
      }),
    stop: () => worker.terminate(),
  };
}

async function watch({ port, path, headers }: Target): Promise<never> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let requests = 0;
  let longest = 0;
  let since = performance.now();
  parentPort?.on('message', () => {
    // Who still waits has waited for that long already.
    longest = Math.max(longest, performance.now() - since);
    parentPort?.postMessage({ requests, longestMilliseconds: longest } satisfies Waits);
    requests = 0;
    longest = 0;
  });
  for (;;) {
    since = performance.now();
    const status = await get({ agent, port, path, headers });
    if (status !== 200) throw new Error(`the watcher got ${status}`);
    requests++;
    longest = Math.max(longest, performance.now() - since);
    await sleep(pauseMilliseconds);
  }
}

function get(options: http.RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', ...options }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      })
      .on('error', reject);
  });
}

if (!isMainThread) void watch(workerData as Target);
