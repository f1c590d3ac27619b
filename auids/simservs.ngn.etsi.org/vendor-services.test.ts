/** Services of vendors beside those of the standard (`XCAP_SIMSERVS_NAMESPACES`). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { usageFolders } from '../../src/package-files.js';
import { loadUsages } from '../../src/usages/registry.js';
import { startServer } from '../../test/fixtures/xcap-server.js';

const vendor = 'http://schemas.example.com/mmtel/hosted/1.0';
const bindings =
  'xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap" xmlns:ss="http://uri.etsi.org/ngn/params/xml/simservs/xcap" ' +
  `xmlns:cp="urn:ietf:params:xml:ns:common-policy" xmlns:ocp="urn:oma:xml:xdm:common-policy" xmlns:v="${vendor}"`;
const simservs = (content: string) => `<simservs ${bindings}>${content}</simservs>`;
const programs =
  '<v:outgoing-barring-programs active="true"><v:program\n>2</v:program></v:outgoing-barring-programs>';
const waiting = '<communication-waiting active="true"/>';
const target = '/simservs.ngn.etsi.org/users/sip:alice@example.com/simservs.xml';
const environment = { XCAP_ROOTS: '/', XCAP_SIMSERVS_NAMESPACES: `urn:example:other, ${vendor}` };
const elementHeaders = { 'content-type': 'application/xcap-el+xml' };

t.test('without the variable they are refused', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const answer = await send('PUT', target, { body: simservs(programs) });
  t.equal(answer.status, 409);
  t.match(answer.body, '<schema-validation-error ');
  t.match(answer.body, 'outgoing-barring-programs');
  t.match(answer.body, 'XCAP_SIMSERVS_NAMESPACES');
});

t.test('those of named namespaces are kept as they are', async (t) => {
  const { send } = await startServer(t, { environment });
  const body = simservs(`${programs}${waiting}\n${programs}<extensions><v:x/></extensions>`);
  t.equal((await send('PUT', target, { body })).status, 201);
  t.equal((await send('GET', target)).body, body);

  const service = `${target}/~~/simservs/v:outgoing-barring-programs%5B1%5D?xmlns(v=${encodeURIComponent(vendor)})`;
  t.equal((await send('GET', service)).body, programs);
  const other = programs.replace('>2<', '>3<').replace(' active', ` xmlns:v="${vendor}" active`);
  t.equal((await send('PUT', service, { headers: elementHeaders, body: other })).status, 200);
  t.equal((await send('GET', target)).body, body.replace(programs, other));
  const restriction = '<originating-identity-presentation active="true"/>';
  const put = await send('PUT', `${target}/~~/simservs/originating-identity-presentation`, {
    headers: elementHeaders,
    body: restriction,
  });
  t.equal(put.status, 201, 'a standard service beside them');

  for (const [content, why] of [
    [`<w:a xmlns:w="urn:example:else"/>`, 'another namespace'],
    [`<a xmlns=""/>`, 'no namespace'],
    [`<extensions/>${programs}`, 'behind the extensions'],
    [`<extensions/>${waiting}`, 'a service behind the extensions'],
    [`${programs}<unknown-service/>`, 'an unknown service'],
    [`<v:s><cp:ruleset><cp:rule/></cp:ruleset></v:s>`, 'a rule within that is none'],
  ] as const) {
    t.match((await send('PUT', target, { body: simservs(content) })).body, '<schema-validation-error ', why);
  }
});

t.test('capabilities and profiles leave them alone', async (t) => {
  const profilesDirectory = mkdtempSync(join(tmpdir(), 'xcapd-vendor-'));
  t.teardown(() => rmSync(profilesDirectory, { recursive: true }));
  const folder = join(profilesDirectory, 'simservs.ngn.etsi.org');
  mkdirSync(folder);
  const capabilities =
    '<communication-diversion-serv-cap><serv-cap-conditions><serv-cap-busy provisioned="false"/></serv-cap-conditions></communication-diversion-serv-cap>';
  writeFileSync(join(folder, 'basic.xml'), simservs(`${waiting}${capabilities}${programs}`));
  writeFileSync(join(folder, 'subscribers.json'), '{ "*": "basic" }');
  const { send } = await startServer(t, {
    environment: { ...environment, XCAP_PROFILES_DIR: profilesDirectory },
  });
  t.match((await send('GET', target)).body, programs, 'a profile may have them');
  const body = simservs(`${waiting}${programs}${capabilities}<v:more/>`);
  t.match((await send('PUT', target, { body })).status, /^20[01]$/);
  t.equal((await send('GET', target)).body, body);
  const without = simservs(`${waiting}${capabilities}`);
  t.equal((await send('PUT', target, { body: without })).status, 200, 'the subscriber removes them');
  const barred = simservs(`${programs}${capabilities}`);
  t.match((await send('PUT', target, { body: barred })).body, '<constraint-failure ', 'and nothing else');
});

t.test('a namespace of the usage itself is no vendor', async (t) => {
  const foreignNamespaces = new Map([['XCAP_SIMSERVS_NAMESPACES', ['urn:ietf:params:xml:ns:common-policy']]]);
  const choices = { optionalUsages: [], policies: new Map<string, string>(), foreignNamespaces };
  await t.rejects(loadUsages([usageFolders], choices), {
    name: 'UsageError',
    message: /name those of vendors\.$/,
  });
});
