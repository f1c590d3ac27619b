/** Runs plain statements in several processes at once. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import {
  createRows,
  fillRows,
  type DatabaseAnswer,
  type DatabaseRun,
  type Statement,
} from './database-messages.js';
import type { Material } from './material.js';
import type { Run } from './statistics.js';

export interface DatabaseLoad {
  readonly pids: readonly number[];
  readonly serverVersion: string;
  /** @param loops row numbers of each closed loop; they are dealt out to the processes. */
  run(statement: Statement, loops: readonly (readonly number[])[], seconds: number): Promise<Run>;
  stop(): void;
}

export interface DatabaseLoadOptions {
  readonly url: string;
  readonly processes: number;
  readonly poolSize: number;
  readonly rows: number;
  readonly materialName: string;
  readonly material: Material;
}

/** Makes the rows and starts the processes. */
export async function startDatabaseLoad(options: DatabaseLoadOptions): Promise<DatabaseLoad> {
  const serverVersion = await prepare(options);
  const { url, poolSize, materialName } = options;
  const program = fileURLToPath(new URL('database-client.js', import.meta.url));
  const clients = Array.from({ length: options.processes }, () =>
    // A session of its own: Ctrl-C reaches the benchmark alone, which then stops everything in order.
    fork(program, [url, String(poolSize), materialName], { serialization: 'advanced', detached: true }),
  );
  return {
    pids: clients.flatMap(({ pid }) => pid ?? []),
    serverVersion,
    async run(statement, loops, seconds) {
      const answers = await Promise.all(
        clients.map((client, i) => {
          const own = loops.filter((_, loop) => loop % clients.length === i);
          return ask(client, { statement, loops: own, milliseconds: seconds * 1000 });
        }),
      );
      return {
        latencies: answers.flatMap(({ latencies }) => latencies),
        seconds: Math.max(...answers.map((answer) => answer.seconds)),
      };
    },
    stop() {
      for (const client of clients) client.kill();
    },
  };
}

async function prepare({ url, rows, material }: DatabaseLoadOptions): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(createRows);
    await client.query(fillRows, [rows, material.documents[0]]);
    const { rows: settings } = await client.query<{ server_version: string }>('show server_version');
    return settings[0]?.server_version ?? 'unknown';
  } finally {
    await client.end();
  }
}

async function ask(client: ChildProcess, run: DatabaseRun): Promise<Run> {
  client.send(run);
  const [answer] = (await once(client, 'message')) as [DatabaseAnswer];
  if ('error' in answer) throw new Error(`The database client failed: ${answer.error}`);
  return answer;
}
