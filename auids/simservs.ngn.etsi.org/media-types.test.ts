import t from 'tap';
import { startServer } from '../../test/fixtures/xcap-server.js';

const body =
  '<simservs xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap"><communication-waiting/></simservs>';
const target = '/simservs.ngn.etsi.org/users/sip:alice@example.com/simservs.xml';

t.test('media types that clients send', async (t) => {
  const tolerant = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const strict = await startServer(t, {
    environment: { XCAP_ROOTS: '/', XCAP_STRICT_MEDIA_TYPES: 'true' },
    database: tolerant.database,
  });
  const service = `${target}/~~/simservs/communication-waiting`;
  for (const type of ['application/simservs+xml', 'Application/XML; charset=utf-8', 'text/xml']) {
    const headers = { 'content-type': type };
    t.match((await tolerant.send('PUT', target, { headers, body })).status, /^20[01]$/, type);
    t.equal((await strict.send('PUT', target, { headers, body })).status, 415, `${type}, strictly`);
    const element = await tolerant.send('PUT', service, { headers, body: '<communication-waiting/>' });
    t.equal(element.status, 415, `${type} is no fragment`);
    const list = await tolerant.send('PUT', '/resource-lists/users/sip:alice@example.com/index', {
      headers,
      body,
    });
    t.equal(list.status, 415, `${type} is no resource list`);
  }
  const got = await tolerant.send('GET', target);
  t.match(got.headers['content-type'], 'application/vnd.etsi.simservs+xml');
  t.equal(
    (await tolerant.send('PUT', target, { headers: { 'content-type': 'text/plain' }, body })).status,
    415,
  );
});
