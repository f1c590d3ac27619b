import t from 'tap';
import { query } from '../../fixtures/database.js';
import { allItems, managementClient, type Page } from '../../fixtures/management-client.js';
import { startServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';

interface Listed {
  readonly xui: string;
}

t.test('a subscriber from beginning to end', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  const created = await ask('POST', '/subscribers', {
    xui: 'alice@EXAMPLE.com',
    identities: ['tel:+1-555-010-0001', 'sip:+15550100001@example.com;user=phone', alice],
    impi: 'alice@private.example.com',
    profile: 'residential',
    quota: { documents: 5 },
  });
  const expected = {
    xui: alice,
    identities: ['sip:+15550100001@example.com', alice, 'tel:+15550100001'],
    impi: 'alice@private.example.com',
    isDisabled: false,
    profile: 'residential',
    quota: { documents: 5 },
    usage: { documents: 0, bytes: 0 },
  };
  t.equal(created.status, 201);
  t.same(created.body, expected);
  t.equal(created.headers.location, '/api/v1/subscribers/sip%3Aalice%40example.com');
  for (const name of [
    alice,
    'sip%3Aalice%40example.com',
    'tel:+15550100001',
    'alice@example.com',
    'tel:+1(555)010.0001',
  ]) {
    t.same((await ask('GET', `/subscribers/${name}`)).body, expected, name);
  }

  const changed = await ask('PATCH', '/subscribers/tel:+15550100001', {
    isDisabled: true,
    profile: null,
    impi: null,
    quota: { documents: null, bytes: 1000 },
  });
  t.equal(changed.status, 200);
  t.same(changed.body, {
    xui: alice,
    identities: expected.identities,
    isDisabled: true,
    quota: { bytes: 1000 },
    usage: expected.usage,
  });
  t.match(await ask('PATCH', `/subscribers/${alice}`, { quota: { documents: 1 } }), {
    body: { isDisabled: true, quota: { documents: 1, bytes: 1000 } },
  });

  t.equal((await ask('DELETE', '/subscribers/tel:+15550100001')).status, 204);
  for (const method of ['GET', 'DELETE'])
    t.equal((await ask(method, `/subscribers/${alice}`)).status, 404, method);
  t.equal((await ask('PATCH', `/subscribers/${alice}`, { isDisabled: true })).status, 404);
});

t.test('identities', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice });
  const path = `/subscribers/${alice}/identities`;
  const added = await ask('POST', path, { identity: 'TEL:+1-555-010-0001' });
  t.equal(added.status, 201);
  t.match(added.body, { identities: [alice, 'tel:+15550100001'] });
  t.match(await ask('POST', path, { identity: 'tel:+15550100001' }), { status: 409 }, 'they have it already');
  t.match(await ask('DELETE', `${path}/${alice}`), { status: 409, body: { code: 'identity-is-xui' } });
  t.equal((await ask('DELETE', `${path}/tel:+15550100001`)).status, 204);
  t.equal((await ask('DELETE', `${path}/tel:+15550100001`)).status, 404);
  t.equal((await ask('GET', '/subscribers/tel:+15550100001')).status, 404);
  t.equal(
    (await ask('POST', '/subscribers/sip:nobody@example.com/identities', { identity: 'tel:1' })).status,
    404,
  );
});

t.test('long identities', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  const xui = `sip:${'é'.repeat(490)}@example.com`;
  t.equal((await ask('POST', '/subscribers', { xui })).status, 201);
  t.match(await ask('GET', `/subscribers/${encodeURIComponent(xui)}`), { status: 200, body: { xui } });
});

t.test('conflicts', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  const digest = [{ realm: 'r', username: 'u', algorithm: 'MD5', ha1: '0'.repeat(32) }];
  await ask('POST', '/subscribers', { xui: alice, identities: ['tel:+1'], impi: 'a', digest });
  const bob = 'sip:bob@example.com';
  const cases: readonly [body: object, code: string][] = [
    [{ xui: alice }, 'identity-taken'],
    [{ xui: 'tel:+1' }, 'identity-taken'],
    [{ xui: bob, identities: ['tel:+1'] }, 'identity-taken'],
    [{ xui: bob, impi: 'a' }, 'impi-taken'],
    [{ xui: bob, digest }, 'username-taken'],
  ];
  for (const [body, code] of cases) {
    const answer = await ask('POST', '/subscribers', body);
    t.equal(answer.status, 409, code);
    t.match(answer.body, { code, status: 409, detail: /\.$/ }, JSON.stringify(body));
  }
  t.equal((await ask('GET', `/subscribers/${bob}`)).status, 404, 'nothing of it was made');
  await ask('POST', '/subscribers', { xui: bob });
  t.match(await ask('PATCH', `/subscribers/${bob}`, { impi: 'a' }), {
    status: 409,
    body: { code: 'impi-taken' },
  });
  t.match(await ask('PATCH', `/subscribers/${alice}`, { impi: 'a' }), { status: 200 }, 'their own');
  t.match(await ask('POST', `/subscribers/${bob}/identities`, { identity: 'tel:+1' }), {
    status: 409,
    body: { code: 'identity-taken' },
  });
  t.match(await ask('PUT', `/subscribers/${bob}/credentials`, { digest }), {
    status: 409,
    body: { code: 'username-taken' },
  });
});

t.test('documents cannot claim the identity of a subscriber', async (t) => {
  const { manage, send } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: 'sip:bob@example.com', identities: ['sip:robert@example.com'] });
  await ask('POST', '/subscribers', { xui: alice });
  const answer = await send('PUT', `/xcap-root/rls-services/users/${alice}/index`, {
    body: '<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="sip:robert@example.com"><list/></service></rls-services>',
  });
  t.equal(answer.status, 409);
  t.match(answer.body, /<uniqueness-failure/);
});

t.test('bad input', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  const cases: readonly [body: object, where: string, detail: RegExp][] = [
    [{}, '#', /xui/],
    [{ xui: '' }, '#/xui', /fewer than 1/],
    [{ xui: 5 }, '#/xui', /string/],
    [{ xui: 'a\u0000b' }, '#/xui', /pattern/],
    [{ xui: 'a\ud800b' }, '#/xui', /pattern/],
    [{ xui: `sip:${'a'.repeat(1024)}@example.com` }, '#/xui', /more than 1024/],
    [{ xui: alice, impi: 'a'.repeat(513) }, '#/impi', /more than 512/],
    [{ xui: alice, nickname: 'al' }, '#', /'nickname' is not known here/],
    [{ xui: alice, quota: { documents: -1 } }, '#/quota/documents', />= 0/],
    [{ xui: alice, quota: { documents: '5' } }, '#/quota/documents', /integer/],
    [{ xui: alice, isDisabled: 'true' }, '#/isDisabled', /boolean/],
    [{ xui: alice, identities: Array.from({ length: 101 }, (_, i) => `tel:${i}`) }, '#/identities', /100/],
    [{ xui: alice, passwordHash: 'secret' }, '#/passwordHash', /pattern/],
  ];
  for (const [body, where, detail] of cases) {
    const answer = await ask('POST', '/subscribers', body);
    t.equal(answer.status, 400, detail.source);
    t.match(answer.body, { code: 'invalid-input', errors: [{ where, detail }] }, detail.source);
    t.match(answer.headers['content-type'], /^application\/problem\+json/);
    t.notMatch(JSON.stringify(answer.body), /"secret"/);
  }
  const raw = (body: string, type: string) =>
    manage('POST', '/api/v1/subscribers', { body, headers: { 'content-type': type } });
  const broken = await raw('{"password":"topsecret"', 'application/json');
  t.equal(broken.status, 400);
  t.notMatch(broken.body, /topsecret/, 'what could not be read is not repeated');
  t.equal((await raw('xui=a', 'application/x-www-form-urlencoded')).status, 415);
  t.equal((await raw(JSON.stringify({ xui: 'x'.repeat(2_000_000) }), 'application/json')).status, 413);
  t.equal((await ask('GET', '/subscribers/%ff')).status, 400);
  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=x',
    'cursor=',
    'cursor=AAAA',
    'cursor=c2lwOmE',
    'nonsense=1',
  ]) {
    t.equal((await ask('GET', `/subscribers?${query}`)).status, 400, query);
  }
});

t.test('If-Match: nobody changes what somebody else has changed', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  const path = '/subscribers/sip:alice@example.com';
  await ask('POST', '/subscribers', { xui: 'sip:alice@example.com' });
  const { etag = '' } = (await ask('GET', path)).headers;
  t.match(etag, /^"[\w-]{22}"$/);
  const change = (documents: number, ifMatch: string) =>
    ask('PATCH', path, { quota: { documents } }, { 'if-match': ifMatch });
  t.match(await change(1, '"other"'), { status: 412, body: { detail: /has changed/ } });
  const changes = await Promise.all([1, 2, 3, 4].map((documents) => change(documents, etag)));
  t.same(changes.map(({ status }) => status).toSorted(), [200, 412, 412, 412], 'one of four');
  const [changed] = changes.filter(({ status }) => status === 200);
  t.equal((await ask('GET', path)).headers.etag, changed?.headers.etag);
  t.equal((await change(9, `"x", ${changed?.headers.etag ?? ''}`)).status, 200);
  t.equal((await change(10, '*')).status, 200);
});

t.test('If-Match: nobody erases what somebody else has changed', async (t) => {
  const { manage, send } = await startServer(t);
  const ask = managementClient(manage);
  const path = `/subscribers/${alice}`;
  const erase = (ifMatch: string) => ask('DELETE', path, undefined, { 'if-match': ifMatch });
  t.equal((await erase('*')).status, 404, 'there is nothing');
  await ask('POST', '/subscribers', { xui: alice });
  const list = `/xcap-root/resource-lists/users/${alice}/index`;
  const body = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  t.equal((await send('PUT', list, { body })).status, 201);
  const { etag: before = '' } = (await ask('GET', path)).headers;
  const { etag: now = '' } = (await ask('PATCH', path, { isDisabled: true })).headers;
  for (const ifMatch of [before, '"other"', `W/${now}`]) {
    t.match(await erase(ifMatch), { status: 412, body: { detail: /has changed/ } }, ifMatch);
  }
  t.match(
    await ask('GET', path),
    { headers: { etag: now }, body: { usage: { documents: 1 } } },
    'all is there',
  );
  const erasures = await Promise.all([erase(now), erase(now), erase(now)]);
  t.same(erasures.map(({ status }) => status).toSorted(), [204, 404, 404]);
  await send('PUT', list, { body });
  t.equal((await erase('*')).status, 412, 'whose documents are there is no subscriber for that');
  t.equal((await ask('DELETE', path)).status, 204);
});

t.test('an identity can be as long as a path takes it, in bytes', async (t) => {
  const { manage, send } = await startServer(t);
  const ask = managementClient(manage);
  const body = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  // By which they log in: a header has 1,024 characters at most.
  const short = 'sip:short@example.com';
  const ofBytes = (bytes: number, character: string) => {
    const rest = bytes - 'sip:@example.com'.length;
    const size = Buffer.byteLength(character);
    return `sip:${'a'.repeat(rest % size)}${character.repeat(Math.floor(rest / size))}@example.com`;
  };
  for (const character of ['a', 'ä', '人', '😀']) {
    const longest = ofBytes(1024, character);
    const path = encodeURIComponent(longest);
    const tooLong = ofBytes(1025, character);
    t.equal(
      (await ask('POST', '/subscribers', { xui: longest, identities: [short] })).status,
      201,
      character,
    );
    t.match(await ask('GET', `/subscribers/${path}`), { status: 200, body: { xui: longest } });
    for (const [name, status] of [
      [longest, 201],
      [tooLong, 414],
    ] as const) {
      const target = `/xcap-root/resource-lists/users/${encodeURIComponent(name)}/index`;
      t.equal((await send('PUT', target, { as: short, body })).status, status, name);
    }
    const refused = { status: 400 };
    t.match(await ask('POST', '/subscribers', { xui: tooLong }), refused, `${character}: no subscriber`);
    t.match(await ask('POST', `/subscribers/${path}/identities`, { identity: tooLong }), refused);
    const force = '/subscribers?force=true';
    t.match(await ask('POST', force, { xui: tooLong }), refused, 'not even by force');
    const grant = { access: 'read', expiresAt: '2999-01-01T00:00:00Z' };
    t.match(await ask('POST', `/subscribers/${path}/grants`, { ...grant, grantee: tooLong }), refused);
    const role = { role: 'support' };
    t.match(await ask('PUT', `/roles/${encodeURIComponent(tooLong)}`, role), refused);
    t.equal((await ask('PUT', `/roles/${path}`, role)).status, 200);
    t.equal((await ask('DELETE', `/subscribers/${path}`)).status, 204);
  }
});

t.test('pages are complete while others are made', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  const name = (i: number) => `sip:user${String(i).padStart(3, '0')}@example.com`;
  const even = Array.from({ length: 40 }, (_, i) => name(2 * i));
  for (const xui of even) await ask('POST', '/subscribers', { xui });
  const seen: string[] = [];
  let cursor: string | undefined;
  let odd = 1;
  do {
    const query = cursor === undefined ? '' : `&cursor=${cursor}`;
    const page = (await ask('GET', `/subscribers?limit=7${query}`)).body as Page<Listed>;
    t.ok(page.items.length <= 7);
    seen.push(...page.items.map(({ xui }) => xui));
    for (let i = 0; i < 3; i++, odd += 6) await ask('POST', '/subscribers', { xui: name(odd) });
    cursor = page.next;
  } while (cursor !== undefined);
  t.same(
    even.filter((xui) => !seen.includes(xui)),
    [],
    'nobody is missing',
  );
  t.equal(new Set(seen).size, seen.length, 'nobody is there twice');
  t.same(seen, seen.toSorted(), 'sorted');
});

t.test('search by the beginning of an identity', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice, identities: ['tel:+15550100001', 'tel:+15550100009'] });
  await ask('POST', '/subscribers', { xui: 'sip:alan@example.com', identities: ['tel:+15550100002'] });
  await ask('POST', '/subscribers', { xui: 'sip:100%25@example.com' });
  const found = async (query: string) =>
    (await allItems<Listed>(ask, `/subscribers?limit=1&query=${encodeURIComponent(query)}`)).map(
      ({ xui }) => xui,
    );
  t.same(await found('al'), ['sip:alan@example.com', alice]);
  t.same(await found('sip:ali'), [alice]);
  t.same(await found('tel:+1555'), ['sip:alan@example.com', alice]);
  t.same(await found('tel:+15550100009'), [alice]);
  t.same(await found('%'), []);
  t.same(await found('100%'), ['sip:100%25@example.com']);
});

t.test('a database that is away', async (t) => {
  const { manage, database } = await startServer(t);
  const ask = managementClient(manage);
  const others = { ...database, database: 'postgres' };
  await query(others, `alter database ${database.database} with allow_connections false`);
  await query(
    others,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.database}'`,
  );
  for (const answer of [
    await ask('GET', '/subscribers'),
    await ask('POST', '/subscribers', { xui: alice }),
  ]) {
    t.match(answer, {
      status: 503,
      headers: { 'retry-after': /^\d+$/ },
      body: { title: 'Service Unavailable' },
    });
  }
  await query(others, `alter database ${database.database} with allow_connections true`);
  t.equal((await ask('POST', '/subscribers', { xui: alice })).status, 201);
});
