import t from 'tap';
import { query } from '../../fixtures/database.js';
import { startServer, type Answer } from '../../fixtures/xcap-server.js';

const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const emptyList =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="l"></list></resource-lists>';
const element = { 'content-type': 'application/xcap-el+xml' };

function entry(i: number): { target: string; body: string } {
  const uri = `sip:user${i}@example.com`;
  return {
    target: `${target}/~~/resource-lists/list/entry%5B@uri=%22${uri}%22%5D`,
    body: `<entry uri="${uri}"/>`,
  };
}

function tally(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

t.test(
  '200 concurrent element PUTs on one document through two servers: every acknowledged one is there',
  async (t) => {
    const one = await startServer(t);
    const two = await startServer(t, { database: one.database });
    t.equal((await one.send('PUT', target, { body: emptyList })).status, 201);
    const puts = Array.from({ length: 200 }, (_, i) => {
      const { target, body } = entry(i);
      return (i % 2 === 0 ? one : two).send('PUT', target, { headers: element, body });
    });
    const answers = await Promise.all(puts);
    t.same(tally(answers), { 201: 200 });
    const tags = new Set(answers.map(({ headers }) => headers.etag));
    t.equal(tags.size, 200, 'each change has a tag of its own');
    for (const server of [one, two]) {
      const { body } = await server.send('GET', target);
      const missing = answers.filter((_, i) => !body.includes(entry(i).body));
      t.equal(missing.length, 0, 'no acknowledged entry is lost');
    }
    const versions = await query<{ n: number; broken: number }>(
      one.database,
      `select count(*)::int as n, count(*) filter (where previous_tag is distinct from before)::int as broken
     from (select previous_tag, lag(entity_tag) over (order by version) as before, version from xcapd.document_versions) v
     where before is not null`,
    );
    t.same(
      versions,
      [{ n: 49, broken: 0 }],
      'the last 50 versions are kept, and each follows the one before',
    );
  },
);

t.test('20 writers with one If-Match: one winner', async (t) => {
  const one = await startServer(t);
  const two = await startServer(t, { database: one.database });
  const { headers } = await one.send('PUT', target, { body: emptyList });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => {
      const { target, body } = entry(i);
      const conditional = { ...element, 'if-match': headers.etag };
      return (i % 2 === 0 ? one : two).send('PUT', target, { headers: conditional, body });
    }),
  );
  t.same(tally(answers), { 201: 1, 412: 19 });
});

t.test('20 creators with If-None-Match: one winner', async (t) => {
  const one = await startServer(t);
  const two = await startServer(t, { database: one.database });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      (i % 2 === 0 ? one : two).send('PUT', target, { headers: { 'if-none-match': '*' }, body: emptyList }),
    ),
  );
  t.same(tally(answers), { 201: 1, 412: 19 });
});

t.test('a cached version is never the last word', async (t) => {
  const one = await startServer(t);
  const two = await startServer(t, { database: one.database });
  const { target: entryTarget, body } = entry(1);
  await one.send('PUT', target, { body: emptyList });
  t.equal((await two.send('GET', target)).body, emptyList, 'both have it cached');

  await two.send('PUT', entryTarget, { headers: element, body });
  t.equal((await one.send('GET', entryTarget)).status, 200, 'a read sees the change of the other server');

  await two.send('DELETE', entryTarget);
  t.equal(
    (await one.send('PUT', entryTarget, { headers: element, body })).status,
    201,
    'created, not replaced',
  );

  await two.send('PUT', target, { body: emptyList.replace('name="l"', 'name="other"') });
  const noParent = await one.send('PUT', `${target}/~~/resource-lists/list%5B@name=%22l%22%5D/entry`, {
    headers: element,
    body,
  });
  t.equal(noParent.status, 409, 'a write to what is gone is refused');

  await two.send('PUT', target, { body: emptyList });
  const { headers } = await two.send('GET', target);
  const matched = await one.send('PUT', entryTarget, {
    headers: { ...element, 'if-match': headers.etag },
    body,
  });
  t.equal(matched.status, 201, 'a tag that only the other server knew');

  await two.send('DELETE', target);
  t.equal((await one.send('GET', target)).status, 404);
  t.equal((await one.send('DELETE', target)).status, 404);
});

t.test('entity tags', async (t) => {
  const { send } = await startServer(t);
  const tags: (string | undefined)[] = [];
  const other = emptyList.replace('name="l"', 'name="m"');
  for (const body of [emptyList, other, emptyList]) {
    tags.push((await send('PUT', target, { body })).headers.etag);
  }
  await send('DELETE', target);
  tags.push((await send('PUT', target, { body: emptyList })).headers.etag);
  t.equal(new Set(tags).size, 4, 'A, B, A, deleted, A: four tags');
  for (const tag of tags) t.match(tag, /^"[A-Za-z0-9_-]{1,24}"$/, 'short and strong');
});

t.test('history', async (t) => {
  const { send, database } = await startServer(t, { environment: { XCAP_HISTORY_VERSIONS: '3' } });
  const put = (name: string) =>
    send('PUT', target, { body: emptyList.replace('name="l"', `name="${name}"`) });
  for (const name of ['a', 'b', 'c', 'd']) await put(name);
  await send('DELETE', target);
  const records = () =>
    query<Record<string, unknown>>(
      database,
      `select version::int, author, content is null as deleted, substring(content from 'name="(.)"') as name, node <> '' as node
       from xcapd.document_versions order by version`,
    );
  const author = 'sip:alice@example.com';
  t.same(await records(), [
    { version: 3, author, deleted: false, name: 'c', node: true },
    { version: 4, author, deleted: false, name: 'd', node: true },
    { version: 5, author, deleted: true, name: null, node: true },
  ]);
  await put('e');
  t.same(
    (await records()).at(-1),
    { version: 6, author, deleted: false, name: 'e', node: true },
    'it goes on',
  );
});

t.test('no history', async (t) => {
  const { send, database } = await startServer(t, { environment: { XCAP_HISTORY_VERSIONS: '0' } });
  await send('PUT', target, { body: emptyList });
  await send('PUT', target, { body: emptyList });
  t.same(await query(database, 'select * from xcapd.document_versions'), []);
  t.equal((await send('GET', target)).status, 200);
});

t.test('a server whose database refuses connections answers 503 fast, and heals', async (t) => {
  const { send, manage, database } = await startServer(t);
  await send('PUT', target, { body: emptyList });
  const others = { ...database, database: 'postgres' };
  await query(others, `alter database ${database.database} with allow_connections false`);
  await query(
    others,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.database}'`,
  );
  for (const request of [send('GET', target), send('PUT', target, { body: emptyList })]) {
    const { status, headers } = await request;
    t.equal(status, 503);
    t.match(headers['retry-after'], /^\d+$/);
  }
  t.equal((await manage('GET', '/health/ready')).status, 503);
  t.equal((await manage('GET', '/health/live')).status, 200);
  await query(others, `alter database ${database.database} with allow_connections true`);
  t.equal((await manage('GET', '/health/ready')).status, 200);
  t.equal((await send('GET', target)).body, emptyList, 'what was acknowledged is there');
});
