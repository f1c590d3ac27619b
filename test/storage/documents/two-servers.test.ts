/** What two servers on one database never do to each other, as README.md and ARCHITECTURE.md promise it. */
import t from 'tap';
import { query } from '../../fixtures/database.js';
import { deadlocks } from '../../fixtures/deadlocks.js';
import { managementClient } from '../../fixtures/management-client.js';
import { until } from '../../fixtures/serve.js';
import type { TestContext } from '../../fixtures/tap.js';
import { startServer, type Answer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const carol = 'sip:carol@example.com';
const element = { 'content-type': 'application/xcap-el+xml' };

const lists = (name: string) =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="${name}"></list></resource-lists>`;
const listsOf = (xui: string, name = 'index') => `/xcap-root/resource-lists/users/${xui}/${name}`;
const services = (...uris: readonly string[]) =>
  `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services">${uris
    .map((uri) => `<service uri="${uri}"><list/></service>`)
    .join('')}</rls-services>`;
const servicesOf = (xui: string) => `/xcap-root/rls-services/users/${xui}/index`;

async function twoServers(t: TestContext, environment: NodeJS.ProcessEnv = {}) {
  const one = await startServer(t, { environment });
  const two = await startServer(t, { environment, database: one.database });
  return { one, two, database: one.database };
}

function statuses(answers: readonly Answer[]): Set<number> {
  return new Set(answers.map(({ status }) => status));
}

t.test('an entity tag never comes back, also where the same content does', async (t) => {
  const { one, two } = await twoServers(t);
  const first = await one.send('PUT', listsOf(alice), { body: lists('a') });
  const old = first.headers.etag;
  t.equal((await one.send('GET', listsOf(alice))).headers.etag, old, 'one has it cached');
  t.equal((await two.send('DELETE', listsOf(alice), { headers: { 'if-match': old } })).status, 200);
  t.equal((await two.send('PUT', listsOf(alice), { body: lists('a') })).status, 201);
  for (const server of [one, two]) {
    const matched = { headers: { 'if-match': old }, body: lists('b') };
    t.equal((await server.send('PUT', listsOf(alice), matched)).status, 412);
    t.equal((await server.send('DELETE', listsOf(alice), { headers: { 'if-match': old } })).status, 412);
    const conditional = await server.send('GET', listsOf(alice), { headers: { 'if-none-match': old } });
    t.match(conditional, { status: 200, body: lists('a') });
  }
});

t.test('a read never has the content of one version and the tag of another', async (t) => {
  const { one, two } = await twoServers(t);
  await one.send('PUT', listsOf(alice), { body: lists('0') });
  const written = new Map<string | undefined, string>();
  const write = async (server: typeof one, names: readonly string[]) => {
    for (const name of names) {
      const { headers } = await server.send('PUT', listsOf(alice), { body: lists(name) });
      written.set(headers.etag, lists(name));
    }
  };
  let isWriting = true;
  const read = async (server: typeof one) => {
    const answers: Answer[] = [];
    while (isWriting) answers.push(await server.send('GET', listsOf(alice)));
    return answers;
  };
  const reads = [one, two, one, two].map(read);
  const names = Array.from({ length: 40 }, (_, i) => String(i + 1));
  await Promise.all([
    write(one, names),
    write(
      two,
      names.map((name) => `${name}-`),
    ),
  ]);
  isWriting = false;
  const answers = (await Promise.all(reads)).flat();
  t.same(statuses(answers), new Set([200]));
  const mixed = answers.filter(
    ({ headers, body }) => written.has(headers.etag) && written.get(headers.etag) !== body,
  );
  t.equal(mixed.length, 0, `${answers.length} reads`);
});

t.test('an element never makes a document that somebody has deleted anew', async (t) => {
  const { one, two } = await twoServers(t);
  for (let round = 0; round < 10; round++) {
    await one.send('PUT', listsOf(alice), { body: lists('l') });
    const puts = Array.from({ length: 10 }, (_, i) =>
      (i % 2 === 0 ? one : two).send(
        'PUT',
        `${listsOf(alice)}/~~/resource-lists/list/entry%5B@uri=%22sip:${i}@example.com%22%5D`,
        { headers: element, body: `<entry uri="sip:${i}@example.com"/>` },
      ),
    );
    const deletion = two.send('DELETE', listsOf(alice));
    t.equal((await deletion).status, 200);
    for (const status of statuses(await Promise.all(puts)))
      t.ok([201, 404, 409].includes(status), `${status}`);
    for (const server of [one, two]) t.equal((await server.send('GET', listsOf(alice))).status, 404);
  }
});

t.test(
  'users who exchange their URIs at the same moment: each URI has one document, and nobody waits crosswise',
  async (t) => {
    const { one, two, database } = await twoServers(t);
    const uris = ['sip:red@example.com', 'sip:blue@example.com'];
    const answers: Answer[] = [];
    for (let round = 0; round < 12; round++) {
      const [first, second] = round % 2 === 0 ? uris : uris.toReversed();
      const both = [first, second] as string[];
      answers.push(
        ...(await Promise.all([
          one.send('PUT', servicesOf(alice), { as: alice, body: services(...both) }),
          two.send('PUT', servicesOf(bob), { as: bob, body: services(...both.toReversed()) }),
          two.send('PUT', servicesOf(alice), { as: alice, body: services(first ?? '') }),
          one.send('PUT', servicesOf(bob), { as: bob, body: services(second ?? '') }),
        ])),
      );
      const claims = await query<{ uri: string; xui: string }>(database, 'select uri, xui from xcapd.claims');
      const contents = await query<{ xui: string; content: string }>(
        database,
        'select xui, content from xcapd.documents',
      );
      const claimed = claims.map(({ uri, xui }) => `${xui} ${uri}`).sort();
      const written = contents
        .flatMap(({ xui, content }) =>
          uris.filter((uri) => content.includes(uri)).map((uri) => `${xui} ${uri}`),
        )
        .sort();
      t.same(claimed, written, 'the claims are those of the documents');
      t.equal(new Set(claims.map(({ uri }) => uri)).size, claims.length);
    }
    for (const status of statuses(answers)) t.ok([200, 201, 409].includes(status), `${status}`);
    t.equal(await deadlocks(database), 0);
  },
);

t.test('writers, changes of identities and erasures on two servers: nobody waits crosswise', async (t) => {
  const { one, two, database } = await twoServers(t, { XCAP_QUOTA_BYTES: '100000' });
  const [askOne, askTwo] = [one, two].map(({ manage }) => managementClient(manage));
  if (askOne === undefined || askTwo === undefined) return;
  const faults: string[] = [];
  const note = (what: string, { status }: { status: number }) => {
    // 503: the home is being moved or erased, and the client is to try again.
    if (status >= 500 && status !== 503) faults.push(`${what} ${status}`);
  };
  const users = [alice, bob, carol];
  const rounds = Array.from({ length: 8 }, (_, i) => i);
  const writing = users.map(async (xui, user) => {
    for (const i of rounds) {
      const server = (i + user) % 2 === 0 ? one : two;
      note(
        'PUT',
        await server.send('PUT', servicesOf(xui), {
          as: xui,
          body: services(`sip:s${(i + user) % 3}@example.com`),
        }),
      );
      note('PUT', await server.send('PUT', listsOf(xui, `d${i}`), { as: xui, body: lists('x') }));
      note(
        'PUT',
        await server.send('PUT', listsOf(`sip:other${user}@example.com`), {
          as: `sip:other${user}@example.com`,
          body: lists('y'),
        }),
      );
    }
  });
  const operating = users.map(async (xui, user) => {
    const ask = user % 2 === 0 ? askTwo : askOne;
    for (const i of rounds) {
      note('POST', await ask('POST', '/subscribers', { xui }));
      note(
        'POST',
        await ask('POST', `/subscribers/${xui}/identities`, {
          identity: `sip:other${(i + user) % 3}@example.com`,
        }),
      );
      note('DELETE', await ask('DELETE', `/subscribers/${xui}`));
    }
  });
  await Promise.all([...writing, ...operating]);
  t.same(faults, []);
  t.equal(await deadlocks(database), 0);
});

t.test('a flag is never on a version that it was not given to', async (t) => {
  const { one, two, database } = await twoServers(t);
  const invalid = lists('a').replace('</list>', '<liszt/></list>');
  const document = `/documents/resource-lists/users/${alice}/index`;
  await managementClient(one.manage)('POST', '/subscribers', { xui: alice });
  for (let round = 0; round < 10; round++) {
    const [kept, put] = await Promise.all([
      one.manage('PUT', `/api/v1${document}?keepInvalid=true`, {
        headers: { 'content-type': 'application/resource-lists+xml' },
        body: invalid,
      }),
      two.send('PUT', listsOf(alice), { body: lists(String(round)) }),
    ]);
    t.ok(kept.status < 300 && put.status < 300, `${kept.status}, ${put.status}`);
    const [row] = await query<{ content: string; flagged: boolean }>(
      database,
      'select content, exists (select from xcapd.flagged_documents as flagged where (flagged.xui, flagged.auid, ' +
        'flagged.path, flagged.entity_tag) = (d.xui, d.auid, d.path, d.entity_tag)) as flagged from xcapd.documents as d',
    );
    t.equal(row?.flagged, row?.content === invalid);
  }
});

t.test('who loses a right on one server has it on the other for two seconds at most', async (t) => {
  const { one, two } = await twoServers(t);
  const ask = managementClient(one.manage);
  await ask('POST', '/subscribers', { xui: alice });
  await one.send('PUT', listsOf(alice), { body: lists('a') });
  const grant = { grantee: bob, access: 'write', expiresAt: new Date(Date.now() + 86_400_000).toISOString() };
  const { body } = await ask('POST', `/subscribers/${alice}/grants`, grant);
  const { id } = body as { id: string };
  const write = () => two.send('PUT', listsOf(alice), { as: bob, body: lists('b') });
  await until('the grant is known', async () => (await write()).status === 200);
  t.equal((await ask('DELETE', `/subscribers/${alice}/grants/${id}`)).status, 204);
  await until('its end is known', async () => (await write()).status === 403);
  t.equal((await write()).status, 403, 'and for good');
  await ask('PATCH', `/subscribers/${alice}`, { isDisabled: true });
  await until(
    'who is disabled is nobody',
    async () => (await two.send('GET', listsOf(alice))).status === 403,
  );
});
