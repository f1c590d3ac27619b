/** RFC 4826 §4.4.5 and groups likewise: what leads to a user, or to what a user claims, is that user's, however it is written. */
import t from 'tap';
import { query } from '../fixtures/database.js';
import { managementClient } from '../fixtures/management-client.js';
import { startServer, type Answer, type Send } from '../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const dora = 'sip:dora@example.com';
const number = 'tel:+15550100';

/** A usage whose documents claim URIs. */
interface Claiming {
  readonly auid: string;
  readonly element: (uri: string) => string;
  readonly document: (...uris: readonly string[]) => string;
  /** Selects the first claim. */
  readonly selector: string;
}

const rls: Claiming = {
  auid: 'rls-services',
  element: (uri) => `<service uri="${uri}"><list/></service>`,
  document: (...uris) =>
    `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services">${uris.map(rls.element).join('')}</rls-services>`,
  selector: 'rls-services/service%5B1%5D',
};

const groups: Claiming = {
  auid: 'org.openmobilealliance.groups',
  element: (uri) => `<list-service uri="${uri}"/>`,
  document: (...uris) =>
    `<group xmlns="urn:oma:xml:poc:list-service">${uris.map(groups.element).join('')}</group>`,
  selector: 'group/list-service%5B1%5D',
};

const usages = [rls, groups, { ...groups, auid: 'org.openmobilealliance.poc-groups' }];

const documentAt = ({ auid }: Claiming, xui: string, name = 'index') =>
  `/xcap-root/${auid}/users/${xui}/${name}`;

/** What leads to the user at example.com and is not the plain URI. */
const beside = (user: string): readonly string[] => [
  `sip:${user}@example.com;x=1`,
  `sip:${user}@example.com;pres-list=rcs`,
  `SIP:${user}@EXAMPLE.com.;TRANSPORT=tls;lr`,
  `sip:${user}@example.com:5060`,
  `sip:${user}@example.com:15060;x`,
  `sips:${user}@example.com`,
  `sips:${user}@example.com:5061;x=%41`,
  `sip:${user}@example.com?Subject=x`,
  `sip:${user}@example.com;x=1?Subject=x&amp;Priority=urgent`,
  `sip:${user}:pw@example.com;x=1`,
  `sip:${user};x=1@example.com`,
  `sip:${user};x=@example.com`,
  `sip:%${user.charCodeAt(0).toString(16)}${user.slice(1)}@example%2Ecom;x=1`,
  `sip%3A${user}%40example.com%3Bx=1`,
  `${user}@example.com;x=1`,
];

/** RFC 3261 §19.1.6, TS 23.003: what leads to the subscriber who has the number. */
const numbers: readonly string[] = [
  'tel:+15550100;phone-context=example.com',
  'tel:+1-555-0100;ext=7;phone-context=lists.example.com',
  'sip:+15550100@example.com',
  'sip:+15550100@example.com;user=phone',
  'sip:+1-555-0100@example.com;user=phone',
  'sips:+1(555)0100@lists.example.com:5061;user=phone',
  'sip:+15550100;ext=7@example.com;user=phone',
  'sip:%2B15550100@example.com',
];

/** All ways to write a claim into a document that is there. */
function ways(send: Send, usage: Claiming, xui: string): ((uri: string) => Promise<Answer>)[] {
  const at = documentAt(usage, xui);
  const put = (target: string, type: string, body: string) =>
    send('PUT', target, { as: xui, body, headers: { 'content-type': type } });
  return [
    (uri) => send('PUT', at, { as: xui, body: usage.document(uri) }),
    (uri) => put(`${at}/~~/${usage.selector}`, 'application/xcap-el+xml', usage.element(uri)),
    (uri) => put(`${at}/~~/${usage.selector}/@uri`, 'application/xcap-att+xml', uri),
    (uri) => send('PUT', documentAt(usage, xui, 'new'), { as: xui, body: usage.document(uri) }),
  ];
}

t.test('nobody gets round by another usage, another spelling or a part of a document', async (t) => {
  const { send, manage } = await startServer(t);
  const identities = [number, 'tel:4711;phone-context=example.com', 'sip:*99@example.com'];
  await managementClient(manage)('POST', '/subscribers', { xui: dora, identities });
  await send('PUT', documentAt(rls, alice), { body: rls.document('sip:team@example.com') });
  await send('PUT', documentAt(groups, alice), { body: groups.document('sip:club@example.com;x=2') });
  const erin = 'sip:erin@example.com';
  const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  await send('PUT', `/xcap-root/resource-lists/users/${erin}/index`, { as: erin, body: list });
  const taken = [
    ...['dora', 'team', 'club', 'erin'].flatMap(beside),
    'sip:club@example.com',
    ...numbers,
    'sip:4711;phone-context=example.com@example.com;user=phone',
    'sip:47-11@example.com;user=phone',
    'tel:47-11;x=1;phone-context=EXAMPLE.com.',
    'sip:*(99)@example.com',
  ];
  for (const usage of usages) {
    const own = usage.document(`sip:bobs-${usage.auid}@example.com`);
    t.equal((await send('PUT', documentAt(usage, bob), { as: bob, body: own })).status, 201);
    for (const [i, uri] of taken.entries()) {
      // The first are tried in all ways, the others in turn.
      const tried = ways(send, usage, bob).filter((_, way) => i < beside('dora').length || way === i % 4);
      for (const { status, body } of await Promise.all(tried.map((write) => write(uri)))) {
        t.match({ status, body }, { status: 409, body: /<uniqueness-failure/ }, `${usage.auid} ${uri}`);
      }
    }
    t.equal((await send('GET', documentAt(usage, bob), { as: bob })).body, own, 'nothing has changed');
    t.equal((await send('GET', documentAt(usage, bob, 'new'), { as: bob })).status, 404);
  }
});

t.test('what leads to somebody else is free', async (t) => {
  const { send, manage } = await startServer(t);
  await managementClient(manage)('POST', '/subscribers', { xui: dora, identities: [number] });
  const free = [
    'sip:Dora@example.com',
    'sip:dora%3Bx=1@example.com',
    'sip:dora%40@example.com;x=1',
    'sip:dora@lists.example.com',
    'sip:dora-2@example.com',
    'sip:+15550101@example.com',
    'sip:15550100@example.com',
    'tel:15550100;phone-context=example.com',
  ];
  for (const [i, uri] of free.entries()) {
    const answer = await send('PUT', documentAt(rls, bob, String(i)), { as: bob, body: rls.document(uri) });
    t.equal(answer.status, 201, uri);
  }
});

t.test('one’s own', async (t) => {
  const { send, manage } = await startServer(t);
  await managementClient(manage)('POST', '/subscribers', { xui: dora, identities: [number] });
  const put = (xui: string, usage: Claiming, uris: readonly string[]) =>
    send('PUT', documentAt(usage, xui), { as: xui, body: usage.document(...uris) });
  for (const usage of usages) {
    for (const uri of [...beside('dora'), ...numbers]) {
      const answer = await put(dora, usage, [uri]);
      t.ok(answer.status < 300, `${usage.auid} ${uri}: ${answer.body}`);
    }
    for (const uri of [dora, number]) t.equal((await put(dora, usage, [uri])).status, 409, 'not as it is');
    await send('DELETE', documentAt(usage, dora), { as: dora });
    for (const uri of beside('frank')) {
      const xui = 'sip:frank@example.com';
      t.ok((await put(xui, usage, [uri])).status < 300, `no subscriber: ${uri}`);
      await send('DELETE', documentAt(usage, xui), { as: xui });
    }
    const both = ['sip:team@example.com', 'sip:team@example.com;x=1', 'sips:team@example.com'];
    t.equal((await put(alice, usage, both)).status, 201, 'one owner holds several');
    t.equal((await put(alice, usage, both.slice(1))).status, 200);
    t.equal(
      (await put(bob, usage, both.slice(0, 1))).status,
      409,
      'and what they gave up leads to them still',
    );
    t.equal((await put(alice, usage, ['sip:other@example.com'])).status, 200);
    t.equal((await put(bob, usage, both.slice(0, 1))).status, 201, 'until they have none of them');
    await send('DELETE', documentAt(usage, bob), { as: bob });
    await send('DELETE', documentAt(usage, alice));
  }
});

t.test('what is proposed instead of a taken URI is free', async (t) => {
  const { send, manage } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: dora, identities: ['sips:dora-bob@example.com;x=2'] });
  const body = rls.document('sip:dora@example.com;x=1');
  const refused = await send('PUT', documentAt(rls, bob), { as: bob, body });
  const alternatives = [...refused.body.matchAll(/<alt-value>([^<]*)/g)].map(([, uri = '']) => uri);
  t.match(alternatives, ['sip:dora-bob-2@example.com;x=1', /./, /./]);
  const answer = await send('PUT', documentAt(rls, bob), { as: bob, body: rls.document(...alternatives) });
  t.equal(answer.status, 201);
});

t.test('an identity comes before a claim that leads to it', async (t) => {
  const { send, manage, database } = await startServer(t);
  const ask = managementClient(manage);
  const claims = async () =>
    (await query<{ uri: string }>(database, 'select uri from xcapd.claims order by 1')).map(({ uri }) => uri);
  const uris = ['sip:team@example.com;x=1', 'sips:crew@example.com', 'sip:+15550177@example.com'];
  for (const usage of usages) {
    await send('PUT', documentAt(usage, alice), { body: usage.document(...uris, 'sip:rest@example.com') });
    t.equal((await claims()).length, 4);
    await ask('POST', '/subscribers', { xui: 'sip:team@example.com' });
    await ask('POST', '/subscribers', { xui: 'sip:crew@example.com' });
    await ask('POST', '/subscribers/sip:crew@example.com/identities', { identity: 'tel:+15550177' });
    t.same(await claims(), ['sip:rest@example.com']);
    t.match((await ask('GET', `/audit?subject=${alice}`)).body, { items: [{ action: 'claim.end' }] });
    const again = { body: usage.document('sip:rest@example.com', uris[0] ?? '') };
    t.equal((await send('PUT', documentAt(usage, alice), again)).status, 409);
    await ask('DELETE', '/subscribers/sip:team@example.com');
    await ask('DELETE', '/subscribers/sip:crew@example.com');
    await send('DELETE', documentAt(usage, alice));
  }
  const own = 'sip:frank@example.com;pres-list=rcs';
  const frank = 'sip:frank@example.com';
  await send('PUT', documentAt(rls, frank), { as: frank, body: rls.document(own) });
  await ask('POST', '/subscribers', { xui: dora, identities: [frank] });
  t.same(await claims(), [own], 'but not before that of its own subscriber');
  await send('PUT', documentAt(groups, dora), { as: dora, body: groups.document('sip:d2@example.com;x=1') });
  await ask('POST', `/subscribers/${dora}/identities`, { identity: 'sip:d2@example.com' });
  t.same(await claims(), ['sip:d2@example.com;x=1', own]);
});

t.test('nobody begins below an address that leads to the claim of somebody else', async (t) => {
  const { send } = await startServer(t);
  const team = 'sip:team@example.com';
  await send('PUT', documentAt(rls, alice), { body: rls.document(`${team};x=1`) });
  const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  const first = await send('PUT', `/xcap-root/resource-lists/users/${team}/index`, { as: team, body: list });
  t.match(first, { status: 409, body: /has claimed this address/ });
});

t.test('of claims at the same time one is first', async (t) => {
  const { send, manage, database } = await startServer(t);
  const other = await startServer(t, { database });
  const ask = managementClient(manage);
  const put = (by: Send, xui: string, usage: Claiming, name: string, uri: string) =>
    by('PUT', documentAt(usage, xui, name), { as: xui, body: usage.document(uri) });
  for (const [i, usage] of [...usages, ...usages].entries()) {
    const pairs = Array.from({ length: 8 }, (_, j) => `run${String(i)}-${String(j)}`);
    const wins = await Promise.all(
      pairs.map(async (user, j) => {
        const spellings = [`sip:${user}@example.com`, ...beside(user)];
        const [one = '', another = ''] = [spellings[j], spellings[(3 * j + 1) % spellings.length]];
        const answers = await Promise.all([
          put(send, alice, usage, user, one),
          put(other.send, bob, rls, user, another),
        ]);
        return answers.map(({ status }) => status).toSorted();
      }),
    );
    for (const statuses of wins) t.same(statuses, [201, 409], usage.auid);
    const names = pairs.map((user) => `${user}x`);
    await Promise.all(
      names.flatMap((user) => [
        put(other.send, bob, usage, user, `sip:${user}@example.com;x=1`),
        ask('POST', '/subscribers', { xui: `sip:${user}@example.com` }),
      ]),
    );
    const left = await query(
      database,
      "select uri from xcapd.claims join xcapd.identities on xcapd.address_of(uri) = xcapd.address_of(identity) where uri like 'sip:run%x@%'",
    );
    t.same(left, [], 'no claim is left beside an identity');
  }
});

t.test('RFC 3261 §25.1: what is no URI of anybody is none of a service or a group either', async (t) => {
  const { send, manage } = await startServer(t);
  const ask = managementClient(manage);
  const cases: [uri: string, why: RegExp][] = [
    ['sip:do ra@example.com', /because it has a blank or a control character/],
    ['sip:&lt;dora@example.com&gt;', /because it has &lt; without an escape/],
    ['sip:dora@example.com/', /because it has \/ behind its host/],
    ['sip:dora@example.com#x', /because it has # behind its host/],
    ['sip:dora@example.com;x=@example.com', /because it has more than one @/],
    ['sip:dora@example.com;', /because ; is no parameter/],
    ['sip:dora@example.com:', /because : is no port/],
    ['sip:dora@example..com', /because example\.\.com is no host/],
    ['sip:dora@example.com?x', /because 'x' is no header/],
    ['tel:+1555;phone-context=example.com;x=&lt;', /because it has &lt; without an escape/],
    ['sip:example.com', /has to be a SIP URI with a name and a domain/],
    ['pres:dora@example.com', /has to be a SIP URI with a name and a domain/],
  ];
  for (const usage of usages) {
    const own = usage.document('sip:bobs@example.com');
    await send('PUT', documentAt(usage, bob), { as: bob, body: own });
    for (const [i, [uri, why]] of cases.entries()) {
      const tried = ways(send, usage, bob).filter((_, way) => usage === rls || way === i % 4);
      for (const { status, body } of await Promise.all(tried.map((write) => write(uri)))) {
        t.match(
          { status, body },
          { status: 409, body: /<constraint-failure phrase=/ },
          `${usage.auid} ${uri}`,
        );
        t.match(body, why, `${usage.auid} ${uri}`);
      }
    }
    t.equal((await send('GET', documentAt(usage, bob), { as: bob })).body, own, 'nothing has changed');
    await send('DELETE', documentAt(usage, bob), { as: bob });
  }
  for (const uri of [
    'sip:do%20ra@example.com',
    'sip:d\u00f8ra@example.com',
    'sip:dora&amp;=+$,?/@example.com:5060;x=[1]/:&amp;+$?Subject=a%20b',
    'sips:*!~@sub.example.com.',
    'tel:*21%23;phone-context=example.com',
  ]) {
    const name = encodeURIComponent(uri.replace(/\W/g, ''));
    const put = await send('PUT', documentAt(groups, bob, name), { as: bob, body: groups.document(uri) });
    t.equal(put.status, 201, `${uri}: ${put.body}`);
  }
  for (const xui of [
    'sip:do ra@example.com',
    'sip:dora@example.com/',
    'sip:dora@example.com;x=@example.com',
  ]) {
    const refused = { status: 400, body: { code: 'invalid-identity', detail: /, because it has / } };
    t.match(await ask('POST', '/subscribers', { xui }), refused, xui);
    t.match(await ask('POST', '/subscribers', { xui: alice, identities: [xui] }), refused, xui);
    t.equal((await ask('POST', '/subscribers?force=true', { xui })).status, 201, 'an operator may insist');
  }
});
