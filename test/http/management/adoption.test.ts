/** Documents that were there before their owner was a subscriber. */
import t from 'tap';
import { managementClient } from '../../fixtures/management-client.js';
import { startServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const telephone = 'tel:+15550100001';
const lists = (xui: string) => `/xcap-root/resource-lists/users/${xui}/index`;
const services = (xui: string) => `/xcap-root/rls-services/users/${xui}/index`;
const list = (name: string) =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="${name}"/></resource-lists>`;
const service =
  '<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="sip:team@example.com"><list/></service></rls-services>';

t.test('they are theirs under every identity', async (t) => {
  const { send, manage } = await startServer(t);
  const ask = managementClient(manage);
  const put = (target: string, as: string, body: string) => send('PUT', target, { as, body });
  await put(lists(telephone), telephone, list('one'));
  const { headers } = await put(lists(telephone), telephone, list('two'));
  await put(services(alice), alice, service);
  t.equal((await ask('POST', '/subscribers', { xui: alice, identities: [telephone] })).status, 201);
  for (const xui of [alice, telephone]) {
    for (const as of [alice, telephone]) {
      const answer = await send('GET', lists(xui), { as });
      t.same(
        [answer.status, answer.body, answer.headers.etag],
        [200, list('two'), headers.etag],
        `${xui} as ${as}`,
      );
    }
  }
  const versions = await ask('GET', `/versions/resource-lists/users/${encodeURIComponent(alice)}/index`);
  t.match(versions.body, { items: [{ version: 2 }, { version: 1 }] }, 'with their history');
  t.equal((await put(lists(alice), alice, list('three'))).status, 200, 'and are written as before');
  t.equal(
    (
      await ask('POST', `/subscribers/${encodeURIComponent(alice)}/identities`, {
        identity: 'sip:a@example.com',
      })
    ).status,
    201,
  );
  t.equal(
    (await put(services('sip:bob@example.com'), 'sip:bob@example.com', service)).status,
    409,
    'claims stay',
  );
});

t.test('claims move with them', async (t) => {
  const { send, manage } = await startServer(t);
  const ask = managementClient(manage);
  await send('PUT', services(telephone), { as: telephone, body: service });
  t.equal((await ask('POST', '/subscribers', { xui: alice, identities: [telephone] })).status, 201);
  t.equal((await send('PUT', services(alice), { as: alice, body: service })).status, 200, 'it is their own');
  t.equal((await send('DELETE', services(alice), { as: alice })).status, 200);
  const bob = 'sip:bob@example.com';
  t.equal((await send('PUT', services(bob), { as: bob, body: service })).status, 201, 'and was released');
});

t.test('two documents cannot become one', async (t) => {
  const { send, manage } = await startServer(t);
  const ask = managementClient(manage);
  for (const as of [alice, telephone]) await send('PUT', lists(as), { as, body: list(as.slice(0, 3)) });
  const refused = await ask('POST', '/subscribers', { xui: alice, identities: [telephone] });
  t.match(refused, { status: 409, body: { code: 'documents-in-the-way' } });
  t.equal((await ask('POST', '/subscribers', { xui: alice })).status, 201);
  const identities = `/subscribers/${encodeURIComponent(alice)}/identities`;
  t.match(await ask('POST', identities, { identity: telephone }), {
    status: 409,
    body: { code: 'documents-in-the-way' },
  });
  t.equal((await send('GET', lists(telephone), { as: telephone })).body, list('tel'), 'nothing was changed');
});
