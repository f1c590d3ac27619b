/** The latest requests of a subscriber: what is kept of them, how many, and for how long. */
import t from 'tap';
import { commandLine, jsonLines } from '../../fixtures/command-line.js';
import { query } from '../../fixtures/database.js';
import { managementClient, type Ask } from '../../fixtures/management-client.js';
import { resourceList } from '../../fixtures/resource-lists.js';
import { until } from '../../fixtures/serve.js';
import { startServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const phone = 'tel:+15550100';
const index = `/xcap-root/resource-lists/users/${alice}/index`;

type Item = Readonly<Record<string, unknown>>;

/** Reading writes what waits in this process; a line may still wait for the question whose document it is about. */
async function requestsOf(ask: Ask, xui: string, count: number, parameters = ''): Promise<readonly Item[]> {
  let items: readonly Item[] = [];
  await until(`${count} requests are kept`, async () => {
    const { status, body } = await ask('GET', `/subscribers/${xui}/requests${parameters}`);
    if (status !== 200) throw new Error(String(status));
    ({ items } = body as { items: Item[] });
    return items.length >= count;
  });
  return items;
}

t.test('whoever asks why a request failed', async (t) => {
  const server = await startServer(t);
  const { send, manage, database } = server;
  const ask = managementClient(manage);
  const run = commandLine(server);
  await ask('POST', '/subscribers', { xui: alice, identities: [phone] });
  await ask('POST', '/subscribers', { xui: bob });
  t.strictSame(await run('why', alice), { code: 0, stdout: `No request of ${alice} is kept.\n`, stderr: '' });

  const requests: readonly (() => ReturnType<typeof send>)[] = [
    () => send('PUT', index, { body: resourceList('friends') }),
    () =>
      send('PUT', `/xcap-root/resource-lists/users/${phone}/index`, { as: phone, body: '<resource-lists/>' }),
    () => send('GET', `/xcap-root/resource-lists/users/${phone}/index`, { as: bob }),
    () => send('POST', `/xcap-root/resource-lists/users/${phone}/index`),
    () => send('GET', index, { as: null }),
    () => send('GET', `${index}/~~/resource-lists/list%5b@name=%22none%22%5d`),
    () => send('GET', '/xcap-root/xcap-caps/global/index'),
  ];
  for (const [i, request] of requests.entries()) {
    await request();
    await requestsOf(ask, alice, i + 1);
  }
  await send('GET', '/xcap-root/resource-lists/users/sip:nobody@example.com/index', {
    as: 'sip:nobody@example.com',
  });

  const items = await requestsOf(ask, phone, requests.length);
  t.match(items, [
    {
      status: 200,
      method: 'GET',
      document: 'xcap-caps/global/index',
      asker: alice,
      scheme: 'asserted-identity',
    },
    {
      status: 404,
      document: `resource-lists/users/${alice}/index`,
      node: 'resource-lists/list[@name="none"]',
    },
    { status: 401, reason: 'no credentials', sentence: /./, peer: /127\.0\.0\.1/ },
    { status: 405, method: 'POST', document: `resource-lists/users/${alice}/index` },
    { status: 403, asker: bob, sentence: /./ },
    { status: 409, asker: phone, condition: 'schema-validation-error', sentence: /./, milliseconds: Number },
    { status: 201, method: 'PUT', at: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ },
  ]);
  t.notOk('sentence' in (items[6] ?? {}));
  const refused = await requestsOf(ask, alice, 5, '?refused=true');
  t.same(
    refused.map(({ status }) => status),
    [404, 401, 405, 403, 409],
  );
  t.same(
    (await requestsOf(ask, bob, 0)).map(({ status }) => status),
    [],
    'what he asked for is hers',
  );

  const shown = (await run('why', phone, '--refused')).stdout;
  t.match(
    shown,
    /^\S+Z {2}404 {2}GET resource-lists\/users\/sip:alice@example\.com\/index\/~~\/resource-lists\/list/,
  );
  t.match(
    shown,
    /\n {4}schema-validation-error: .+\n {4}asked by tel:\+15550100 \(asserted-identity\) from /,
  );
  t.match(shown, /\n {4}asked by somebody unknown \(no credentials\) from .* ms\n/);
  t.match(jsonLines((await run('why', alice, '--json')).stdout), items);

  t.match(await run('why', 'sip:nobody@example.com'), { code: 1, stderr: /subscriber/ });
  t.equal((await ask('GET', `/subscribers/${alice}/requests?refused=maybe`)).status, 400);
  const archive = (await ask('GET', `/subscribers/${alice}/archive`)).body;
  t.notMatch(JSON.stringify(archive), /no credentials|asserted-identity/, 'no archive has them');

  await ask('DELETE', `/subscribers/${alice}/identities/${phone}`);
  t.same(
    await query(database, `select 1 from xcapd.requests where asker = '${phone}'`),
    [],
    'no identity stays that was taken away',
  );
  await ask('DELETE', `/subscribers/${bob}`);
  const after = await requestsOf(ask, alice, requests.length);
  t.notMatch(JSON.stringify(after), /bob/, 'who was erased is not named any more');
  t.match(after[4], { status: 403 }, 'but the refusal is there');
  await ask('DELETE', `/subscribers/${alice}`);
  t.same(await query(database, 'select * from xcapd.requests'), []);
});

t.test('the latest of each subscriber are kept', async (t) => {
  const { send, manage, database } = await startServer(t, { environment: { XCAP_REQUEST_HISTORY: '3' } });
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice });
  await ask('POST', '/subscribers', { xui: bob });
  for (let i = 0; i < 3; i++) {
    await send('GET', `/xcap-root/resource-lists/users/${bob}/${i}`, { as: bob });
    for (let j = 0; j < 4; j++) await send('GET', `${index}-${i}-${j}`);
    const items = await requestsOf(ask, alice, 3);
    t.match(items, [
      { document: /index-\d-3$/ },
      { document: /index-\d-2$/ },
      { document: new RegExp(`index-${i}-1$`) },
    ]);
  }
  t.equal((await requestsOf(ask, bob, 3)).length, 3);
  t.same(
    await query(database, 'select xui, count(*)::int as n from xcapd.requests group by xui order by xui'),
    [
      { xui: alice, n: 3 },
      { xui: bob, n: 3 },
    ],
  );
});

t.test('nothing is kept where nobody wants it', async (t) => {
  const { send, manage, database } = await startServer(t, { environment: { XCAP_REQUEST_HISTORY: '0' } });
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice });
  await send('GET', index);
  t.same((await ask('GET', `/subscribers/${alice}/requests`)).body, { items: [] });
  t.same(await query(database, 'select * from xcapd.requests'), []);
});

t.test('what cannot be kept is lost, counted, and in nobody’s way', async (t) => {
  const { send, manage, database } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice });
  await query(database, 'alter table xcapd.requests rename to elsewhere');
  t.equal((await send('PUT', index, { body: resourceList('friends') })).status, 201);
  const isCounted = async () =>
    /^xcapd_request_history_lost_total 1$/m.test((await manage('GET', '/metrics')).body);
  await until('it is counted', isCounted);
  await query(database, 'alter table xcapd.elsewhere rename to requests');
  t.equal((await send('GET', index)).status, 200);
  t.match(await requestsOf(ask, alice, 1), [{ status: 200 }]);
});
