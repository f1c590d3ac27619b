/** Statements that wait, for a lock that somebody else has, and those that need not wait with them. */
import pg from 'pg';
import t, { type Test } from 'tap';
import { cloneDatabase, query, type TestDatabase } from '../fixtures/database.js';
import { read } from '../fixtures/source.js';
import { until } from '../fixtures/serve.js';
import { poolSizes } from '../../src/storage/database.js';
import { openPipelinedClient } from '../../src/storage/pipelined-client.js';
import { secretBox } from '../../src/subscribers/secret-box.js';
import { openStorage } from '../../src/storage/storage.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const documentOf = (xui: string) =>
  ({ tree: 'users', auid: 'resource-lists', xui, path: ['index'] }) as const;

/** Somebody who keeps all others from a table until `release`. */
async function lock(t: Test, database: TestDatabase, table: string) {
  const client = new pg.Client(database);
  await client.connect();
  await client.query('begin');
  await client.query(`lock table ${table} in access exclusive mode`);
  let isHeld = true;
  const release = async () => {
    if (isHeld) await client.end();
    isHeld = false;
  };
  t.teardown(release);
  return { release };
}

/** Waits until so many statements wait for a lock. */
async function waiting(database: TestDatabase, statements: number): Promise<void> {
  await until('statements wait for the lock', async () => {
    const rows = await query(
      database,
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return rows.length >= statements;
  });
}

async function open(t: Test) {
  const database = await cloneDatabase(t);
  const storage = await openStorage({
    database,
    historyVersions: 5,
    requestHistory: 0,
    quota: { documents: undefined, bytes: undefined },
    secretBox: secretBox({ secretsKey: undefined }),
    onError: () => undefined,
  });
  t.teardown(() => storage.close());
  return { database, storage };
}

type Storage = Awaited<ReturnType<typeof open>>['storage'];

/** What storage is asked for, and the tables that the answer comes from. */
const questions: readonly {
  tables: readonly string[];
  ask: (storage: Storage, xui: string) => Promise<unknown>;
}[] = [
  { tables: ['documents'], ask: ({ documents }, xui) => documents.read(documentOf(xui)) },
  { tables: ['subscribers'], ask: ({ directory }, xui) => directory.withIdentity(xui) },
  { tables: ['claims', 'documents'], ask: ({ documents }, xui) => documents.freeUris([xui]) },
  {
    tables: ['listed_claims_revisions', 'claims'],
    ask: ({ documents }) => documents.listedElements('rls-services', undefined),
  },
  {
    tables: ['audit_records'],
    ask: ({ register }) => register.auditRecords({ after: undefined, limit: 10 }, undefined),
  },
];

for (const { tables, ask } of questions) {
  const [table = ''] = tables;
  t.test(`while somebody has all of ${table}`, async (t) => {
    const { database, storage } = await open(t);
    // The connections are there before somebody waits.
    await Promise.all(questions.map((question) => question.ask(storage, bob)));
    const { release } = await lock(t, database, `xcapd.${table}`);
    const answer = ask(storage, alice);
    await waiting(database, 1);
    for (const other of questions) {
      if (other.tables.includes(table)) continue;
      await t.resolves(
        other.ask(storage, alice),
        `what comes from ${other.tables.join(' and ')} is answered`,
      );
    }
    await release();
    await t.resolves(answer, 'and then what waited');
  });
}

t.test('listings that wait, as many as may, keep nobody from documents', async (t) => {
  const { database, storage } = await open(t);
  const { release } = await lock(t, database, 'xcapd.roles');
  const list = () => storage.register.listRoles({ after: undefined, limit: 10 });
  const listings = Array.from({ length: poolSizes.listings }, list);
  await waiting(database, listings.length);
  const written = await storage.documents.write(documentOf(alice), alice, () => ({
    next: read('<x/>'),
    outcome: 'put',
  }));
  t.equal(written.kind, 'written');
  t.equal((await storage.documents.read(documentOf(alice)))?.text, '<x/>');
  await release();
  for (const listed of await Promise.all(listings)) t.strictSame(listed.items, []);
});

t.test('a statement that times out fails alone; what went behind it is done again', async (t) => {
  const database = await cloneDatabase(t);
  await query(
    database,
    'create table locked (); create table other (n integer); insert into other values (1)',
  );
  const losses: Error[] = [];
  const client = openPipelinedClient(database, (error) => losses.push(error), {
    query_timeout: 1000,
    statement_timeout: 0,
  });
  t.teardown(() => client.end());
  await client.query({ text: 'select' });
  const { release } = await lock(t, database, 'locked');
  const stuck = client.query({ text: 'select from locked' });
  const behind = Array.from({ length: 20 }, () => client.query({ text: 'select n from other' }));
  await t.rejects(stuck, { message: 'Query read timeout' });
  const answers = await Promise.all(behind);
  t.strictSame(
    answers.map(({ rows }) => rows),
    Array(20).fill([{ n: 1 }]),
    'while the lock is held',
  );
  await release();
  t.strictSame((await client.query({ text: 'select from locked' })).rows, []);
});

t.test('reads in flight on a connection that is terminated are done again', async (t) => {
  const database = await cloneDatabase(t);
  await query(database, 'create table locked (n integer); insert into locked values (1)');
  const client = openPipelinedClient(database, () => undefined);
  t.teardown(() => client.end());
  const { release } = await lock(t, database, 'locked');
  const reads = Array.from({ length: 20 }, () => client.query({ text: 'select n from locked' }));
  await waiting(database, 1);
  await query(
    database,
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  await waiting(database, 1);
  await release();
  const answers = await Promise.all(reads);
  t.strictSame(
    answers.map(({ rows }) => rows),
    Array(20).fill([{ n: 1 }]),
  );
});

t.test('what the server says of a statement is not asked for twice', async (t) => {
  const database = await cloneDatabase(t);
  await query(database, 'create sequence asked');
  const client = openPipelinedClient(database, () => undefined);
  t.teardown(() => client.end());
  await t.rejects(client.query({ text: "select 1 / (nextval('asked') - 1)" }), { code: '22012' });
  t.strictSame((await client.query({ text: "select nextval('asked')::int as n" })).rows, [{ n: 2 }]);
});

t.test('many documents of one user are listed in pages', async (t) => {
  const { database, storage } = await open(t);
  await query(
    database,
    'insert into xcapd.documents (xui, auid, path, entity_tag, version, content, changed_at) ' +
      `select '${alice}', 'resource-lists', 'list' || i, 'tag' || i, 1, '<a/>', now() from generate_series(1, 2500) as i`,
  );
  const [home, records] = await Promise.all([
    storage.documents.home(alice),
    storage.register.documentsOf(alice),
  ]);
  t.equal(new Set(home.map(({ selector }) => selector)).size, 2500);
  t.equal(new Set(records.map(({ document }) => document.path.join('/'))).size, 2500);
  t.equal(home.length, 2500);
});
