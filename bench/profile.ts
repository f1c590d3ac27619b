/** A CPU profile of one worker of the server, from a moment to another one. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree, type ProcessFigures } from './processes.js';
import type { Server } from './servers.js';

const writingMilliseconds = 30_000;

export interface Profile {
  readonly file: string;
  /** The environment in which the server has to be started. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A profile in the current directory. */
export function newProfile(): Profile {
  const file = resolve(`bench-${Date.now()}.cpuprofile`);
  const profiler = new URL('profiler.js', import.meta.url).href;
  const nodeOptions = `${process.env.NODE_OPTIONS ?? ''} --import=${profiler}`;
  return { file, environment: { BENCH_PROFILE: file, NODE_OPTIONS: nodeOptions } };
}

/**
 * Starts the profile of the first worker.
 *
 * @returns what ends it and waits until its file is there.
 * @throws where the operating system does not tell which processes are workers.
 */
export function startProfile({ file }: Profile, server: Server): () => Promise<void> {
  const [worker] = workersOf(server);
  if (worker === undefined)
    throw new Error('--profile needs /proc, which tells which processes are workers.');
  process.kill(worker.pid, 'SIGUSR2');
  return async () => {
    process.kill(worker.pid, 'SIGUSR2');
    const deadline = Date.now() + writingMilliseconds;
    while (!existsSync(file)) {
      if (Date.now() > deadline) throw new Error(`The worker did not write ${file}.`);
      await sleep(100);
    }
  };
}

export function workersOf({ pid }: Server): ProcessFigures[] {
  return processTree(pid).filter(({ command }) => command.includes('worker.js'));
}
