import t from 'tap';
import { createApp } from '../../../src/app.js';
import { readConfig } from '../../../src/config/config.js';
import { testUsageFolders } from '../../fixtures/usage-folders.js';
import { startServer } from '../../fixtures/xcap-server.js';

const path = '/test-app/users/sip:alice@example.com/index';
const body = '<a xmlns="urn:example:a"/>';

t.test('documents of a usage that is not served any more are kept, for the operator to read', async (t) => {
  const before = await startServer(t, { environment: { XCAP_ROOTS: '/', XCAP_OPTIONAL_USAGES: 'test-app' } });
  const { mediaType = '' } = before.app.usages.get('test-app')?.usage ?? {};
  const headers = { 'content-type': mediaType };
  const older = await before.send('PUT', path, { headers, body: body.replace('/>', '></a>') });
  t.equal(older.status, 201, older.body);
  const put = await before.send('PUT', path, { headers, body });
  t.equal(put.status, 200, put.body);
  const subscriber = {
    body: '{"xui":"sip:alice@example.com"}',
    headers: { 'content-type': 'application/json' },
  };
  t.equal((await before.manage('POST', '/api/v1/subscribers', subscriber)).status, 201);
  const { send, manage } = await startServer(t, {
    environment: { XCAP_ROOTS: '/' },
    database: before.database,
  });
  const got = await manage('GET', `/api/v1/documents${path}`);
  t.equal(got.status, 200, got.body);
  t.equal(got.body, body);
  t.match(got.headers['content-type'], 'application/xml');
  t.equal(got.headers.etag, put.headers.etag);
  const versions = await manage('GET', `/api/v1/versions${path}`);
  t.match(JSON.parse(versions.body), { items: [{ version: 2 }, { version: 1 }] }, 'its versions are listed');
  const first = await manage('GET', `/api/v1/documents${path}?version=1`);
  t.equal(first.body, body.replace('/>', '></a>'));
  t.match(first.headers['content-type'], 'application/xml');
  t.equal((await manage('GET', `/api/v1/documents${path}?version=7`)).status, 404);
  t.equal((await manage('GET', `/api/v1/versions${path}x`)).status, 404, 'there are none');
  t.equal((await manage('GET', `/api/v1/documents${path}x`)).status, 404, 'there is none');
  t.equal((await manage('PUT', `/api/v1/documents${path}`, { body })).status, 404, 'it cannot be written');
  t.equal((await send('GET', path)).status, 404, 'nobody else reads it');
  const exported = await manage('GET', '/api/v1/export?include=documents');
  t.match(exported.body, JSON.stringify(body), 'the export has it');
});

t.test('the log tells at the start which documents nobody serves', async (t) => {
  const before = await startServer(t, { environment: { XCAP_ROOTS: '/', XCAP_OPTIONAL_USAGES: 'test-app' } });
  const { mediaType = '' } = before.app.usages.get('test-app')?.usage ?? {};
  for (const name of ['a', 'b']) {
    const target = `/test-app/users/sip:alice@example.com/${name}`;
    t.equal((await before.send('PUT', target, { headers: { 'content-type': mediaType }, body })).status, 201);
  }
  const lines: string[] = [];
  const start = async (optional: string) => {
    const config = readConfig({
      PORT: '0',
      ADMIN_PORT: '0',
      LOG_LEVEL: 'warn',
      XCAP_OPTIONAL_USAGES: optional,
    });
    const logOutput = { write: (line: string) => lines.push(line) };
    const app = await createApp({
      config,
      database: before.database,
      usageFolders: testUsageFolders,
      areUsagesChecked: true,
      tellsUnserved: true,
      logOutput,
    });
    await app.close();
  };
  await start('');
  t.match(
    lines.map((line): unknown => JSON.parse(line)),
    [{ level: 40, auid: 'test-app', documents: 2 }],
  );
  t.equal(lines.length, 1);
  await start('test-app');
  t.equal(lines.length, 1, 'and nothing where all are served');
});

t.test('one UE initial configuration serves all mission critical services', async (t) => {
  const { app } = await startServer(t);
  for (const service of ['mcvideo', 'mcdata']) {
    t.equal(app.usages.has(`org.3gpp.${service}.ue-init-config`), false, service);
  }
  t.equal(app.usages.has('org.3gpp.mcptt.ue-init-config'), true);
});
