/** The archive of a subscriber, their erasure, and the audit trail. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { query, type TestDatabase } from '../../fixtures/database.js';
import { allItems, managementClient, type Ask } from '../../fixtures/management-client.js';
import { until } from '../../fixtures/serve.js';
import { startServer, type Send } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const names = [alice, 'tel:+15550100001', 'sip:al@example.com', 'alice@private.example.com'];
const tomorrow = new Date(Date.now() + 86_400_000).toISOString();

function services(uri: string): string {
  return `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="${uri}"><list/></service></rls-services>`;
}

function lists(name: string): string {
  return `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="${name}"/></resource-lists>`;
}

/** Alice leaves her traces in every table; so does Bob, who stays. */
async function leaveTraces(ask: Ask, send: Send): Promise<void> {
  await ask('POST', '/subscribers', {
    xui: alice,
    identities: names.slice(1, 3),
    impi: names[3],
    profile: 'residential',
    password: 'secret',
  });
  await ask('POST', '/subscribers', { xui: bob, password: 'secret' });
  await ask('POST', `/subscribers/${bob}/grants`, { grantee: alice, access: 'write', expiresAt: tomorrow });
  await ask('POST', `/subscribers/${alice}/grants`, { grantee: bob, access: 'read', expiresAt: tomorrow });
  await ask('POST', `/subscribers/${bob}/grants`, {
    grantee: 'tel:+15550100001',
    access: 'read',
    expiresAt: tomorrow,
  });
  await ask('PUT', `/roles/${alice}`, { role: 'support' });
  await ask('POST', `/subscribers/${alice}/identities`, { identity: 'sip:ally@example.com' });
  await ask('DELETE', `/subscribers/${alice}/identities/sip:ally@example.com`);
  for (const name of ['a', 'b']) {
    await send('PUT', `/xcap-root/resource-lists/users/${alice}/index`, { body: lists(name) });
  }
  await send('PUT', `/xcap-root/resource-lists/users/${alice}/gone`, { body: lists('gone') });
  await send('DELETE', `/xcap-root/resource-lists/users/${alice}/gone`);
  await send('PUT', `/xcap-root/rls-services/users/${alice}/index`, {
    body: services('sip:hers@example.com'),
  });
  await send('PUT', `/xcap-root/rls-services/users/${bob}/index`, {
    as: bob,
    body: services('sip:their@example.com'),
  });
  await send('PUT', `/xcap-root/resource-lists/users/${bob}/index`, { body: lists('by alice') });
}

/** The places in all tables, views of PostgreSQL's own catalogue, where one of the texts stands. */
async function placesOf(database: TestDatabase, texts: readonly string[]): Promise<string[]> {
  const columns = await query<{ table_name: string; column_name: string }>(
    database,
    `select table_name, column_name from information_schema.columns
     where table_schema = 'xcapd' and data_type in ('text', 'character varying', 'jsonb', 'json', 'ARRAY')`,
  );
  const questions = columns.flatMap(({ table_name: table, column_name: column }) =>
    texts.map(
      (text) =>
        `select '${table}.${column}: ${text}' as place where exists (
          select from xcapd.${table} where position('${text}' in ${column}::text) > 0)`,
    ),
  );
  const places = await query<{ place: string }>(database, questions.join(' union all '));
  return places.map(({ place }) => place);
}

t.test('nothing is left of a subscriber who was erased', async (t) => {
  const { manage, send, database } = await startServer(t);
  const ask = managementClient(manage);
  await leaveTraces(ask, send);
  const kept = `/api/v1/documents/resource-lists/users/${alice}/kept?keepInvalid=true`;
  t.equal((await manage('PUT', kept, { body: `<not-valid>${alice}</not-valid>` })).status, 201);
  await until('her requests are kept', async () => {
    const { body } = await ask('GET', `/subscribers/${bob}/requests`);
    return JSON.stringify(body).includes(alice);
  });
  const before = await placesOf(database, names);
  for (const table of [
    'audit_records',
    'claims',
    'digest_secrets',
    'document_versions',
    'documents',
    'flagged_documents',
    'grants',
    'identities',
    'password_hashes',
    'requests',
    'roles',
    'subscribers',
  ]) {
    t.ok(
      before.some((place) => place.startsWith(`${table}.`)),
      `${table} tells of her`,
    );
  }
  t.ok(before.includes(`document_versions.author: ${alice}`));
  t.same(
    await placesOf(database, ['sip:ally@example.com']),
    [],
    'nothing is left of an identity that was taken away',
  );

  const rls = { as: 'sip:rls@example.com' };
  await ask('PUT', '/roles/sip:rls@example.com', { role: 'trusted-element' });
  t.match((await send('GET', '/xcap-root/rls-services/global/index', rls)).body, /hers@/);
  t.equal((await ask('DELETE', '/subscribers/tel:+15550100001')).status, 204);

  t.same(await placesOf(database, names), [], 'no column of any table has any of her names');
  t.same(await placesOf(database, ['hers@example.com']), []);
  const global = (await send('GET', '/xcap-root/rls-services/global/index', rls)).body;
  t.notMatch(global, /hers@/, 'the listing of the claims has changed');
  t.match(global, /their@/);
  t.equal(
    (await send('GET', `/xcap-root/resource-lists/users/${bob}/index`, { as: bob })).body,
    lists('by alice'),
  );
  t.equal((await ask('GET', `/subscribers/${bob}`)).status, 200);

  const subject = `sha256:${createHash('sha256').update(alice).digest('hex')}`;
  const records = await allItems<{ action: string; details: object }>(ask, `/audit?subject=${subject}`);
  t.match(records[0], { action: 'subscriber.erase', actor: 'loopback', subject });
  t.same(
    records.filter(({ details }) => Object.keys(details).length > 0),
    [],
    'what is left says when what was done, and no more',
  );
  t.equal(
    (await ask('POST', '/subscribers', { xui: alice, impi: names[3], password: 'x' })).status,
    201,
    'a new one',
  );
});

t.test('the archive has all that is stored of a subscriber, and no secret', async (t) => {
  const { manage, send } = await startServer(t);
  const ask = managementClient(manage);
  await leaveTraces(ask, send);
  const { status, body } = await ask('GET', '/subscribers/tel:+15550100001/archive');
  t.equal(status, 200);
  t.match(body, {
    subscriber: {
      xui: alice,
      identities: names.slice(0, 3).toSorted(),
      impi: names[3],
      profile: 'residential',
    },
    credentials: { digest: [{ realm: 'example.com' }], hasPassword: true },
    role: 'support',
    claims: ['sip:hers@example.com'],
    usage: { documents: 2 },
    grantsGiven: [{ grantee: bob }],
    grantsReceived: [{ owner: bob }, { owner: bob }],
    documents: [
      {
        auid: 'resource-lists',
        path: 'index',
        content: lists('b'),
        versions: [
          { version: 2, content: lists('b') },
          { version: 1, content: lists('a') },
        ],
      },
      { auid: 'rls-services' },
    ],
    deletedDocuments: [{ path: 'gone', versions: [{ version: 2 }, { version: 1, content: lists('gone') }] }],
  });
  t.ok((body as { audit: unknown[] }).audit.length > 3);
  t.notMatch(JSON.stringify(body), /ha1|scrypt|[0-9a-f]{32}"/);
  t.equal((await ask('GET', '/subscribers/sip:nobody@example.com/archive')).status, 404);
});

t.test('every write leaves a record, and no read', async (t) => {
  const { manage, send } = await startServer(t);
  const ask = managementClient(manage);
  await leaveTraces(ask, send);
  await ask('PATCH', `/subscribers/${alice}`, { isDisabled: true, profile: null });
  await ask('DELETE', `/subscribers/${alice}/credentials`);
  await ask('GET', `/subscribers/${alice}`);
  await ask('POST', '/subscribers', { xui: alice });
  const records = await allItems<{ action: string; details: object }>(
    ask,
    `/audit?limit=2&subject=al@example.com`,
  );
  t.same(
    records.map(({ action }) => action),
    [
      'credentials.remove',
      'subscriber.update',
      'identity.remove',
      'identity.add',
      'role.set',
      'grant.create',
      'subscriber.create',
    ],
    'the latest first',
  );
  t.same(records[1]?.details, { changed: ['isDisabled', 'profile'] });
  const all = await allItems(ask, '/audit?limit=3');
  t.ok(all.length > records.length);
  t.notMatch(JSON.stringify(all), /secret|list name/);
  t.equal((await ask('GET', '/audit?cursor=eHg')).status, 400);
});
