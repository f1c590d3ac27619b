/**
 * Loaded into the server before its own programs (`--import`). In a worker SIGUSR2 starts a CPU profile, and the next one ends it and
 * writes it where BENCH_PROFILE says.
 */
import cluster from 'node:cluster';
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { isMainThread } from 'node:worker_threads';

if (cluster.isWorker && isMainThread) process.on('SIGUSR2', () => void toggle());

let running: Session | undefined;

async function toggle(): Promise<void> {
  if (running === undefined) {
    running = new Session();
    running.connect();
    await running.post('Profiler.enable');
    await running.post('Profiler.start');
    return;
  }
  const { profile } = await running.post('Profiler.stop');
  running.disconnect();
  running = undefined;
  const file = process.env.BENCH_PROFILE ?? 'bench.cpuprofile';
  writeFileSync(`${file}.part`, JSON.stringify(profile));
  renameSync(`${file}.part`, file);
}
