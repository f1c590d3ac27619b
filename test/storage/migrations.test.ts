import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { migrationsFolder } from '../../src/package-files.js';
import { migrate } from '../../src/storage/migrations.js';
import { cloneDatabase, query, testCluster } from '../fixtures/database.js';
import { randomBytes } from 'node:crypto';
import { until } from '../fixtures/serve.js';
import type { TestContext } from '../fixtures/tap.js';

/** A database with nothing in it. */
async function emptyDatabase(t: TestContext, options = '') {
  const database = `test_${randomBytes(6).toString('hex')}`;
  await query(testCluster(), `create database ${database} ${options}`);
  t.teardown(() => query(testCluster(), `drop database ${database} with (force)`));
  return { ...testCluster(), database };
}

function copiedMigrations(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-[migrations]-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(migrationsFolder, folder, { recursive: true });
  return folder;
}

t.test('servers that start at once apply each migration once', async (t) => {
  const database = await emptyDatabase(t);
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database, migrationsFolder)));
  t.same(applied.filter((names) => names.length > 0).length, 1, 'one of them did it');
  t.same(await migrate(database, migrationsFolder), [], 'later there is nothing to do');
});

t.test('a connection that is broken off meanwhile', async (t) => {
  const database = await emptyDatabase(t);
  const folder = copiedMigrations(t);
  writeFileSync(join(folder, '9999.do.slow.sql'), 'select pg_sleep(30);');
  const migration = migrate(database, folder);
  const rejected = t.rejects(migration, { code: '57P01' }, 'it fails, and nothing else does');
  const terminate =
    'select pg_terminate_backend(pid) from pg_stat_activity ' +
    "where datname = current_database() and pid <> pg_backend_pid() and wait_event = 'PgSleep'";
  await until('it is terminated', async () => (await query(database, terminate)).length > 0);
  await rejected;
  t.ok((await migrate(database, migrationsFolder)).length > 0, 'it can be done again');
});

t.test('a migration that fails leaves nothing', async (t) => {
  const database = await emptyDatabase(t);
  const folder = copiedMigrations(t);
  writeFileSync(join(folder, '9998.do.good.sql'), 'create table xcapd.good (a int);');
  writeFileSync(join(folder, '9999.do.bad.sql'), 'create table xcapd.bad (a int); select 1/0;');
  await t.rejects(migrate(database, folder), { message: /division by zero/ });
  t.same(await query(database, "select 1 from information_schema.schemata where schema_name = 'xcapd'"), []);
});

t.test('a database that is newer than the program is refused', async (t) => {
  const database = await cloneDatabase(t);
  const folder = copiedMigrations(t);
  writeFileSync(join(folder, '9999.do.future.sql'), 'create table xcapd.future (a int);');
  t.same(await migrate(database, folder), ['9999 future']);
  await t.rejects(migrate(database, migrationsFolder), {
    message: /schema version 9999, this program knows/,
  });
});

t.test('a migration that was edited is refused', async (t) => {
  const database = await cloneDatabase(t);
  const folder = copiedMigrations(t);
  writeFileSync(join(folder, '0001.do.documents.sql'), 'select 1;');
  await t.rejects(migrate(database, folder), { message: /checksum/i });
});

t.test('a database that is not UTF-8 is refused', async (t) => {
  const database = await emptyDatabase(
    t,
    "encoding 'LATIN1' locale_provider libc locale 'C' template template0",
  );
  await t.rejects(migrate(database, migrationsFolder), { message: /UTF8.*LATIN1/ });
});
