/** An import that keeps documents which break the rules of their usages, and what becomes of such documents. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { query } from '../../fixtures/database.js';
import { managementClient } from '../../fixtures/management-client.js';
import { startServer, type TestServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';

const lists = (content: string) =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">${content}</resource-lists>`;
const services = (...uris: string[]) =>
  `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services">${uris
    .map((uri) => `<service uri="${uri}"><list/></service>`)
    .join('')}</rls-services>`;
/** Rules are written into a document of members; a condition that is misspelt is none. */
const group = (conditions: string) =>
  '<group xmlns="urn:oma:xml:poc:list-service" xmlns:cp="urn:ietf:params:xml:ns:common-policy">' +
  `<list-service uri="sip:football@example.com"><cp:ruleset><cp:rule id="a">${conditions}<cp:actions>` +
  '<join-handling>true</join-handling></cp:actions></cp:rule></cp:ruleset></list-service></group>';

const misspelt = lists('\n<liszt/>');
const doubled = lists('<list name="a"/><list name="a"/>');
const foreignAnchor = lists('<list><external anchor="not a uri of this server"/></list>');

interface ImportDocument {
  readonly auid?: string;
  readonly path: string;
  readonly content: string;
}

function lineOf(xui: string, ...documents: readonly ImportDocument[]): object {
  return { xui, documents: documents.map((document) => ({ auid: 'resource-lists', ...document })) };
}

async function importInto({ manage }: TestServer, search: string, ...lines: object[]): Promise<object[]> {
  const answer = await manage('POST', `/api/v1/import${search}`, {
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  });
  t.equal(answer.status, 200, answer.body);
  return answer.body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
}

async function documentsOf({ manage }: TestServer, xui: string) {
  const { body } = await managementClient(manage)('GET', `/subscribers/${xui}/documents`);
  return (body as { items: { auid: string; path: string; invalid?: string }[] }).items;
}

t.test('what is well-formed is kept, what is not is refused', async (t) => {
  const server = await startServer(t);
  const reports = await importInto(
    server,
    '?keepInvalid=true',
    lineOf(
      alice,
      { path: 'good', content: lists('') },
      { path: 'misspelt', content: misspelt },
      { path: 'doubled', content: doubled },
      { path: 'open', content: '<resource-lists>' },
      { path: 'doctype', content: `<!DOCTYPE a>${lists('')}` },
      { path: 'deep', content: '<a>'.repeat(5000) + '</a>'.repeat(5000) },
      { path: 'no/directory', content: misspelt },
    ),
  );
  t.strictSame(
    reports.filter((report) => 'error' in report).map((report) => Object.entries(report).slice(-1)[0]?.[1]),
    ['open', 'doctype', 'deep', 'no/directory'].map((path) => `resource-lists/${path}`),
  );
  t.match(
    reports.filter((report) => 'kept' in report),
    [
      {
        line: 1,
        document: 'resource-lists/misspelt',
        kept: /liszt.*line 2/,
        condition: 'schema-validation-error',
      },
      { line: 1, document: 'resource-lists/doubled', condition: 'uniqueness-failure' },
    ],
  );
  t.strictSame(reports.at(-1), {
    done: true,
    imported: 1,
    refused: 0,
    documents: 1,
    documentsRefused: 4,
    documentsKept: 2,
  });
  t.match(await documentsOf(server, alice), [
    { path: 'doubled', invalid: String },
    { path: 'good', invalid: undefined },
    { path: 'misspelt', invalid: /liszt/ },
  ]);
  const [version] = await query(
    server.database,
    "select author, version::int from xcapd.document_versions where path = 'misspelt'",
  );
  t.strictSame(version, { author: 'operator:loopback', version: 1 });

  const single = await server.manage('GET', `/api/v1/documents/resource-lists/users/${alice}/misspelt`);
  t.equal(single.body, misspelt);
  t.match(decodeURIComponent(String(single.headers['xcapd-invalid'])), /liszt/);
  const good = await server.manage('GET', `/api/v1/documents/resource-lists/users/${alice}/good`);
  t.equal(good.headers['xcapd-invalid'], undefined);
  const archive = await managementClient(server.manage)('GET', `/subscribers/${alice}/archive`);
  t.match(archive.body, { documents: [{}, {}, { path: 'misspelt', invalid: /liszt/ }] });
});

t.test('without the option nothing is kept', async (t) => {
  const server = await startServer(t);
  for (const search of ['', '?keepInvalid=false']) {
    const reports = await importInto(
      server,
      search,
      lineOf(`sip:u${search.length}@example.com`, { path: 'a', content: misspelt }),
    );
    t.match(reports, [{ line: 1, condition: 'schema-validation-error' }, { imported: 1 }, { done: true }]);
    t.strictSame(reports.at(-1), { done: true, imported: 1, refused: 0, documents: 0, documentsRefused: 1 });
  }
  const path = `/api/v1/documents/resource-lists/users/${alice}/a`;
  t.equal((await server.manage('PUT', path, { body: misspelt })).status, 409);
  t.equal((await server.manage('PUT', `${path}?keepInvalid=perhaps`, { body: misspelt })).status, 400);
  t.strictSame(await query(server.database, 'select 1 from xcapd.flagged_documents'), []);
});

t.test('clients get it, and it is flagged until it is replaced', async (t) => {
  const server = await startServer(t);
  const { send } = server;
  await importInto(server, '?keepInvalid=true', lineOf(alice, { path: 'index', content: misspelt }));
  const target = `/xcap-root/resource-lists/users/${alice}/index`;
  const read = await send('GET', target);
  t.strictSame([read.status, read.body], [200, misspelt]);
  const node = await send('GET', `${target}/~~/resource-lists/liszt`);
  t.strictSame([node.status, node.body], [200, '<liszt/>']);

  const element = { 'content-type': 'application/xcap-el+xml' };
  const list = `${target}/~~/resource-lists/list%5B@name=%22a%22%5D`;
  const refused = await send('PUT', list, { headers: element, body: '<list name="a"/>' });
  t.equal(refused.status, 409, 'an element is checked with the whole document');
  t.match(refused.body, /schema-validation-error/);
  t.match(await documentsOf(server, alice), [{ invalid: /liszt/ }]);

  t.equal((await send('DELETE', `${target}/~~/resource-lists/liszt`)).status, 200, 'that repairs it');
  t.strictSame((await documentsOf(server, alice))[0]?.invalid, undefined, 'no flag any more');
  t.equal((await send('PUT', list, { headers: element, body: '<list name="a"/>' })).status, 201);
});

t.test('one document of somebody who is there already', async (t) => {
  const server = await startServer(t);
  const ask = managementClient(server.manage);
  await ask('POST', '/subscribers', { xui: alice });
  const path = `/api/v1/documents/resource-lists/users/${alice}/index`;
  const valid = await server.manage('PUT', `${path}?keepInvalid=true`, { body: lists('') });
  t.strictSame([valid.status, valid.body], [201, '']);
  const again = { body: misspelt, headers: { 'if-none-match': '*' } };
  t.equal((await server.manage('PUT', `${path}?keepInvalid=true`, again)).status, 412);
  const kept = await server.manage('PUT', `${path}?keepInvalid=true`, { body: misspelt });
  t.equal(kept.status, 200);
  t.match(kept.headers.etag, /^".+"$/);
  t.match(JSON.parse(kept.body), { invalid: /liszt/, condition: 'schema-validation-error' });
  t.match(await ask('GET', `/audit?subject=${alice}`), {
    body: { items: [{ details: { isInvalid: true } }, {}, {}] },
  });
  t.equal((await server.manage('PUT', `${path}?keepInvalid=true`, { body: '<a' })).status, 409);
});

t.test('it gives out no URIs', async (t) => {
  const server = await startServer(t);
  const claims = () => query(server.database, 'select uri, xui from xcapd.claims order by uri');
  await server.send('PUT', `/xcap-root/rls-services/users/${bob}/index`, {
    as: bob,
    body: services('sip:their@example.com'),
  });
  const auid = 'rls-services';
  const reports = await importInto(
    server,
    '?keepInvalid=true',
    lineOf(
      alice,
      { auid, path: 'taken', content: services('sip:their@example.com', 'sip:hers@example.com') },
      { auid, path: 'doubled', content: services('sip:twice@example.com', 'sip:twice@example.com') },
      { auid, path: 'good', content: services('sip:good@example.com') },
    ),
  );
  t.match(
    reports.filter((report) => 'kept' in report),
    [
      { document: 'rls-services/taken', condition: 'uniqueness-failure' },
      { document: 'rls-services/doubled' },
    ],
  );
  t.strictSame(await claims(), [
    { uri: 'sip:good@example.com', xui: alice },
    { uri: 'sip:their@example.com', xui: bob },
  ]);
  const path = `/api/v1/documents/rls-services/users/${alice}/good?keepInvalid=true`;
  await server.manage('PUT', path, { body: services('sip:x@example.com', 'sip:x@example.com') });
  t.strictSame(await claims(), [{ uri: 'sip:their@example.com', xui: bob }], 'what it had claimed is free');
});

t.test('as rules it admits nobody', async (t) => {
  const server = await startServer(t);
  const auid = 'org.openmobilealliance.groups';
  const only = '<cp:identity><cp:one id="sip:carol@example.com"/></cp:identity>';
  const reports = await importInto(
    server,
    '?keepInvalid=true',
    lineOf(
      alice,
      { auid, path: 'open', content: group('').replace('football', 'open') },
      { auid, path: 'misspelt', content: group(`<cp:condition>${only}</cp:condition>`) },
    ),
  );
  t.match(
    reports.filter((report) => 'line' in report),
    [{ document: `${auid}/misspelt`, kept: /condition/ }],
  );
  const statusFor = async (as: string, name: string) =>
    (await server.send('GET', `/xcap-root/${auid}/users/${alice}/${name}`, { as })).status;
  t.equal(await statusFor(bob, 'open'), 200, 'a rule for everybody');
  t.equal(await statusFor(bob, 'misspelt'), 403, 'a condition that is not understood');
  t.equal(await statusFor(alice, 'misspelt'), 200);
});

t.test('quotas bind', async (t) => {
  const server = await startServer(t, { environment: { XCAP_QUOTA_DOCUMENTS: '1' } });
  const reports = await importInto(
    server,
    '?keepInvalid=true',
    lineOf(alice, { path: 'a', content: misspelt }),
    {
      xui: bob,
      quota: { documents: 0 },
      documents: [{ auid: 'resource-lists', path: 'a', content: lists('') }],
    },
  );
  t.match(reports, [
    { line: 2, condition: 'constraint-failure', error: /at most 0 documents/ },
    { line: 1, kept: String },
    { imported: 2 },
    { documents: 0, documentsRefused: 1, documentsKept: 1 },
  ]);
  const path = `/api/v1/documents/resource-lists/users/${alice}`;
  t.match(await server.manage('PUT', `${path}/b?keepInvalid=true`, { body: misspelt }), {
    status: 409,
    body: /at most 1 documents/,
  });
  t.match(await documentsOf(server, alice), [{ path: 'a', invalid: /liszt/ }], 'written within a quota');
  t.equal((await server.manage('PUT', `${path}/a?keepInvalid=true`, { body: doubled })).status, 200);
  t.notMatch((await documentsOf(server, alice))[0]?.invalid, /liszt/, 'flagged for the new reason');
});

t.test('what is provisioned binds', async (t) => {
  const auid = 'simservs.ngn.etsi.org';
  const simservs = 'http://uri.etsi.org/ngn/params/xml/simservs/xcap';
  const rules = 'urn:ietf:params:xml:ns:common-policy';
  const bindings = `xmlns="${simservs}" xmlns:ss="${simservs}" xmlns:cp="${rules}" xmlns:ocp="urn:oma:xml:xdm:common-policy"`;
  const documentWith = (content: string) => `<simservs ${bindings}>${content}</simservs>`;
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-profiles-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, auid));
  writeFileSync(join(folder, auid, 'basic.xml'), documentWith('<communication-waiting active="true"/>'));
  writeFileSync(join(folder, auid, 'subscribers.json'), JSON.stringify({ [alice]: 'basic' }));
  const server = await startServer(t, { environment: { XCAP_PROFILES_DIR: folder } });
  const path = 'simservs.xml';
  const reports = await importInto(
    server,
    '?keepInvalid=true',
    lineOf(alice, { auid, path, content: documentWith('<nonsense/>') }),
    lineOf(bob, { auid, path, content: documentWith('<nonsense/>') }),
  );
  t.match(reports, [
    { line: 1, condition: 'constraint-failure' },
    { line: 2, kept: /nonsense/ },
    { imported: 2 },
    { documentsKept: 1 },
  ]);
  const still = await importInto(
    server,
    '?keepInvalid=true',
    lineOf('sip:carol@example.com', { path: 'x', content: foreignAnchor }),
  );
  t.match(still.at(-1), { done: true });
  const own = documentWith('<communication-waiting active="maybe"/>');
  const put = `/api/v1/documents/${auid}/users/${alice}/${path}?keepInvalid=true`;
  t.equal((await server.manage('PUT', put, { body: own })).status, 200, 'their own part may be kept');
  t.equal((await server.send('GET', `/xcap-root/${auid}/users/${alice}/${path}`)).body, own);
  t.match(await documentsOf(server, alice), [{ invalid: /maybe/ }]);
});

t.test('the flag follows the owner, and goes with them', async (t) => {
  const server = await startServer(t);
  const ask = managementClient(server.manage);
  await server.manage('PUT', '/api/v1/documents/resource-lists/users/tel:+1/index?keepInvalid=true', {
    body: misspelt,
  });
  await ask('POST', '/subscribers', { xui: alice, identities: ['tel:+1'] });
  t.match(await documentsOf(server, alice), [{ path: 'index', invalid: /liszt/ }]);
  t.equal((await ask('DELETE', `/subscribers/${alice}`)).status, 204);
  t.strictSame(await query(server.database, 'select 1 from xcapd.flagged_documents'), []);
});

t.test('a picture that is none is not delivered', async (t) => {
  const server = await startServer(t);
  const content =
    '<content xmlns="urn:oma:xml:prs:pres-content"><mime-type>text/html</mime-type>' +
    `<data>${Buffer.from('<script>alert(1)</script>').toString('base64')}</data></content>`;
  const auid = 'org.openmobilealliance.pres-content';
  const path = 'oma_status-icon/me';
  await importInto(server, '?keepInvalid=true', lineOf(alice, { auid, path, content }));
  const requests: [target: string, accept: string][] = [
    [path, 'text/html'],
    [`${path}?raw`, '*/*'],
  ];
  for (const [target, accept] of requests) {
    const answer = await server.send('GET', `/xcap-root/${auid}/users/${alice}/${target}`, {
      headers: { accept },
    });
    t.same(
      [answer.status, answer.headers['content-type'], answer.body],
      [200, 'application/vnd.oma.pres-content+xml', content],
      target,
    );
  }
});
