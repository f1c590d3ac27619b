import t from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { client } from '../fixtures/http-client.js';
import { serve, urlOf } from '../fixtures/serve.js';

t.test('workers count failed logins together', async (t) => {
  const { port } = await serve(t, {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    XCAP_WORKERS: '3',
    XCAP_IDENTITY_METHODS: 'basic',
    XCAP_TRUSTED_PROXIES: '192.0.2.1',
    XCAP_LOGIN_FAILURES: '6',
  });
  // A connection for each: they come to all workers.
  const send = client(port, false);
  const authorization = `Basic ${Buffer.from('alice@example.com:guess').toString('base64')}`;
  const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
  const statuses: number[] = [];
  for (let i = 0; i < 20; i++) {
    statuses.push((await send('GET', target, { as: null, headers: { authorization } })).status);
  }
  const looked = statuses.filter((status) => status === 401).length;
  t.ok(looked >= 6 && looked <= 8, `${looked} of 20 were looked at`);
  t.equal(statuses.at(-1), 429);
});
