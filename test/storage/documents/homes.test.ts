/** What two who write at the same moment may never do to each other. Each waits for a lock that the test holds. */
import pg from 'pg';
import t from 'tap';
import type { TestDatabase } from '../../fixtures/database.js';
import { query } from '../../fixtures/database.js';
import { managementClient, type Ask } from '../../fixtures/management-client.js';
import { until } from '../../fixtures/serve.js';
import type { TestContext } from '../../fixtures/tap.js';
import { startServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const telephone = 'tel:+15550100001';
const target = (xui: string, name = 'index') => `/xcap-root/resource-lists/users/${xui}/${name}`;
const list = (name: string) =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="${name}"/></resource-lists>`;

async function connect(t: TestContext, database: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client(database);
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

const lockHome = (xui: string) => ({
  text: 'select pg_advisory_xact_lock(xcapd.home_lock($1))',
  values: [xui],
});

/** Waits until that many backends of the database wait for a lock. */
function waiting(database: TestDatabase, count: number): Promise<void> {
  return until(`${String(count)} wait`, async () => {
    const [row] = await query<{ n: number }>(
      database,
      `select count(*)::int as n from pg_stat_activity where datname = '${database.database}' and wait_event_type = 'Lock'`,
    );
    return row?.n === count;
  });
}

async function actions(ask: Ask): Promise<string[]> {
  const { body } = await ask('GET', '/audit');
  return (body as { items: { action: string }[] }).items.map(({ action }) => action);
}

t.test('a connection that is lost in a transaction is 503, and the process lives', async (t) => {
  const { manage, send, database } = await startServer(t);
  const ask = managementClient(manage);
  const holder = await connect(t, database);
  await holder.query("begin; select pg_advisory_xact_lock(hashtextextended('xcapd.claims', 0))");
  const created = ask('POST', '/subscribers', { xui: alice });
  await waiting(database, 1);
  await query(
    database,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.database}' and wait_event_type = 'Lock'`,
  );
  t.match(await created, { status: 503, headers: { 'retry-after': /./ } });
  await holder.query('rollback');
  t.equal((await ask('POST', '/subscribers', { xui: alice })).status, 201);
  t.equal((await send('PUT', target(alice), { body: list('a') })).status, 201);
});

t.test('a PUT during an erasure is refused, and leaves nothing', async (t) => {
  const one = await startServer(t);
  const two = await startServer(t, { database: one.database });
  const ask = managementClient(one.manage);
  await ask('POST', '/subscribers', { xui: alice });
  await two.send('PUT', target(alice), { body: list('a') });

  const holder = await connect(t, one.database);
  await holder.query('begin');
  await holder.query(lockHome(alice));
  const erased = ask('DELETE', `/subscribers/${encodeURIComponent(alice)}`);
  await waiting(one.database, 1);
  const put = two.send('PUT', target(alice), { body: list('b') });
  await waiting(one.database, 2);
  await holder.query('commit');
  t.equal((await erased).status, 204);
  t.match(await put, { status: 503, headers: { 'retry-after': '1' } });
  t.same(await query(one.database, 'select * from xcapd.documents'), []);
  t.same(await query(one.database, 'select * from xcapd.document_versions'), []);
});

t.test('what is written after an erasure can be erased as well', async (t) => {
  const { send, manage, database } = await startServer(t);
  const ask = managementClient(manage);
  const erase = () => ask('DELETE', `/subscribers/${encodeURIComponent(alice)}`);
  await ask('POST', '/subscribers', { xui: alice });
  t.equal((await erase()).status, 204);
  t.equal((await erase()).status, 404, 'nothing is left');
  await send('PUT', target(alice), { body: list('a') });
  await ask('PUT', `/roles/${encodeURIComponent(alice)}`, { role: 'support' });
  t.equal((await erase()).status, 204);
  t.same(await query(database, 'select * from xcapd.documents'), []);
  t.same(await query(database, 'select * from xcapd.roles'), []);
  t.equal((await erase()).status, 404);
});

t.test('a PUT while its home becomes that of a subscriber lands where the subscriber finds it', async (t) => {
  const one = await startServer(t);
  const two = await startServer(t, { database: one.database });
  const ask = managementClient(one.manage);
  await ask('POST', '/subscribers', { xui: alice });
  await two.send('PUT', target(telephone), { as: telephone, body: list('a') });

  const holder = await connect(t, one.database);
  await holder.query('begin');
  await holder.query(lockHome(telephone));
  const added = ask('POST', `/subscribers/${encodeURIComponent(alice)}/identities`, { identity: telephone });
  await waiting(one.database, 1);
  const puts = ['index', 'new'].map((name) =>
    two.send('PUT', target(telephone, name), { as: telephone, body: list('b') }),
  );
  await waiting(one.database, 3);
  await holder.query('commit');
  t.equal((await added).status, 201);
  t.same(
    (await Promise.all(puts)).map(({ status }) => status),
    [200, 201],
  );
  for (const name of ['index', 'new']) {
    t.equal((await one.send('GET', target(alice, name))).body, list('b'), `${name}: the acknowledged text`);
  }
  t.same(await query(one.database, `select * from xcapd.documents where xui <> '${alice}'`), []);
});

const write = (
  xui: string,
  auid: string,
  expected: string | null,
  content: string | null,
  uris: string[] | null,
) => ({
  text: `select swapped, taken, home from xcapd.write($1, $2, 'index', $3, gen_random_uuid()::text, $4, 'author', 'node', 50,
    false, $5, array_fill(null::text, array[coalesce(cardinality($5::text[]), 0)]), null, null, null, null)`,
  values: [xui, auid, expected, content, uris],
});

t.test('creating while a deletion commits goes on with the history', async (t) => {
  const { send, database } = await startServer(t);
  const { headers } = await send('PUT', target(alice), { body: list('a') });
  const tag = headers.etag?.replaceAll('"', '') ?? '';
  const [deleting, creating] = await Promise.all([connect(t, database), connect(t, database)]);
  await deleting.query('begin');
  t.match(await deleting.query(write(alice, 'resource-lists', tag, null, null)), {
    rows: [{ swapped: true }],
  });
  const created = creating.query(write(alice, 'resource-lists', null, list('b'), null));
  await waiting(database, 1);
  await deleting.query('commit');
  t.match(await created, { rows: [{ swapped: true }] });
  t.same(
    await query(
      database,
      'select version::int, content is null as gone from xcapd.document_versions order by version',
    ),
    [
      { version: 1, gone: false },
      { version: 2, gone: true },
      { version: 3, gone: false },
    ],
  );
  t.same(await query(database, 'select version::int from xcapd.documents'), [{ version: 3 }]);
});

t.test('a claim and the first document at that address: one of them', async (t) => {
  const { send, database } = await startServer(t);
  const zoe = 'sip:zoe@example.com';
  const claim = write(alice, 'rls-services', null, '<x/>', [zoe]);
  const first = write(zoe, 'resource-lists', null, '<x/>', null);
  for (const [earlier, later, expected] of [
    [claim, first, { swapped: false, home: 'claimed' }],
    [first, claim, { swapped: false, taken: [zoe] }],
  ] as const) {
    const [a, b] = await Promise.all([connect(t, database), connect(t, database)]);
    await a.query('begin');
    t.match(await a.query(earlier), { rows: [{ swapped: true }] });
    const second = b.query(later);
    await waiting(database, 1);
    await a.query('commit');
    t.match(await second, { rows: [expected] });
    await query(database, 'delete from xcapd.documents');
  }
  await query(
    database,
    `select xcapd.write('${alice}', 'rls-services', 'index', null, 't', '<x/>', '', '', 50, false, array['${zoe}'], array[null], null, null, null, null)`,
  );
  const refused = await send('PUT', target(zoe), { as: zoe, body: list('a') });
  t.match(refused, {
    status: 409,
    body: /<constraint-failure phrase="Another document has claimed this address/,
  });
});

t.test('what an operator writes and its audit record: both or none', async (t) => {
  const { send, manage, database } = await startServer(t);
  const ask = managementClient(manage);
  const documents = [1, 2, 3].map((i) => ({
    auid: 'resource-lists',
    path: `list${String(i)}`,
    content: list('a'),
  }));
  await manage('POST', '/api/v1/import', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${JSON.stringify({ xui: alice, documents })}\n`,
  });
  t.same((await actions(ask)).toSorted(), [
    'document.put',
    'document.put',
    'document.put',
    'import',
    'subscriber.create',
  ]);

  await query(
    database,
    `create function fail() returns trigger language plpgsql as $$ begin raise 'no record'; end $$;
     create trigger fail before insert on xcapd.audit_records for each row execute function fail()`,
  );
  const path = `/api/v1/documents/resource-lists/users/${encodeURIComponent(alice)}/index`;
  t.equal((await manage('PUT', path, { body: list('a') })).status, 500);
  t.equal((await send('GET', target(alice))).status, 404, 'nothing was written');
});

t.test('two changes of one quota at a time', async (t) => {
  const { manage, database } = await startServer(t);
  const ask = managementClient(manage);
  const path = `/subscribers/${encodeURIComponent(alice)}`;
  await ask('POST', '/subscribers', { xui: alice });
  const holder = await connect(t, database);
  await holder.query('begin; select from xcapd.subscribers for update');
  const changes = [{ documents: 7 }, { bytes: 9000 }].map((quota) => ask('PATCH', path, { quota }));
  await waiting(database, 2);
  await holder.query('commit');
  t.same(
    (await Promise.all(changes)).map(({ status }) => status),
    [200, 200],
  );
  t.match((await ask('GET', path)).body, { quota: { documents: 7, bytes: 9000 } });
});

t.test('a read-only database is not ready, and is read', async (t) => {
  const { send, manage, database } = await startServer(t);
  await send('PUT', target(alice), { body: list('a') });
  const set = async (value: string) => {
    await query(database, `alter database ${database.database} set default_transaction_read_only = ${value}`);
    const others = { ...database, database: 'postgres' };
    await query(
      others,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.database}'`,
    );
  };
  await set('on');
  await until('it is noticed', async () => (await manage('GET', '/health/ready')).status === 503);
  t.match(await send('PUT', target(alice), { body: list('b') }), {
    status: 503,
    headers: { 'retry-after': /./ },
  });
  t.equal((await send('GET', target(alice))).body, list('a'));
  const others = { ...database, database: 'postgres' };
  await query(others, `alter database ${database.database} set default_transaction_read_only = off`);
  await query(
    others,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.database}'`,
  );
  await until('it heals', async () => (await manage('GET', '/health/ready')).status === 200);
  t.equal((await send('PUT', target(alice), { body: list('b') })).status, 200);
});

t.test('versions of deleted documents are kept within the quota', async (t) => {
  const { send, database } = await startServer(t, { environment: { XCAP_QUOTA_BYTES: '10000' } });
  const body = list('a'.repeat(3000));
  for (let i = 0; i < 10; i++) {
    t.equal((await send('PUT', target(alice, `list${String(i)}`), { body })).status, 201);
    t.equal((await send('DELETE', target(alice, `list${String(i)}`))).status, 200);
  }
  const [kept] = await query<{ bytes: number; latest: boolean }>(
    database,
    `select sum(octet_length(content))::int as bytes, bool_or(path = 'list9') as latest from xcapd.document_versions`,
  );
  t.ok((kept?.bytes ?? 0) <= 10000, `${String(kept?.bytes)} bytes`);
  t.equal(kept?.latest, true, 'the latest stay');
});
