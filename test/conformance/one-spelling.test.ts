/** RFC 3261 §19.1.4: however a URI is written, it is the same one, in documents, rules, requests and headers. */
import t from 'tap';
import { managementClient } from '../fixtures/management-client.js';
import { startServer } from '../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const dora = 'sip:dora@example.com';

const service = (uri: string) =>
  `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="${uri}"><list/></service></rls-services>`;
const group = (uri: string, more = '') =>
  `<group xmlns="urn:oma:xml:poc:list-service"><list-service uri="${uri}">${more}</list-service></group>`;
const groupOf = (member: string) =>
  group(
    'sip:club@example.com',
    `<list><entry uri="${member}"/></list><ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions>` +
      '<is-list-member xmlns="urn:oma:xml:poc:list-service"/></conditions><actions>' +
      '<join-handling xmlns="urn:oma:xml:poc:list-service">true</join-handling></actions></rule></ruleset>',
  );
const groupFor = (identity: string) =>
  group(
    'sip:club@example.com',
    '<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"><rule id="a"><conditions>' +
      `<identity>${identity}</identity></conditions><actions>` +
      '<join-handling xmlns="urn:oma:xml:poc:list-service">true</join-handling></actions></rule></ruleset>',
  );

const services = (xui: string, name = 'index') => `/xcap-root/rls-services/users/${xui}/${name}`;
const groups = (xui: string, name = 'index') =>
  `/xcap-root/org.openmobilealliance.groups/users/${xui}/${name}`;

const spellings = [
  'sip:dora@example.com',
  'sip:%64ora@example.com',
  'sip:%64%6F%72%61@example.com',
  'sip%3Adora%40example.com',
  'sip%3A%64ora%40example.com',
  'sip:dora%40example.com',
  'sip:dora@example%2ecom',
  'sip:dora@example.com.',
  'SIP:dora@EXAMPLE.com%2E',
  'sip:dora@%65xample.com',
  'sip:dora:secret@example.com',
];

t.test('nobody else gets the address of a subscriber', async (t) => {
  const { send, manage } = await startServer(t);
  await managementClient(manage)('POST', '/subscribers', { xui: dora });
  for (const uri of spellings) {
    const claimed = await send('PUT', services(bob), { as: bob, body: service(uri) });
    t.match(claimed, { status: 409, body: /uniqueness-failure/ }, uri);
    t.equal((await send('PUT', groups(bob), { as: bob, body: group(uri) })).status, 409, uri);
  }
  for (const uri of ['sip:dora%3Ax@example.com', 'sip:Dora@example.com']) {
    t.equal((await send('PUT', services(bob, 'a'), { as: bob, body: service(uri) })).status < 300, true, uri);
  }
});

t.test('a URI belongs to one document', async (t) => {
  const { send } = await startServer(t);
  t.equal((await send('PUT', services(alice), { body: service('sip:enc-team@example.com') })).status, 201);
  for (const uri of [
    'sip:enc%2Dteam@example.com',
    'sip%3Aenc-team%40example.com',
    'sip:enc%2dteam@example.com.',
  ]) {
    t.equal((await send('PUT', services(bob), { as: bob, body: service(uri) })).status, 409, uri);
    t.equal((await send('PUT', groups(bob), { as: bob, body: group(uri) })).status, 409, uri);
    t.equal((await send('PUT', services(alice), { body: service(uri) })).status, 200, 'but for its owner');
    t.equal((await send('GET', services(alice))).body, service(uri), 'as it was written');
  }
  const twice = service('sip:a@example.com').replace(
    '</rls-services>',
    '<service uri="sip:%61@example.com"><list/></service></rls-services>',
  );
  t.match(await send('PUT', services(alice, 'b'), { body: twice }), {
    status: 409,
    body: /uniqueness-failure/,
  });
});

t.test('members and rules', async (t) => {
  const { send } = await startServer(t);
  for (const uri of ['sip:%64ora@example.com', 'sip%3Adora%40example.com', 'sip:dora@example%2ecom.']) {
    for (const body of [groupOf(uri), groupFor(`<one id="${uri}"/>`)]) {
      t.ok((await send('PUT', groups(alice), { body })).status < 300);
      t.equal((await send('GET', groups(alice), { as: dora })).status, 200, uri);
      t.equal((await send('GET', groups(alice), { as: bob })).status, 403);
    }
    await send('PUT', groups(alice), { body: groupFor(`<many><except id="${uri}"/></many>`) });
    t.equal((await send('GET', groups(alice), { as: dora })).status, 403, `except ${uri}`);
    t.equal((await send('GET', groups(alice), { as: bob })).status, 200);
  }
  for (const domain of ['example%2ecom', 'EXAMPLE.com.', '%65xample.com']) {
    await send('PUT', groups(alice), { body: groupFor(`<many domain="${domain}"/>`) });
    t.equal((await send('GET', groups(alice), { as: dora })).status, 200, domain);
    await send('PUT', groups(alice), { body: groupFor(`<many><except domain="${domain}"/></many>`) });
    t.equal((await send('GET', groups(alice), { as: dora })).status, 403, `except ${domain}`);
  }
});

t.test('who asks, and whose documents', async (t) => {
  const { send } = await startServer(t);
  await send('PUT', services(dora), { as: dora, body: service('sip:doras@example.com') });
  const paths = [
    ...spellings,
    'sip%3Adora%40example.com',
    'sip%253Adora%2540example.com',
    'sip:%2564ora@example.com',
  ];
  for (const spelling of paths) {
    t.equal((await send('GET', services(spelling), { as: dora })).status, 200, `in the path: ${spelling}`);
  }
  for (const spelling of spellings) {
    t.equal((await send('GET', services(dora), { as: spelling })).status, 200, `asserted: ${spelling}`);
    const headers = { 'x-3gpp-intended-identity': `"${spelling}"` };
    t.equal((await send('GET', services(dora), { as: dora, headers })).status, 200, `intended: ${spelling}`);
  }
  for (const stranger of [
    'sip:dora%3Ax@example.com',
    'sip:dora%253A@example.com',
    'sip:dora%00@example.com',
  ]) {
    t.ok((await send('GET', services(dora), { as: stranger })).status >= 400, stranger);
  }
});
