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

export interface DatabaseLoad {
  readonly pids: readonly number[];
  readonly serverVersion: string;
  /** @param loops row numbers of each closed loop; they are dealt out to the processes. */
  run(statement: Statement, loops: readonly (readonly number[])[], seconds: number): Promise<number[]>;
  stop(): void;
}

export interface DatabaseLoadOptions {
  readonly url: string;
  readonly processes: number;
  readonly poolSize: number;
  readonly rows: number;
  readonly content: string;
}

/** Makes the rows and starts the processes. */
export async function startDatabaseLoad(options: DatabaseLoadOptions): Promise<DatabaseLoad> {
  const serverVersion = await prepare(options);
  const { url, poolSize, content } = options;
  const program = fileURLToPath(new URL('database-client.js', import.meta.url));
  const clients = Array.from({ length: options.processes }, () =>
    // A session of its own: Ctrl-C reaches the benchmark alone, which then stops everything in order.
    fork(program, [url, String(poolSize), content], { serialization: 'advanced', detached: true }),
  );
  return {
    pids: clients.flatMap(({ pid }) => pid ?? []),
    serverVersion,
    async run(statement, loops, seconds) {
      const runs = clients.map((client, i) => {
        const own = loops.filter((_, loop) => loop % clients.length === i);
        return own.length === 0 ? [] : ask(client, { statement, loops: own, milliseconds: seconds * 1000 });
      });
      return (await Promise.all(runs)).flat();
    },
    stop() {
      for (const client of clients) client.kill();
    },
  };
}

async function prepare({ url, rows, content }: DatabaseLoadOptions): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(createRows);
    await client.query(fillRows, [rows, content]);
    const { rows: settings } = await client.query<{ server_version: string }>('show server_version');
    return settings[0]?.server_version ?? 'unknown';
  } finally {
    await client.end();
  }
}

async function ask(client: ChildProcess, run: DatabaseRun): Promise<readonly number[]> {
  client.send(run);
  const [answer] = (await once(client, 'message')) as [DatabaseAnswer];
  if ('error' in answer) throw new Error(`The database client failed: ${answer.error}`);
  return answer.latencies;
}
