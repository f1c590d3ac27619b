import t from 'tap';
import { query } from '../fixtures/database.js';
import { startServer } from '../fixtures/xcap-server.js';

const index = '/xcap-root/rls-services/global/index';
const path = '/xcap-root/rls-services/users/sip:alice@example.com/index';
const services = (uri: string) =>
  `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="${uri}"><list/></service></rls-services>`;

t.test('a document made of too much is refused, and made again when there is less', async (t) => {
  const rls = 'sip:rls@example.com';
  const server = await startServer(t, { environment: { XCAP_TRUSTED_ELEMENTS: rls } });
  const readIndex = () => server.send('GET', index, { as: rls });
  t.equal((await server.send('PUT', path, { body: services('sip:friends@example.com') })).status, 201);
  t.match(await readIndex(), { status: 200, body: /sip:friends@example\.com/ });

  await query(
    server.database,
    "update xcapd.claims set element = element || repeat(' ', 9 * 1024 * 1024); " +
      "update xcapd.listed_claims_revisions set revision = 'larger'",
  );
  for (const what of ['at first', 'again']) {
    t.match(await readIndex(), { status: 507, body: /more than 8 MiB.*documents of the users/ }, what);
  }
  t.equal((await server.send('GET', path)).status, 200, 'the documents of users are there');

  t.equal((await server.send('PUT', path, { body: services('sip:others@example.com') })).status, 200);
  t.match(await readIndex(), { status: 200, body: /sip:others@example\.com/ });
});
