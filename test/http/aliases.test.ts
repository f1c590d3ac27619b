/** Documents under another AUID, and reading without credentials. */
import t from 'tap';
import { startServer } from '../fixtures/xcap-server.js';

const picture = `<content xmlns="urn:oma:xml:prs:pres-content"><mime-type>image/png</mime-type><data>${Buffer.from(
  '\x89PNG\r\n\x1a\n0000',
  'latin1',
).toString('base64')}</data></content>`;
const home = 'users/sip:alice@example.com';
const alias = `/oma_status-icon/${home}/sip_communicator`;
const canonical = `/org.openmobilealliance.pres-content/${home}/sip_communicator`;

t.test('an alias leads to the same document', async (t) => {
  const { send, manage } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  t.equal((await send('GET', alias)).status, 404);
  const put = await send('PUT', alias, { body: picture });
  t.equal(put.status, 201);
  for (const target of [alias, canonical]) {
    const got = await send('GET', target);
    t.equal(got.body, picture, target);
    t.equal(got.headers.etag, put.headers.etag, target);
    t.equal((await send('GET', target, { as: 'sip:bob@example.com' })).status, 403, target);
  }
  const changed = await send('PUT', canonical, {
    headers: { 'if-match': String(put.headers.etag) },
    body: picture.replace('0000', '0001'),
  });
  t.equal(changed.status, 200);
  t.equal((await send('GET', alias)).headers.etag, changed.headers.etag);
  t.equal((await manage('GET', `/api/v1/documents${alias}`)).headers.etag, changed.headers.etag);
  t.match((await manage('GET', `/api/v1/versions${alias}`)).body, '"version":2');
  t.match(
    (
      await manage(
        'GET',
        '/api/v1/documents/org.openmobilealliance.pres-content/' + home + '/sip_communicator',
      )
    ).status,
    200,
  );

  const node = await send('PUT', `${alias}/~~/content/other/more`, {
    headers: { 'content-type': 'application/xcap-el+xml' },
    body: '<more/>',
  });
  t.equal(node.status, 409);
  const ancestor = /<ancestor>([^<]*)<\/ancestor>/.exec(node.body)?.[1] ?? '';
  t.equal((await send('GET', ancestor)).status, 200, `the ancestor ${ancestor} is there`);

  const capabilities = await send('GET', '/xcap-caps/global/index');
  t.match(capabilities.body, '<auid>org.openmobilealliance.pres-content</auid>');
  t.notMatch(capabilities.body, 'oma_status-icon');
  t.equal((await send('DELETE', alias)).status, 200);
  t.equal((await send('GET', canonical)).status, 404);
});

t.test('a home directory and a default document under an alias', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const body =
    '<simservs xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap"><communication-waiting/></simservs>';
  const put = await send('PUT', `/org.etsi.ngn.simservs/${home}/simservs.xml`, { body });
  t.equal(put.status, 201);
  t.equal((await send('GET', `/org.etsi.ngn.simservs/${home}/`)).body, body);
  t.equal((await send('GET', `/simservs.ngn.etsi.org/${home}/`)).headers.etag, put.headers.etag);
  const missing = await send('PUT', `/org.etsi.ngn.simservs/${home}/no/such/simservs.xml`, { body });
  t.match(missing.body, '<no-parent ');
});

t.test('what an upstream keeps is not served here under an alias', async (t) => {
  const { send } = await startServer(t, {
    environment: {
      XCAP_ROOTS: '/',
      XCAP_UPSTREAMS: 'org.openmobilealliance.pres-content=http://127.0.0.1:9/',
    },
  });
  t.equal((await send('GET', alias)).status, 404);
});

t.test('reading without credentials', async (t) => {
  const closed = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const environment = {
    XCAP_ROOTS: '/',
    XCAP_POLICIES: 'org.openmobilealliance.pres-content=without-login',
    XCAP_IDENTITY_METHODS: 'asserted-identity,digest',
  };
  const open = await startServer(t, { environment, database: closed.database });
  t.equal((await open.send('PUT', canonical, { body: picture })).status, 201);

  const nobody = { as: null };
  for (const target of [canonical, alias]) {
    t.equal((await closed.send('GET', target, nobody)).status, 401, 'off by default');
    t.equal((await open.send('GET', target, nobody)).body, picture, target);
    t.equal((await open.send('HEAD', target, nobody)).status, 200, target);
    t.equal((await open.send('PUT', target, { ...nobody, body: picture })).status, 401);
    t.equal((await open.send('DELETE', target, nobody)).status, 401);
  }
  const raw = await open.send('GET', `${canonical}?raw`, nobody);
  t.equal(raw.headers['content-type'], 'image/png');
  const wrong = await open.send('GET', canonical, {
    ...nobody,
    headers: { authorization: 'Digest username="alice", realm="x", nonce="y", uri="/", response="0"' },
  });
  t.equal(wrong.status, 401, 'credentials that are no good');
  t.equal((await open.send('GET', `${canonical}-none`, nobody)).status, 404);
  t.equal((await open.send('GET', `/resource-lists/${home}/index`, nobody)).status, 401, 'other usages');
});
