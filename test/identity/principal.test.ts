import t from 'tap';
import { query } from '../fixtures/database.js';
import { startServer, type TestServer } from '../fixtures/xcap-server.js';

const lists = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
const index = (xui: string) => `/resource-lists/users/${xui}/index`;

async function addAlice({ database }: TestServer): Promise<void> {
  await query(database, "insert into xcapd.subscribers (xui) values ('sip:+15550100001@ims.example.com')");
  await query(
    database,
    'insert into xcapd.identities (identity, xui) ' +
      "select unnest(array['sip:+15550100001@ims.example.com', 'tel:+15550100001', 'sip:alice@example.com', " +
      "'sip:001010123456789@ims.mnc001.mcc001.3gppnetwork.org']), 'sip:+15550100001@ims.example.com'",
  );
}

t.test('one subscriber, many identities, the same documents', async (t) => {
  const server = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  await addAlice(server);
  const created = await server.send('PUT', index('sip%3A%2B15550100001%40ims.example.com'), {
    as: 'sip:alice@example.com',
    body: lists,
  });
  t.equal(created.status, 201);
  const forms = [
    'sip:+15550100001@ims.example.com',
    'sip:%2B15550100001@ims.example.com',
    'sip:+15550100001@IMS.Example.COM',
    'sip:+15550100001@ims.example.com;user=phone',
    'sip:+15550100001:1234@ims.example.com',
    '+15550100001@ims.example.com',
    'tel:+15550100001',
    'tel:+1-555-010-0001',
    'tel:%2B1(555)0100001',
    'sip:alice@example.com',
    'sip:001010123456789@ims.mnc001.mcc001.3gppnetwork.org',
  ];
  for (const as of ['sip:alice@example.com', 'tel:+1.555.010.0001']) {
    for (const form of forms) {
      const answer = await server.send('GET', index(form), { as });
      t.equal(answer.headers.etag, created.headers.etag, `${form} as ${as}`);
    }
  }
  t.equal((await server.send('GET', index('tel:+15550100001'), { as: 'sip:bob@example.com' })).status, 403);
});

t.test('X-3GPP-Intended-Identity', async (t) => {
  const server = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  await addAlice(server);
  await server.send('PUT', index('tel:+15550100001'), { as: 'sip:alice@example.com', body: lists });
  const cases: [header: string, status: number][] = [
    ['"sip:alice@example.com"', 200],
    ['tel:+15550100001', 200],
    ['"sip:%2B15550100001@ims.example.com"', 200],
    ['"sip:bob@example.com"', 403],
  ];
  for (const [header, status] of cases) {
    const answer = await server.send('GET', index('sip:alice@example.com'), {
      as: 'sip:alice@example.com',
      headers: { 'x-3gpp-intended-identity': header },
    });
    t.equal(answer.status, status, header);
  }
});

t.test('a disabled subscriber', async (t) => {
  const server = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  await addAlice(server);
  await query(server.database, 'update xcapd.subscribers set is_disabled = true');
  const answer = await server.send('GET', index('sip:alice@example.com'), { as: 'tel:+15550100001' });
  t.match(answer, { status: 403, body: /disabled/ });
});

t.test('users whom the operator does not know', async (t) => {
  const server = await startServer(t, {
    environment: { XCAP_ROOTS: '/', XCAP_OPEN_PROVISIONING: 'false' },
  });
  await addAlice(server);
  const put = (xui: string) => server.send('PUT', index(xui), { as: xui, body: lists });
  t.equal((await put('sip:alice@example.com')).status, 201);
  t.match(await put('sip:bob@example.com'), {
    status: 404,
    body: /no such user\. .*xcapd user add.*XCAP_OPEN_PROVISIONING=true/,
  });
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const asStranger = { as: 'sip:mallory@example.com', ...(method === 'PUT' && { body: lists }) };
    const known = await server.send(method, index('sip:alice@example.com'), asStranger);
    const unknown = await server.send(method, index('sip:nobody@example.com'), asStranger);
    t.strictSame([known.status, unknown.status], [403, 403], method);
    t.equal(known.body, unknown.body);
  }
  t.equal((await server.send('GET', '/xcap-caps/global/index', { as: 'sip:bob@example.com' })).status, 200);
});

t.test('roles', async (t) => {
  const server = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  await query(
    server.database,
    "insert into xcapd.roles values ('sip:admin@example.com', 'administrator'), ('sip:help@example.com', 'support'), " +
      "('sip:rls@example.com', 'trusted-element')",
  );
  const as = (xui: string) => ({ as: xui, body: lists });
  const target = index('sip:alice@example.com');
  t.equal((await server.send('PUT', target, as('sip:help@example.com'))).status, 403);
  t.equal((await server.send('PUT', target, as('sip:rls@example.com'))).status, 403);
  t.equal((await server.send('PUT', target, as('sip:admin@example.com'))).status, 201);
  for (const xui of ['sip:help@example.com', 'sip:rls@example.com', 'sip:admin@example.com']) {
    t.equal((await server.send('GET', target, { as: xui })).status, 200, xui);
  }
  t.equal((await server.send('GET', target, { as: 'sip:bob@example.com' })).status, 403);
});

t.test('grants', async (t) => {
  const server = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  await addAlice(server);
  const grant = (grantee: string, auid: string, access: string, expires: string) =>
    query(
      server.database,
      'insert into xcapd.grants (xui, grantee, auid, access, expires_at, created_by) values ' +
        `('sip:+15550100001@ims.example.com', '${grantee}', '${auid}', '${access}', ${expires}, 'test')`,
    );
  await grant('sip:bob@example.com', 'resource-lists', 'write', "now() + interval '1 day'");
  await grant('sip:carol@example.com', 'resource-lists', 'read', "now() + interval '1 day'");
  await grant('sip:dave@example.com', 'resource-lists', 'write', "now() - interval '1 second'");
  const target = index('sip:alice@example.com');
  const attempt = async (as: string) => [
    (await server.send('PUT', target, { as, body: lists })).status,
    (await server.send('GET', target, { as })).status,
  ];
  t.same(await attempt('sip:bob@example.com'), [201, 200]);
  t.same(await attempt('sip:carol@example.com'), [403, 200]);
  t.same(await attempt('sip:dave@example.com'), [403, 403]);
});
