/**
 * Runs the tests: owns one PostgreSQL cluster with one migrated template database, which each test file clones. The
 * command line names files or folders; without one, all tests run. Where `TEST_COVERAGE` names a directory, Node.js writes
 * there what the process of each file covered (`npm run coverage` reports it).
 */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { migrationsFolder } from '../src/package-files.js';
import { startEmbeddedPostgres } from '../src/storage/embedded/postgres.js';
import { migrate } from '../src/storage/migrations.js';
import { loadUsages } from '../src/usages/registry.js';
import { runFile, testFilesIn, type FileReport } from './files.js';
import { testUsageFolders } from './fixtures/usage-folders.js';

const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const parallelFiles = 3;
const slowestShown = 10;

async function run(places: readonly string[]): Promise<boolean> {
  const files = testFilesIn(places.length === 0 ? ['test', 'auids'] : places);
  // The servers of the tests need not do again what is done here once.
  await loadUsages(testUsageFolders, { optionalUsages: 'all', policies: new Map() });
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
    return summarize(
      await runAll(files, { TEST_DATABASE: JSON.stringify(postgres.connection), ...coverageEnvironment() }),
    );
  } finally {
    await postgres.stop();
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}

function coverageEnvironment(): NodeJS.ProcessEnv {
  const { TEST_COVERAGE } = process.env;
  return TEST_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE: resolve(TEST_COVERAGE) };
}

/** Files that wait for processes come first, so that none of them is left alone at the end. */
function byWaiting(a: string, b: string): number {
  const waits = (file: string) => (/^test\/(processes|storage\/embedded|cli)\//.test(file) ? 0 : 1);
  return waits(a) - waits(b);
}

async function runAll(files: readonly string[], environment: NodeJS.ProcessEnv): Promise<FileReport[]> {
  const waiting = files.toSorted(byWaiting);
  const reports: FileReport[] = [];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const report = await runFile(file, environment);
      reports.push(report);
      tell(report);
    }
  };
  await Promise.all(Array.from({ length: parallelFiles }, worker));
  return reports;
}

function tell({ file, seconds, passed, skipped, failures }: FileReport): void {
  const verdict = failures.length === 0 ? 'ok' : 'not ok';
  process.stdout.write(
    `${verdict.padEnd(6)} ${seconds.toFixed(1).padStart(6)} s ${String(passed).padStart(6)}  ${file}\n`,
  );
  for (const name of skipped) process.stdout.write(`       skipped: ${name}\n`);
  for (const failure of failures) process.stdout.write(`${failure.replace(/^/gm, '       ')}\n`);
}

/** @returns whether all is well */
function summarize(reports: readonly FileReport[]): boolean {
  const slowest = reports.toSorted((a, b) => b.seconds - a.seconds).slice(0, slowestShown);
  const total = (count: (report: FileReport) => number) =>
    reports.reduce((sum, report) => sum + count(report), 0);
  const failed = total(({ failures }) => failures.length);
  process.stdout.write('\nThe slowest files:\n');
  for (const { file, seconds } of slowest)
    process.stdout.write(`${seconds.toFixed(1).padStart(6)} s  ${file}\n`);
  process.stdout.write(
    `${total(({ seconds }) => seconds).toFixed(0)} file-seconds in ${reports.length} files\n\n`,
  );
  process.stdout.write(
    `${total(({ passed }) => passed)} passed, ${failed} failed, ${total(({ skipped }) => skipped.length)} skipped\n`,
  );
  return failed === 0;
}

if (!(await run(process.argv.slice(2)))) process.exitCode = 1;
