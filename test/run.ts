/**
 * Runs the tests: owns one PostgreSQL cluster with one migrated template database, which each test file clones, and
 * hands the rest of its command line to tap.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrationsFolder, packageFolder } from '../src/package-files.js';
import { startEmbeddedPostgres } from '../src/storage/embedded/postgres.js';
import { migrate } from '../src/storage/migrations.js';

const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

async function run(): Promise<number> {
  const dataDirectory = mkdtempSync(join(memory, 'xcapd-test-'));
  // Where PostgreSQL runs under an account of its own, it has to get there.
  chmodSync(dataDirectory, 0o755);
  const postgres = await startEmbeddedPostgres({
    dataDirectory,
    log: (level, message) => {
      if (level !== 'info') process.stderr.write(`${message}\n`);
    },
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
  });
  try {
    const client = new pg.Client(postgres.connection);
    await client.connect();
    await client.query('create database xcapd_template');
    await client.end();
    await migrate({ ...postgres.connection, database: 'xcapd_template' }, migrationsFolder);
    return await runTap({ TEST_DATABASE: JSON.stringify(postgres.connection) });
  } finally {
    await postgres.stop();
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}

function runTap(environment: Record<string, string>): Promise<number> {
  const tap = spawn(join(packageFolder, 'node_modules/.bin/tap'), process.argv.slice(2), {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tap.kill(signal));
  return new Promise((resolve, reject) => {
    tap.on('error', reject);
    tap.on('exit', (code) => resolve(code ?? 1));
  });
}

process.exitCode = await run();
