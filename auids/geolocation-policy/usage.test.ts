/** A node of a geolocation policy is addressed with a prefix for common policy and without one for its own names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { startServer } from '../../test/fixtures/xcap-server.js';

const example = join(packageFolder, 'auids/geolocation-policy/examples/valid-colleagues-at-work.xml');
const home = '/geolocation-policy/users/sip:alice@example.com/';
const rule = '~~/cp:ruleset/cp:rule%5B@id=%22colleagues%22%5D';
const query =
  '?xmlns(cp=urn:ietf:params:xml:ns:common-policy)xmlns(lp=urn:ietf:params:xml:ns:basic-location-profiles)';

t.test('a policy by its nodes', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  t.equal((await send('PUT', `${home}index`, { body: readFileSync(example) })).status, 201);
  t.match((await send('GET', home)).body, 'For colleagues only.');
  const civic = `${home}index/${rule}/cp:transformations/provide-location%5B1%5D/lp:provide-civic${query}`;
  const put = (level: string) =>
    send('PUT', civic, {
      headers: { 'content-type': 'application/xcap-el+xml' },
      body: `<lp:provide-civic xmlns:lp="urn:ietf:params:xml:ns:basic-location-profiles">${level}</lp:provide-civic>`,
    });
  t.equal((await put('country')).status, 200);
  t.match((await send('GET', civic)).body, '>country<');
  t.match((await put('street')).body, '<schema-validation-error ');
  const conditions = `${home}index/${rule}/cp:conditions${query}`;
  t.equal((await send('DELETE', conditions)).status, 200);
  const again = await send('PUT', conditions, {
    headers: { 'content-type': 'application/xcap-el+xml' },
    body: '<conditions xmlns="urn:ietf:params:xml:ns:common-policy"/>',
  });
  t.equal(again.status, 201, 'conditions go in front of the other parts');
  t.equal((await send('GET', `${home}index`, { as: 'sip:bob@example.com' })).status, 403);
  t.match((await send('GET', '/xcap-caps/global/index')).body, '<auid>geolocation-policy</auid>');
});
