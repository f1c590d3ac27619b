/**
 * What the PUTs are compared with: plain statements on a row that holds the same text, by as many processes with pools
 * of the same size as the server has. A process of its own; it is told what to do by messages.
 */
import pg from 'pg';
import type { DatabaseAnswer, DatabaseRun, Statement } from './database-messages.js';

const [connectionString = '', poolSize = '', content = ''] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString, max: Number(poolSize) });

/** Prepared once for each connection, as the server's own are. An UPDATE commits by itself. */
const statements: Readonly<Record<Statement, (row: number) => pg.QueryConfig>> = {
  select: (row) => ({
    name: 'bench-select',
    text: 'select content from bench.rows where id = $1',
    values: [row],
  }),
  update: (row) => ({
    name: 'bench-update',
    text: 'update bench.rows set content = $2 where id = $1',
    values: [row, content],
  }),
};

async function measure({ statement, milliseconds, loops }: DatabaseRun): Promise<number[]> {
  const latencies: number[] = [];
  const end = performance.now() + milliseconds;
  await Promise.all(
    loops.map(async (rows) => {
      for (let i = 0; performance.now() < end; i++) {
        const start = performance.now();
        await pool.query(statements[statement](rows[i % rows.length] ?? 0));
        latencies.push(performance.now() - start);
      }
    }),
  );
  return latencies;
}

function answer(message: DatabaseAnswer): void {
  process.send?.(message);
}

pool.on('error', () => undefined);
process.on('message', (run: DatabaseRun) => {
  measure(run).then(
    (latencies) => answer({ latencies }),
    (error: unknown) => answer({ error: String(error) }),
  );
});
// The benchmark has ended, in whatever way.
process.on('disconnect', () => process.exit(0));
