import t from 'tap';
import { startServer } from '../../fixtures/xcap-server.js';

const path = '/test-app/users/sip:alice@example.com/index';
const body = '<a xmlns="urn:example:a"/>';

t.test('documents of a usage that is not served any more are kept, for the operator to read', async (t) => {
  const before = await startServer(t, { environment: { XCAP_ROOTS: '/', XCAP_OPTIONAL_USAGES: 'test-app' } });
  const { mediaType = '' } = before.app.usages.get('test-app')?.usage ?? {};
  const put = await before.send('PUT', path, { headers: { 'content-type': mediaType }, body });
  t.equal(put.status, 201, put.body);
  const { send, manage } = await startServer(t, {
    environment: { XCAP_ROOTS: '/' },
    database: before.database,
  });
  const got = await manage('GET', `/api/v1/documents${path}`);
  t.equal(got.status, 200, got.body);
  t.equal(got.body, body);
  t.match(got.headers['content-type'], 'application/xml');
  t.equal(got.headers.etag, put.headers.etag);
  t.equal((await manage('GET', `/api/v1/documents${path}x`)).status, 404, 'there is none');
  t.equal((await manage('PUT', `/api/v1/documents${path}`, { body })).status, 404, 'it cannot be written');
  t.equal((await send('GET', path)).status, 404, 'nobody else reads it');
});

t.test('one UE initial configuration serves all mission critical services', async (t) => {
  const { app } = await startServer(t);
  for (const service of ['mcvideo', 'mcdata']) {
    t.equal(app.usages.has(`org.3gpp.${service}.ue-init-config`), false, service);
  }
  t.equal(app.usages.has('org.3gpp.mcptt.ue-init-config'), true);
});
