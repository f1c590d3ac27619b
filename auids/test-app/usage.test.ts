/** The usage is there only where the operator asks for it. */
import t from 'tap';
import { startServer } from '../../test/fixtures/xcap-server.js';

const document = '/xcap-root/test-app/users/sip:alice@example.com/index';
const mediaType = 'application/test-app+xml';

t.test('not served by default', async (t) => {
  const { send } = await startServer(t);
  t.equal((await send('PUT', document, { body: '<test xmlns="test-app"/>' })).status, 404);
  t.notMatch((await send('GET', '/xcap-root/xcap-caps/global/index')).body, 'test-app');
});

t.test('served where XCAP_OPTIONAL_USAGES names it', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_OPTIONAL_USAGES: 'test-app' } });
  const capabilities = await send('GET', '/xcap-root/xcap-caps/global/index');
  t.match(capabilities.body, '<auid>test-app</auid>');
  t.match(capabilities.body, '<namespace>test-app</namespace>');

  const body = '<test xmlns="test-app"><item id="1"/><x:other xmlns:x="urn:example:other">1</x:other></test>';
  const put = await send('PUT', document, { body, headers: { 'content-type': mediaType } });
  t.equal(put.status, 201, put.body);
  const get = await send('GET', document);
  t.same([get.body, get.headers['content-type']?.split(';')[0]], [body, mediaType]);
  t.equal((await send('GET', `${document}/~~/test/item`)).body, '<item id="1"/>');
  const item = await send('PUT', `${document}/~~/test/item%5B2%5D`, {
    headers: { 'content-type': 'application/xcap-el+xml' },
    body: '<item id="1"><anything/></item>',
  });
  t.equal(item.status, 201, item.body);
  t.equal((await send('DELETE', document)).status, 200);
});
