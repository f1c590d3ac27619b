import t from 'tap';
import { startServer } from '../fixtures/xcap-server.js';

t.test('PUT then GET', async (t) => {
  const { send } = await startServer(t);
  const target = '/xcap-root/test/users/sip:alice@example.com/index';
  const put = await send('PUT', target, { body: '<foo xmlns="urn:test:default-namespace"/>' });
  t.equal(put.status, 201, put.body);
  t.equal((await send('GET', target)).body, '<foo xmlns="urn:test:default-namespace"/>');
});
