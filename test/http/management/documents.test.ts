import t from 'tap';
import { query } from '../../fixtures/database.js';
import { allItems, managementClient } from '../../fixtures/management-client.js';
import { startServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const lists = (name: string) =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="${name}"/></resource-lists>`;

t.test('documents of users', async (t) => {
  const { manage, send, database } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice, identities: ['tel:+1'] });
  const path = '/api/v1/documents/resource-lists/users/tel:+1/index';
  const put = await manage('PUT', path, { body: lists('a') });
  t.equal(put.status, 201);
  t.match(put.headers.etag, /^".+"$/);
  const target = `/xcap-root/resource-lists/users/${alice}/index`;
  t.equal((await send('GET', target)).body, lists('a'), 'below the XUI, whichever identity was used');
  t.same(await query(database, 'select xui, author from xcapd.document_versions'), [
    { xui: alice, author: 'operator:loopback' },
  ]);

  const read = await manage('GET', path);
  t.equal(read.status, 200);
  t.equal(read.body, lists('a'));
  t.equal(read.headers.etag, put.headers.etag);
  t.match(read.headers, { 'content-type': /^application\/resource-lists\+xml/, 'cache-control': 'no-store' });

  const stale = { headers: { 'if-match': '"stale"' }, body: lists('b') };
  t.equal((await manage('PUT', path, stale)).status, 412);
  t.equal(
    (await manage('PUT', path, { body: lists('b'), headers: { 'if-match': put.headers.etag } })).status,
    200,
  );

  const list = await ask('GET', '/subscribers/tel:+1/documents');
  t.match(list.body, {
    items: [{ auid: 'resource-lists', path: 'index', version: 2, bytes: lists('b').length, changedAt: /Z$/ }],
    usage: { documents: 1, bytes: lists('b').length },
  });
  t.match(await ask('GET', `/subscribers/${alice}`), { body: { usage: { documents: 1 } } });
  t.equal((await ask('GET', '/subscribers/sip:nobody@example.com/documents')).status, 404);

  t.equal((await manage('DELETE', path)).status, 204);
  t.equal((await manage('DELETE', path)).status, 404);
  t.equal((await manage('GET', path)).status, 404);
});

t.test('all checks but who may', async (t) => {
  const { manage } = await startServer(t, { environment: { XCAP_MAX_DOCUMENT_BYTES: '2048' } });
  const ask = managementClient(manage);
  const path = `/documents/resource-lists/users/${alice}/index`;
  const put = (body: string, at = path) => manage('PUT', `/api/v1${at}`, { body });
  for (const [body, condition] of [
    ['<resource-lists', 'not-well-formed'],
    ['<other/>', 'schema-validation-error'],
  ] as const) {
    const answer = await put(body);
    t.equal(answer.status, 409, condition);
    t.match(JSON.parse(answer.body), { code: 'document-conflict', condition, title: 'Conflict' });
  }
  t.equal((await put(lists('x'.repeat(3000)))).status, 413);
  t.equal((await put(lists('a'), '/documents/nothing/users/sip:a@example.com/index')).status, 404);
  t.equal((await put(lists('a'), `${path}/~~/resource-lists`)).status, 404, 'whole documents only');
  t.equal((await put(lists('a'), '/documents/resource-lists/users/sip:a@example.com/')).status, 404);
  t.equal((await put(lists('a'), '/documents/resource-lists/users/sip:a@example.com/%2e%2e/x')).status, 400);
  t.equal(
    (await put(lists('a'), `/documents/resource-lists/users/${alice}/${'x'.repeat(2500)}`)).status,
    414,
  );
  const generated = await put('<x/>', '/documents/xcap-caps/global/index');
  t.same([generated.status, generated.headers.allow], [405, 'GET, HEAD']);
  t.equal((await ask('GET', '/documents/xcap-caps/global/index')).status, 200);
  t.equal((await ask('DELETE', '/documents/xcap-caps/global/index')).status, 405);
});

t.test('the slash behind a directory of the usage may be encoded', async (t) => {
  const { manage } = await startServer(t);
  const pictures = `/api/v1/documents/org.openmobilealliance.pres-content/users/${alice}`;
  const picture = Buffer.from('GIF89a').toString('base64');
  const body = `<content xmlns="urn:oma:xml:prs:pres-content"><mime-type>image/gif</mime-type><encoding>base64</encoding><data>${picture}</data></content>`;
  t.equal((await manage('PUT', `${pictures}/oma_status-icon%2Ficon`, { body })).status, 201);
  t.equal((await manage('GET', `${pictures}/oma_status-icon/icon`)).body, body);
  t.equal((await manage('PUT', `${pictures}/other%2Ficon`, { body })).status, 201, 'elsewhere it is a name');
  t.equal((await manage('GET', `${pictures}/other/icon`)).status, 404);
});

t.test('documents of the global tree are written by nobody else', async (t) => {
  const { manage, send } = await startServer(t);
  const global = 'resource-lists/global/operator';
  t.equal((await send('PUT', `/xcap-root/${global}`, { body: lists('a') })).status, 403);
  t.equal((await manage('PUT', `/api/v1/documents/${global}`, { body: lists('a') })).status, 201);
  t.equal((await send('GET', `/xcap-root/${global}`)).body, lists('a'));
  t.equal((await manage('PUT', `/api/v1/documents/${global}`, { body: lists('b') })).status, 200);
  const restored = await managementClient(manage)('POST', `/versions/${global}`, { version: 1 });
  t.equal(restored.status, 200);
  t.equal((await send('GET', `/xcap-root/${global}`)).body, lists('a'));
  t.equal((await manage('DELETE', `/api/v1/documents/${global}`)).status, 204);
});

t.test('versions', async (t) => {
  const { manage, send } = await startServer(t);
  const ask = managementClient(manage);
  const target = `/xcap-root/resource-lists/users/${alice}/index`;
  for (const name of ['a', 'b', 'c']) await send('PUT', target, { body: lists(name) });
  await send('DELETE', target);
  const path = `resource-lists/users/${alice}/index`;
  t.match(await allItems(ask, `/versions/${path}?limit=3`), [
    { version: 4, bytes: undefined, author: alice, changedAt: /Z$/ },
    { version: 3, bytes: lists('c').length, entityTag: /./ },
    { version: 2 },
    { version: 1 },
  ]);
  const second = await manage('GET', `/api/v1/documents/${path}?version=2`);
  t.same([second.status, second.body], [200, lists('b')]);
  for (const version of ['4', '5']) {
    t.equal((await manage('GET', `/api/v1/documents/${path}?version=${version}`)).status, 404, version);
    t.equal((await ask('POST', `/versions/${path}`, { version: Number(version) })).status, 404, version);
  }
  t.equal((await manage('GET', `/api/v1/documents/${path}?version=x`)).status, 400);
  t.equal((await ask('POST', `/versions/${path}`, { version: '1' })).status, 400);
  t.equal((await ask('POST', `/versions/${path}`, { version: 2 }, { 'if-match': '*' })).status, 412);

  const restored = await ask('POST', `/versions/${path}`, { version: 2 });
  t.equal(restored.status, 201, 'the document is there again');
  const now = await send('GET', target);
  t.same([now.body, now.headers.etag], [lists('b'), restored.headers.etag]);
  t.match(await ask('GET', `/audit?subject=${alice}`), {
    body: {
      items: [{ action: 'document.restore', details: { auid: 'resource-lists', path: 'index', version: 2 } }],
    },
  });
  t.same((await ask('GET', `/versions/resource-lists/users/${alice}/other`)).body, { items: [] });
});

t.test('a version that breaks a rule of today is not restored', async (t) => {
  const { manage, send, database } = await startServer(t);
  const ask = managementClient(manage);
  const target = `/xcap-root/resource-lists/users/${alice}/index`;
  await send('PUT', target, { body: lists('a') });
  await send('PUT', target, { body: lists('b') });
  await query(database, "update xcapd.document_versions set content = '<old/>' where version = 1");
  const answer = await ask('POST', `/versions/resource-lists/users/${alice}/index`, { version: 1 });
  t.match(answer, { status: 409, body: { condition: 'schema-validation-error' } });
  t.equal((await send('GET', target)).body, lists('b'));
});
