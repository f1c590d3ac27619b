/**
 * What the PUTs are compared with: plain statements on a row that holds the same text, by as many processes with pools
 * of the same size as the server has. A process of its own; it is told what to do by messages.
 */
import pg from 'pg';
import type { DatabaseAnswer, DatabaseRun, Statement } from './database-messages.js';
import { materials } from './material.js';
import type { Run } from './statistics.js';

const [connectionString = '', poolSize = '', material = ''] = process.argv.slice(2);
const contents = materials[material]?.documents ?? ['', ''];
const pool = new pg.Pool({ connectionString, max: Number(poolSize) });

/** Prepared once for each connection, as the server's own are. An UPDATE commits by itself. */
const statements: Readonly<Record<Statement, (row: number, pass: number) => pg.QueryConfig>> = {
  select: (row) => ({
    name: 'bench-select',
    text: 'select content from bench.rows where id = $1',
    values: [row],
  }),
  update: (row, pass) => ({
    name: 'bench-update',
    text: 'update bench.rows set content = $2 where id = $1',
    values: [row, contents[pass % 2]],
  }),
};

async function measure({ statement, milliseconds, loops }: DatabaseRun): Promise<Run> {
  const latencies: number[] = [];
  const begin = performance.now();
  const end = begin + milliseconds;
  await Promise.all(
    loops.map(async (rows) => {
      for (let i = 0; performance.now() < end; i++) {
        const start = performance.now();
        const pass = Math.floor(i / rows.length);
        await pool.query(statements[statement](rows[i % rows.length] ?? 0, pass));
        latencies.push(performance.now() - start);
      }
    }),
  );
  return { latencies, seconds: (performance.now() - begin) / 1000 };
}

function answer(message: DatabaseAnswer): void {
  process.send?.(message);
}

pool.on('error', () => undefined);
process.on('message', (run: DatabaseRun) => {
  measure(run).then(
    (result) => answer(result),
    (error: unknown) => answer({ error: String(error) }),
  );
});
// The benchmark has ended, in whatever way.
process.on('disconnect', () => process.exit(0));
