import t from 'tap';
import { query } from '../../fixtures/database.js';
import { managementClient } from '../../fixtures/management-client.js';
import { startServer, type Answer } from '../../fixtures/xcap-server.js';

const home = '/xcap-root/resource-lists/users/sip:alice@example.com';
const empty = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"></resource-lists>';

/** A document of that many bytes. */
function sized(bytes: number): string {
  const filler = bytes - empty.length - '<!---->'.length;
  return empty.replace('><', `><!--${'x'.repeat(filler)}--><`);
}

function statuses(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

t.test('documents', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_QUOTA_DOCUMENTS: '2' } });
  for (const name of ['a', 'b']) t.equal((await send('PUT', `${home}/${name}`, { body: empty })).status, 201);
  const refused = await send('PUT', `${home}/c`, { body: empty });
  t.equal(refused.status, 409);
  t.match(refused.body, /<constraint-failure phrase="[^"]*at most 2 documents[^"]*"/);
  t.equal((await send('GET', `${home}/c`)).status, 404);
  t.equal((await send('PUT', `${home}/a`, { body: sized(500) })).status, 200, 'what is there can be changed');
  const bob = { as: 'sip:bob@example.com', body: empty };
  t.equal((await send('PUT', home.replace('alice', 'bob') + '/a', bob)).status, 201, 'others have their own');
  t.equal((await send('DELETE', `${home}/a`)).status, 200);
  t.equal((await send('PUT', `${home}/c`, { body: empty })).status, 201);
  const unconditional = await send('PUT', `${home}/d`, { body: empty, headers: { 'if-match': '"x"' } });
  t.equal(unconditional.status, 412, 'conditions come first');
});

t.test('bytes', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_QUOTA_BYTES: '1000' } });
  t.equal((await send('PUT', `${home}/a`, { body: sized(600) })).status, 201);
  t.equal((await send('PUT', `${home}/b`, { body: sized(401) })).status, 409);
  t.equal((await send('PUT', `${home}/b`, { body: sized(400) })).status, 201, 'up to the last byte');
  const element = { 'content-type': 'application/xcap-el+xml' };
  const grown = await send('PUT', `${home}/b/~~/resource-lists/list`, {
    headers: element,
    body: '<list name="l"/>',
  });
  t.equal(grown.status, 409, 'an element that makes it too large');
  t.match(grown.body, /<constraint-failure phrase="[^"]*at most 1000 bytes[^"]*"/);
  t.equal((await send('PUT', `${home}/a`, { body: sized(599) })).status, 200);
  const wide = empty.replace('><', '><!--é--><');
  t.equal((await send('DELETE', `${home}/b`)).status, 200);
  t.equal((await send('PUT', `${home}/a`, { body: sized(1000 - Buffer.byteLength(wide)) })).status, 200);
  t.equal((await send('PUT', `${home}/b`, { body: wide })).status, 201, 'octets are counted, not characters');
});

t.test('the limits of a subscriber, and who is over them', async (t) => {
  const { send, manage } = await startServer(t, { environment: { XCAP_QUOTA_DOCUMENTS: '1' } });
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: 'sip:alice@example.com', quota: { documents: 3, bytes: 2000 } });
  for (const name of ['a', 'b', 'c']) {
    t.equal((await send('PUT', `${home}/${name}`, { body: sized(600) })).status, 201);
  }
  t.equal((await send('PUT', `${home}/d`, { body: empty })).status, 409);
  await ask('PATCH', '/subscribers/sip:alice@example.com', { quota: { documents: 0, bytes: 100 } });
  t.equal((await send('PUT', `${home}/a`, { body: sized(601) })).status, 409, 'they have far too much');
  t.equal(
    (await send('PUT', `${home}/a`, { body: sized(600) })).status,
    200,
    'but what does not grow is fine',
  );
  t.equal((await send('PUT', `${home}/a`, { body: sized(500) })).status, 200);
  t.equal((await send('DELETE', `${home}/a`)).status, 200);
  t.equal((await send('PUT', `${home}/a`, { body: empty })).status, 409);
});

t.test('exact under concurrency, through two servers', async (t) => {
  const environment = { XCAP_QUOTA_DOCUMENTS: '7', XCAP_QUOTA_BYTES: '3500' };
  const one = await startServer(t, { environment });
  const two = await startServer(t, { environment, database: one.database });
  const puts = Array.from({ length: 60 }, (_, i) =>
    (i % 2 === 0 ? one : two).send('PUT', `${home}/doc${i}`, { body: sized(200) }),
  );
  t.same(statuses(await Promise.all(puts)), { 201: 7, 409: 53 });
  const names = await query<{ path: string }>(one.database, 'select path from xcapd.documents');
  const grows = Array.from({ length: 60 }, (_, i) =>
    (i % 2 === 0 ? one : two).send('PUT', `${home}/${names[i % 7]?.path ?? ''}`, { body: sized(600 + i) }),
  );
  const counts = statuses(await Promise.all(grows));
  t.same(Object.keys(counts), ['200', '409'], 'some grow, none fails otherwise');
  const [sum] = await query<{ bytes: number }>(
    one.database,
    'select sum(octet_length(content))::int as bytes from xcapd.documents',
  );
  t.ok(sum !== undefined && sum.bytes <= 3500, `${sum?.bytes ?? 0} bytes`);
});

t.test('documents that claim URIs', async (t) => {
  const { send, database } = await startServer(t, { environment: { XCAP_QUOTA_DOCUMENTS: '1' } });
  const services = (uri: string) =>
    `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="${uri}">` +
    '<list><entry xmlns="urn:ietf:params:xml:ns:resource-lists" uri="sip:bob@example.com"/></list>' +
    '<packages><package>presence</package></packages></service></rls-services>';
  const rls = '/xcap-root/rls-services/users/sip:alice@example.com';
  const first = await send('PUT', `${rls}/index`, { body: services('sip:friends@example.com') });
  t.equal(first.status, 201, first.body);
  t.equal((await send('PUT', `${rls}/more`, { body: services('sip:family@example.com') })).status, 409);
  t.same(await query(database, 'select uri from xcapd.claims'), [{ uri: 'sip:friends@example.com' }]);
  const bob = { as: 'sip:bob@example.com', body: services('sip:friends@example.com') };
  const taken = await send('PUT', rls.replace('alice', 'bob') + '/index', bob);
  t.match(taken.body, /<uniqueness-failure/, 'claims are judged as without a quota');
});
