/** The identity of a subscriber comes before what documents claim. */
import t from 'tap';
import { managementClient } from '../../fixtures/management-client.js';
import { query } from '../../fixtures/database.js';
import { startServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const rls = 'sip:rls@example.com';
const services = (xui: string) => `/xcap-root/rls-services/users/${xui}/index`;
const listing = '/xcap-root/rls-services/global/index';
const groups = `/xcap-root/org.openmobilealliance.groups/users/${alice}/index`;
const service = (...uris: string[]) =>
  `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services">${uris.map((uri) => `<service uri="${uri}"><list/></service>`).join('')}</rls-services>`;
const group = (uri: string) =>
  `<group xmlns="urn:oma:xml:poc:list-service"><list-service uri="${uri}"/></group>`;

t.test('who gets a claimed address has it', async (t) => {
  const { send, manage, database } = await startServer(t, { environment: { XCAP_TRUSTED_ELEMENTS: rls } });
  const ask = managementClient(manage);
  const claimed = 'sip:new%2Dhire@example.com';
  const body = service(claimed, 'sip:team@example.com');
  const { headers } = await send('PUT', services(alice), { body });
  t.equal((await send('PUT', groups, { body: group('sip:second@example.com') })).status, 201);
  const before = await send('GET', listing, { as: rls });
  t.match(before.body, /new%2Dhire/);

  const identities = ['sip:second@example.com'];
  t.match(await ask('POST', '/subscribers', { xui: 'sip:new-hire@example.com', identities }), {
    status: 201,
  });
  const kept = await send('GET', services(alice));
  t.same([kept.body, kept.headers.etag], [body, headers.etag], 'the document stays as it is');
  const after = await send('GET', listing, { as: rls });
  t.notMatch(after.body, /new%2Dhire/, 'but is no service for others any more');
  t.match(after.body, /team@/, 'its other one is');
  t.not(after.headers.etag, before.headers.etag);
  const byUri = `/xcap-root/org.openmobilealliance.groups/global/byGroup/sip:second@example.com`;
  t.equal((await send('GET', byUri, { as: rls })).status, 404);

  const { body: trail } = await ask('GET', `/audit?subject=${encodeURIComponent(alice)}`);
  t.match(trail, {
    items: [
      { action: 'claim.end', subject: alice },
      { action: 'claim.end', subject: alice },
    ],
  });
  const records = await query<{ text: string }>(
    database,
    "select details::text as text from xcapd.audit_records where action = 'claim.end' order by 1",
  );
  t.match(records[0]?.text, /"auid": "org.openmobilealliance.groups"/);
  t.notMatch(JSON.stringify(records), /second|new/, 'whose erasure would not find it there');

  t.equal((await send('PUT', services(alice), { body: `${body} ` })).status, 409, 'the next version');
  t.equal(
    (await send('PUT', services(alice), { body: service('sip:team@example.com') })).status,
    200,
    'does without',
  );
  t.equal((await ask('DELETE', '/subscribers/sip:new-hire@example.com')).status, 204);
  t.equal((await send('PUT', services(alice), { body })).status, 200, 'and may have it when they are gone');
});

t.test('so has who gets it beside others', async (t) => {
  const { send, manage } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: bob });
  await send('PUT', services(alice), { body: service('sip:team@example.com') });
  const identity = 'sip:t%65am@example.com';
  t.equal((await ask('POST', `/subscribers/${bob}/identities`, { identity })).status, 201);
  t.match((await ask('GET', `/audit?subject=${alice}`)).body, { items: [{ action: 'claim.end' }] });
  t.equal(
    (await send('PUT', services(alice), { body: service('sip:team@example.com', 'sip:a@example.com') }))
      .status,
    409,
  );
  t.equal(
    (await send('GET', services('sip:team@example.com'), { as: 'sip:team@example.com' })).status,
    404,
    'they log in',
  );
});
