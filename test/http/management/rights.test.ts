/** Credentials, grants and roles. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { query } from '../../fixtures/database.js';
import { allItems, managementClient } from '../../fixtures/management-client.js';
import { startServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const tomorrow = new Date(Date.now() + 86_400_000).toISOString();

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

t.test('credentials', async (t) => {
  const { manage, database } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice });
  const path = `/subscribers/${alice}/credentials`;
  const secrets = () =>
    query<{ username: string; algorithm: string; ha1: string }>(
      database,
      'select username, realm, algorithm, ha1 from xcapd.digest_secrets order by realm, username, algorithm',
    );
  const hashes = () => query<{ hash: string }>(database, 'select hash from xcapd.password_hashes');

  t.equal((await ask('PUT', path, { password: 'secret' })).status, 204);
  const login = { username: 'alice@example.com', realm: 'example.com', algorithm: 'MD5' };
  const ha1 = md5('alice@example.com:example.com:secret');
  t.ok(
    (await secrets()).some((row) => JSON.stringify(row) === JSON.stringify({ ...login, ha1 })),
    'HA1 for HTTP Digest',
  );
  t.match(await hashes(), [{ hash: /^\$scrypt\$/ }], 'a hash for HTTP Basic');

  const own = { realm: 'r', username: 'u', algorithm: 'MD5', ha1: md5('u:r:secret') };
  t.equal((await ask('PUT', path, { digest: [own] })).status, 204);
  t.same(await secrets(), [own], 'it replaces all');
  t.same(await hashes(), []);

  const hash = `$scrypt$ln=15,r=8,p=3$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  t.equal((await ask('PUT', path, { passwordHash: hash })).status, 204);
  t.same(await hashes(), [{ hash }]);
  t.same(await secrets(), []);

  t.equal((await ask('DELETE', path)).status, 204);
  t.same(await hashes(), []);

  for (const body of [
    {},
    { password: '' },
    { password: 'x', digest: [own] },
    { digest: [own, own] },
    { digest: [{ ...own, algorithm: 'SHA-256' }] },
    { digest: [{ ...own, algorithm: 'SHA-1' }] },
    { digest: [{ ...own, ha1: own.ha1.toUpperCase() }] },
    { passwordHash: hash.replace('ln=15', 'ln=31') },
  ]) {
    const answer = await ask('PUT', path, body);
    t.match(answer, { status: 400, body: { code: 'invalid-input' } }, JSON.stringify(body));
    t.notMatch(JSON.stringify(answer.body), own.ha1);
  }
  for (const method of ['PUT', 'DELETE']) {
    const body = method === 'PUT' ? { password: 'x' } : undefined;
    t.equal((await ask(method, `/subscribers/${bob}/credentials`, body)).status, 404, method);
  }
  const audit = JSON.stringify((await ask('GET', `/audit?subject=${alice}`)).body);
  t.match(audit, /credentials\.set.*credentials\.set/);
  t.notMatch(audit, /secret|scrypt/);
});

t.test('credentials are encrypted where there is a key', async (t) => {
  const environment = { XCAP_SECRETS_KEY: Buffer.alloc(32, 7).toString('base64') };
  const { manage, database } = await startServer(t, { environment });
  const ask = managementClient(manage);
  const digest = [{ realm: 'r', username: 'u', algorithm: 'MD5', ha1: md5('u:r:secret') }];
  t.equal((await ask('POST', '/subscribers', { xui: alice, digest })).status, 201);
  t.match(await query(database, 'select ha1 from xcapd.digest_secrets'), [{ ha1: /^gcm:/ }]);
});

t.test('encrypted credentials are taken only where they can be opened', async (t) => {
  const keyed = (byte: number) => ({ XCAP_SECRETS_KEY: Buffer.alloc(32, byte).toString('base64') });
  const digest = [{ realm: 'r', username: 'u', algorithm: 'MD5', ha1: md5('u:r:secret') }];
  const source = await startServer(t, { environment: keyed(7) });
  const askSource = managementClient(source.manage);
  t.equal((await askSource('POST', '/subscribers', { xui: bob, digest })).status, 201);
  const exported = await source.manage('GET', '/api/v1/export?include=credentials');
  const sealed = JSON.parse(exported.body) as { digest: typeof digest };
  t.match(sealed.digest, [{ ha1: /^gcm:/ }]);
  const importing = { headers: { 'content-type': 'application/x-ndjson' } };
  const alone = JSON.stringify({ xui: alice });

  const same = await startServer(t, { environment: keyed(7) });
  const taken = await same.manage('POST', '/api/v1/import', { ...importing, body: exported.body });
  t.match(taken.body, /"done":true,"imported":1,"refused":0/);

  for (const [what, environment] of [
    ['another key', keyed(8)],
    ['no key', {}],
  ] as const) {
    const target = await startServer(t, { environment });
    const ask = managementClient(target.manage);
    const body = `${alone}\n${exported.body}`;
    const answer = await target.manage('POST', '/api/v1/import', { ...importing, body });
    const [report = ''] = answer.body.split('\n');
    t.match(JSON.parse(report), { line: 2, error: /'u' in realm 'r' \(MD5\).*XCAP_SECRETS_KEY/ }, what);
    t.match(answer.body, /"done":true,"imported":1,"refused":1/);
    t.equal((await ask('GET', `/subscribers/${bob}`)).status, 404, what);
    const put = await ask('PUT', `/subscribers/${alice}/credentials`, { digest: sealed.digest });
    t.match(put, { status: 400, body: { code: 'invalid-input', detail: /XCAP_SECRETS_KEY/ } }, what);
    t.notMatch(JSON.stringify(put.body), /gcm:/);
  }
  const other = await askSource('POST', '/subscribers', { xui: alice, digest: sealed.digest });
  t.match(other, { status: 400, body: { code: 'invalid-input' } }, 'the secret of somebody else');
});

t.test('user names go with the identity that they come from', async (t) => {
  const { manage, database } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', {
    xui: alice,
    identities: ['tel:+1', 'sip:al@example.com'],
    impi: 'al',
    password: 'x',
  });
  const names = async () => {
    const rows = await query<{ username: string }>(
      database,
      'select distinct username from xcapd.digest_secrets',
    );
    return rows.map(({ username }) => username).toSorted();
  };
  const their = ['alice', 'alice@example.com', alice];
  t.same(await names(), ['al', 'al@example.com', ...their, 'sip:al@example.com', 'tel:+1'].toSorted());
  await ask('DELETE', `/subscribers/${alice}/identities/tel:+1`);
  await ask('DELETE', `/subscribers/${alice}/identities/sip:al@example.com`);
  t.same(await names(), ['al', ...their].toSorted(), 'the private identity has the same name');
  await ask('PATCH', `/subscribers/${alice}`, { impi: null });
  t.same(await names(), their.toSorted());
  const next = { xui: 'tel:+1', identities: ['sip:al@example.com'], impi: 'al', password: 'y' };
  t.equal((await ask('POST', '/subscribers', next)).status, 201, 'somebody else can have them');
});

t.test('grants', async (t) => {
  const { manage, send } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice });
  await ask('POST', '/subscribers', { xui: bob, identities: ['tel:+2'] });
  const path = `/subscribers/${alice}/grants`;
  const grant = {
    grantee: 'tel:+2',
    auid: 'resource-lists',
    path: 'in%64ex',
    access: 'read',
    expiresAt: tomorrow,
  };
  const created = await ask('POST', path, grant);
  t.equal(created.status, 201);
  const expected = {
    owner: alice,
    grantee: bob,
    auid: 'resource-lists',
    path: 'index',
    access: 'read',
    expiresAt: tomorrow,
  };
  t.match(created.body, expected);
  const { id } = created.body as { id: string };
  await ask('POST', path, { grantee: 'sip:carol@example.com', access: 'write', expiresAt: tomorrow });
  t.equal((await allItems(ask, `${path}?limit=1`)).length, 2);
  t.same(await allItems(ask, '/grants?grantee=tel:%2B2'), [{ id, ...expected }]);

  const document = `/xcap-root/resource-lists/users/${alice}/index`;
  await send('PUT', document, { body: '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>' });
  t.equal((await send('GET', document, { as: bob })).status, 200, 'it counts');
  t.equal((await ask('DELETE', `/subscribers/${bob}/grants/${id}`)).status, 404, 'not theirs');
  t.equal((await ask('DELETE', `${path}/${id}`)).status, 204);
  t.equal((await send('GET', document, { as: bob })).status, 403, 'it ends at once in this process');
  t.equal((await ask('DELETE', `${path}/${id}`)).status, 404);
  t.equal((await ask('DELETE', `${path}/nonsense`)).status, 400);

  for (const body of [
    { ...grant, grantee: alice },
    { ...grant, access: 'admin' },
    { ...grant, expiresAt: 'tomorrow' },
    { ...grant, expiresAt: '2020-01-01T00:00:00Z' },
    { ...grant, path: '%' },
    { grantee: bob, path: 'index', access: 'read', expiresAt: tomorrow },
    { ...grant, more: 1 },
  ]) {
    t.equal((await ask('POST', path, body)).status, 400, JSON.stringify(body));
  }
  t.equal((await ask('POST', '/subscribers/sip:x@example.com/grants', grant)).status, 404);
  t.equal((await ask('GET', '/subscribers/sip:x@example.com/grants')).status, 404);
  t.equal((await ask('GET', '/grants')).status, 400);
});

t.test('rights do not go over to the next who has a number', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice });
  await ask('POST', `/subscribers/${alice}/grants`, {
    grantee: 'tel:+2',
    access: 'read',
    expiresAt: tomorrow,
  });
  await ask('PUT', '/roles/tel:+2', { role: 'support' });
  await ask('POST', '/subscribers', { xui: bob, identities: ['tel:+2'] });
  await ask('DELETE', `/subscribers/${bob}/identities/tel:+2`);
  t.same(await allItems(ask, '/roles'), []);
  t.same(await allItems(ask, `/subscribers/${alice}/grants`), []);
});

t.test('roles', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice, identities: ['tel:+1'] });
  const set = await ask('PUT', '/roles/tel:+1', { role: 'administrator' });
  t.same(
    [set.status, set.body],
    [200, { xui: alice, role: 'administrator' }],
    'of the subscriber, not of one identity',
  );
  await ask('PUT', '/roles/RLS@example.com', { role: 'support' });
  await ask('PUT', '/roles/RLS@example.com', { role: 'trusted-element' });
  t.same(await allItems(ask, '/roles?limit=1'), [
    { xui: 'sip:RLS@example.com', role: 'trusted-element' },
    { xui: alice, role: 'administrator' },
  ]);
  t.equal((await ask('PUT', '/roles/tel:+1', { role: 'king' })).status, 400);
  t.equal((await ask('DELETE', `/roles/${alice}`)).status, 204);
  t.equal((await ask('DELETE', `/roles/${alice}`)).status, 404);
});
