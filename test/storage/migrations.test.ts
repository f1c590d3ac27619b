import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { migrationsFolder } from '../../src/package-files.js';
import { migrate } from '../../src/storage/migrations.js';
import { cloneDatabase, emptyDatabase, query } from '../fixtures/database.js';
import { runCommand } from '../fixtures/command-line.js';
import { serve, until, urlOf } from '../fixtures/serve.js';
import type { TestContext } from '../fixtures/tap.js';
import { startServer } from '../fixtures/xcap-server.js';

function copiedMigrations(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-[migrations]-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(migrationsFolder, folder, { recursive: true });
  return folder;
}

const emptyLists = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
const newest = Math.max(...readdirSync(migrationsFolder).map((name) => Number.parseInt(name)));

/** What a migration says of older programs. */
function says(migration: number, oldest: number): string {
  return `insert into xcapd.compatible_programs (migration, oldest) values (${migration}, ${oldest});`;
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
  writeFileSync(join(folder, '9998.do.good.sql'), `create table xcapd.good (a int); ${says(9998, 1)}`);
  writeFileSync(join(folder, '9999.do.bad.sql'), 'create table xcapd.bad (a int); select 1/0;');
  await t.rejects(migrate(database, folder), { message: /division by zero/ });
  t.same(await query(database, "select 1 from information_schema.schemata where schema_name = 'xcapd'"), []);
});

t.test('a database that is newer than what the program works with is refused', async (t) => {
  const database = await cloneDatabase(t);
  const folder = copiedMigrations(t);
  writeFileSync(join(folder, '9998.do.future.sql'), `create table xcapd.future (a int); ${says(9998, 9998)}`);
  writeFileSync(join(folder, '9999.do.farther.sql'), says(9999, newest));
  t.same(await migrate(database, folder), ['9998 future', '9999 farther']);
  await t.rejects(migrate(database, migrationsFolder), {
    message: new RegExp(
      `schema version 9999, this program knows ${newest} at most, and does not work with it\\. ` +
        'Run a newer xcapd that knows at least 9998, or restore a backup',
    ),
  });
  t.same(await migrate(database, folder), [], 'the newer program goes on');
});

t.test('a newer database is used where all of its migrations allow it', async (t) => {
  const database = await cloneDatabase(t);
  const folder = copiedMigrations(t);
  writeFileSync(
    join(folder, '9998.do.future.sql'),
    `create table xcapd.future (a int); ${says(9998, newest)}`,
  );
  writeFileSync(join(folder, '9999.do.farther.sql'), says(9999, 7));
  await migrate(database, folder);
  const sentences: string[] = [];
  t.same(await migrate(database, migrationsFolder, (sentence) => sentences.push(sentence)), []);
  const expected = `The database has schema version 9999, this program knows ${newest} at most, and works with it.`;
  t.same(sentences, [expected]);

  const edited = copiedMigrations(t);
  writeFileSync(join(edited, '0001.do.documents.sql'), 'select 1;');
  await t.rejects(migrate(database, edited), { message: /checksum/i }, 'its own are looked at as ever');
  await query(database, 'delete from xcapd.compatible_programs where migration = 9998');
  await t.rejects(
    migrate(database, migrationsFolder),
    { message: /Run a newer xcapd, or restore/ },
    'one that does not say it',
  );
});

t.test(
  'a rollback of the program: it starts, writes and reads, and goes on after the next upgrade',
  async (t) => {
    const database = await cloneDatabase(t);
    const folder = copiedMigrations(t);
    writeFileSync(
      join(folder, '9999.do.future.sql'),
      `alter table xcapd.documents add column future text; ${says(9999, newest)}`,
    );
    await migrate(database, folder);
    const served = await serve(t, { DATABASE_URL: urlOf(database) });
    t.match(served.output(), `schema version 9999, this program knows ${newest} at most, and works with it.`);
    const path = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
    t.equal((await served.send('PUT', path, { body: emptyLists })).status, 201);
    t.equal((await served.send('GET', path)).body, emptyLists);
    const environment = { PATH: process.env.PATH ?? '', DATABASE_URL: urlOf(database) };
    t.match(await runCommand(['migrate'], { environment }), { code: 0, stdout: /works with it\.\n$/ });
    await served.kill('SIGTERM');
    t.same(await migrate(database, folder), []);
  },
);

t.test(
  'a server of the release before answers while the next migration is applied, and after it',
  async (t) => {
    const server = await startServer(t);
    const folder = copiedMigrations(t);
    writeFileSync(
      join(folder, '9999.do.future.sql'),
      `alter table xcapd.documents add column future text; select pg_sleep(0.3); ${says(9999, newest)}`,
    );
    const statuses = new Set<number>();
    let isApplied = false;
    const user = async (name: string) => {
      const path = `/xcap-root/resource-lists/users/sip:${name}@example.com/index`;
      const as = `sip:${name}@example.com`;
      for (let more = 3; more > 0; more -= isApplied ? 1 : 0) {
        statuses.add((await server.send('PUT', path, { as, body: emptyLists })).status);
        statuses.add((await server.send('GET', path, { as })).status);
      }
    };
    const users = ['alice', 'bob', 'carol'].map(user);
    t.same(await migrate(server.database, folder), ['9999 future']);
    isApplied = true;
    await Promise.all(users);
    t.same([...statuses].sort(), [200, 201]);
  },
);

t.test('a migration has to say which older programs work with it', async (t) => {
  const database = await cloneDatabase(t);
  const folder = copiedMigrations(t);
  writeFileSync(join(folder, '9999.do.silent.sql'), 'create table xcapd.silent (a int);');
  await t.rejects(migrate(database, folder), { message: /^Migration 9999 does not say/ });
  t.same(await query(database, "select to_regclass('xcapd.silent') as silent"), [{ silent: null }]);
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
