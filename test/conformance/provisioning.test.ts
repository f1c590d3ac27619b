/** Documents that an operator provisions: what handsets see of them, and what they may change. docs/provisioning.md. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { query } from '../fixtures/database.js';
import { startServer, type Answer, type TestServer } from '../fixtures/xcap-server.js';

const auid = 'simservs.ngn.etsi.org';
const simservs = 'http://uri.etsi.org/ngn/params/xml/simservs/xcap';
const rules = 'urn:ietf:params:xml:ns:common-policy';
const bindings = `xmlns="${simservs}" xmlns:ss="${simservs}" xmlns:cp="${rules}" xmlns:ocp="urn:oma:xml:xdm:common-policy"`;

const waiting = '<communication-waiting active="true"/>';
const presentation = '<originating-identity-presentation/>';
const diversion = '<communication-diversion active="false"><cp:ruleset/></communication-diversion>';
const capabilities =
  '<communication-diversion-serv-cap><serv-cap-conditions><serv-cap-anonymous provisioned="false"/>' +
  '</serv-cap-conditions></communication-diversion-serv-cap>';

function documentWith(...services: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<simservs ${bindings}>${services.join('')}</simservs>\n`;
}

const profile = documentWith(waiting, diversion, capabilities);

const document = `/${auid}/users/sip:alice@example.com/simservs.xml`;
const element = { 'content-type': 'application/xcap-el+xml' };
const wholeDocument = { 'content-type': 'application/vnd.etsi.simservs+xml' };
const ruleWith = (id: string) =>
  `${document}/~~/simservs/communication-diversion/cp:ruleset/cp:rule%5B@id=%22${id}%22%5D?xmlns(cp=${rules})`;

interface Provisioned extends TestServer {
  /** Writes a profile or an assignment; it counts after a reload. */
  readonly install: (file: string, text: string) => void;
  readonly get: (headers?: Record<string, string>) => Promise<Answer>;
}

async function startProvisioned(t: Test): Promise<Provisioned> {
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-profiles-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, auid));
  const install = (file: string, text: string) => writeFileSync(join(folder, auid, file), text);
  install('basic.xml', profile);
  install('subscribers.json', JSON.stringify({ 'sip:alice@example.com': 'basic' }));
  const server = await startServer(t, { environment: { XCAP_ROOTS: '/', XCAP_PROFILES_DIR: folder } });
  return {
    ...server,
    install,
    get: (headers = {}) => server.send('GET', document, { headers }),
  };
}

function tagOf({ headers }: Answer): string {
  return headers.etag ?? '';
}

function isConflict(t: Test, answer: Answer, sentence: string): void {
  t.equal(answer.status, 409, answer.body);
  t.match(answer.body, '<constraint-failure ');
  t.match(answer.body, sentence);
}

t.test('the document is there before anything was written', async (t) => {
  const { send, get } = await startProvisioned(t);
  const first = await get();
  t.equal(first.status, 200);
  t.equal(first.body, profile, 'byte for byte the profile');
  t.match(tagOf(first), /^"[\w-]+"$/);
  t.equal(first.headers['content-type'], wholeDocument['content-type']);
  t.equal(tagOf(await get()), tagOf(first), 'the tag stays');
  t.equal((await get({ 'if-none-match': tagOf(first) })).status, 304);
  const head = await send('HEAD', document);
  t.strictSame([head.status, tagOf(head), head.body], [200, tagOf(first), '']);
  const node = await send('GET', `${document}/~~/simservs/communication-waiting`);
  t.strictSame([node.status, node.body, tagOf(node)], [200, waiting, tagOf(first)]);
  const home = await send('GET', `/${auid}/users/sip:alice@example.com/`);
  t.strictSame([home.status, home.body], [200, profile], 'the home answers with it');
});

t.test('the first write', async (t) => {
  const { send, get } = await startProvisioned(t);
  const virtual = tagOf(await get());
  const put = await send('PUT', `${document}/~~/simservs/communication-waiting`, {
    headers: { ...element, 'if-match': virtual },
    body: '<communication-waiting active="false"/>',
  });
  t.equal(put.status, 200, put.body);
  t.not(tagOf(put), virtual);
  const after = await get();
  t.equal(tagOf(after), tagOf(put));
  t.equal(after.body, profile.replace(waiting, '<communication-waiting active="false"/>'));
  const stale = await send('PUT', `${document}/~~/simservs/communication-waiting/@active`, {
    headers: { 'content-type': 'application/xcap-att+xml', 'if-match': virtual },
    body: 'true',
  });
  t.equal(stale.status, 412);
  const create = await send('PUT', document, {
    headers: { ...wholeDocument, 'if-none-match': '*' },
    body: profile,
  });
  t.equal(create.status, 412, 'it exists');
  t.equal((await send('PUT', document, { headers: wholeDocument, body: profile })).status, 200);
});

t.test('handsets write names as they like', async (t) => {
  const { send, get } = await startProvisioned(t);
  const bodies: Readonly<Record<string, string>> = {
    plain:
      `<rule xmlns="${rules}" id="plain"><conditions><busy xmlns="${simservs}"/></conditions>` +
      `<actions><forward-to xmlns="${simservs}"><target>tel:+15550100002</target></forward-to></actions></rule>`,
    unprefixed:
      '<cp:rule id="unprefixed"><cp:conditions><busy/></cp:conditions>' +
      '<cp:actions><forward-to><target>tel:+15550100002</target></forward-to></cp:actions></cp:rule>',
    prefixed:
      '<cp:rule id="prefixed"><cp:conditions><ss:no-answer/><ocp:other-identity/></cp:conditions>' +
      '<cp:actions><ss:forward-to><ss:target>tel:+15550100002</ss:target></ss:forward-to></cp:actions></cp:rule>',
  };
  for (const [id, body] of Object.entries(bodies)) {
    const put = await send('PUT', ruleWith(id), { headers: element, body });
    t.equal(put.status, 201, `${id}: ${put.body}`);
    t.match((await get()).body, body);
  }
  const service = await send(
    'PUT',
    `${document}/~~/ss:simservs/ss:communication-waiting?xmlns(ss=${simservs})`,
    {
      headers: element,
      body: '<ss:communication-waiting active="false"/>',
    },
  );
  t.equal(service.status, 200, service.body);
  const anonymous = await send('PUT', ruleWith('anon'), {
    headers: element,
    body: '<cp:rule id="anon"><cp:conditions><anonymous/></cp:conditions></cp:rule>',
  });
  isConflict(
    t,
    anonymous,
    "Call forwarding of anonymous callers is not part of your subscription (rule 'anon').",
  );
});

t.test('what is provisioned cannot be changed', async (t) => {
  const { send, get } = await startProvisioned(t);
  for (const state of ['before the first write', 'after it']) {
    const before = await get();
    const strange = await send('PUT', `${document}/~~/simservs/originating-identity-presentation`, {
      headers: element,
      body: presentation,
    });
    isConflict(t, strange, 'Display of the calling number is not part of your subscription.');
    const whole = await send('PUT', document, {
      headers: wholeDocument,
      body: documentWith(waiting, diversion, capabilities, presentation),
    });
    isConflict(t, whole, 'Display of the calling number is not part of your subscription.');
    isConflict(
      t,
      await send('DELETE', `${document}/~~/simservs/communication-waiting`),
      'Call waiting is part of your subscription and cannot be removed.',
    );
    isConflict(
      t,
      await send('PUT', document, { headers: wholeDocument, body: documentWith(waiting, capabilities) }),
      'Call forwarding is part of your subscription and cannot be removed.',
    );
    const capability = `${document}/~~/simservs/communication-diversion-serv-cap/serv-cap-conditions/serv-cap-anonymous`;
    const provisioned = await send('PUT', `${capability}/@provisioned`, {
      headers: { 'content-type': 'application/xcap-att+xml' },
      body: 'true',
    });
    isConflict(t, provisioned, 'What call forwarding offers is set by your operator and cannot be changed.');
    isConflict(t, await send('DELETE', capability), 'What call forwarding offers is set by your operator');
    const deleted = await send('DELETE', document);
    t.equal(deleted.status, 403);
    t.match(deleted.body, 'provisioned by your operator and cannot be deleted');
    t.equal((await send('DELETE', document, { headers: { 'if-match': '"stale"' } })).status, 412);
    const after = await get();
    t.strictSame([after.body, tagOf(after)], [before.body, tagOf(before)], `nothing changed ${state}`);
    const written = await send('PUT', document, {
      headers: wholeDocument,
      body: documentWith(capabilities, '<!-- mine -->', diversion, waiting),
    });
    t.equal(written.status, 200, 'another order and comments are the user’s');
  }
});

t.test('a profile that changes', async (t) => {
  const { app, install, send, get } = await startProvisioned(t);
  const untouched = await get();
  const extensions = '<extensions><note xmlns="urn:example:note"/></extensions>';
  const own = documentWith(waiting, diversion, capabilities, extensions);
  t.equal((await send('PUT', document, { headers: wholeDocument, body: own })).status, 200);
  const written = await get();

  const more = capabilities.replace('anonymous', 'busy');
  install('basic.xml', documentWith(presentation, diversion, more));
  t.equal(tagOf(await get()), tagOf(written), 'nothing changes before the reload');
  await app.reloadProfiles();
  const changed = await get();
  t.equal(changed.body, documentWith(diversion, more, `${presentation}\n`, extensions));
  t.not(tagOf(changed), tagOf(written));
  t.equal(tagOf(await get()), tagOf(changed), 'the new tag stays');
  t.equal((await get({ 'if-none-match': tagOf(written) })).status, 200);
  t.equal((await get({ 'if-none-match': tagOf(changed) })).status, 304);
  t.equal((await send('GET', `${document}/~~/simservs/communication-waiting`)).status, 404);
  const target = `${document}/~~/simservs/communication-diversion/@active`;
  const active = { 'content-type': 'application/xcap-att+xml' };
  const stale = { headers: { ...active, 'if-match': tagOf(written) }, body: 'true' };
  t.equal((await send('PUT', target, stale)).status, 412);
  const fresh = { headers: { ...active, 'if-match': tagOf(changed) }, body: 'true' };
  t.equal((await send('PUT', target, fresh)).status, 200, 'writes go by the new tag');
  t.equal((await get()).body, changed.body.replace('active="false"', 'active="true"'));

  install('basic.xml', documentWith('<communication-waiting/><communication-waiting/>'));
  await t.rejects(app.reloadProfiles(), /basic\.xml: Call waiting is set up more than once/);
  t.match((await get()).body, presentation, 'a broken profile changes nothing');

  install('basic.xml', profile);
  await app.reloadProfiles();
  t.match((await get()).body, waiting, 'the first profile again, over what was written');
  t.not(tagOf(await get()), tagOf(untouched));

  install('subscribers.json', '{}');
  await app.reloadProfiles();
  t.notMatch((await get()).body, waiting, 'without a profile the user has what was written');
  t.equal((await send('DELETE', document)).status, 200);
  t.equal((await get()).status, 404);
});

t.test('two servers have the same tags', async (t) => {
  const { database, get, send, install, app } = await startProvisioned(t);
  await send('PUT', document, { headers: wholeDocument, body: profile });
  install('basic.xml', documentWith(presentation));
  await app.reloadProfiles();
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-profiles-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, auid));
  writeFileSync(join(folder, auid, 'other-name.xml'), documentWith(presentation));
  writeFileSync(join(folder, auid, 'subscribers.json'), '{"*": "other-name"}');
  const environment = { XCAP_ROOTS: '/', XCAP_PROFILES_DIR: folder };
  const other = await startServer(t, { database, environment });
  const [here, there] = [await get(), await other.send('GET', document)];
  t.strictSame([here.body, tagOf(here)], [there.body, tagOf(there)]);
});

t.test('a user without a profile owns the document', async (t) => {
  const { send } = await startProvisioned(t);
  const as = 'sip:bob@example.com';
  const target = document.replace('alice', 'bob');
  t.equal((await send('GET', target, { as })).status, 404);
  const body = documentWith(presentation);
  t.equal((await send('PUT', target, { as, headers: wholeDocument, body })).status, 201);
  t.equal((await send('DELETE', target, { as })).status, 200);
  const another = document.replace('simservs.xml', 'other.xml');
  t.equal((await send('PUT', another, { headers: wholeDocument, body })).status, 201, 'another document');
  t.equal((await send('DELETE', another)).status, 200);
  t.equal((await send('GET', document, { as })).status, 403, 'and sees nobody else’s');
});

t.test('of many first writes exactly one wins', async (t) => {
  const { send, get } = await startProvisioned(t);
  const virtual = tagOf(await get());
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      send('PUT', ruleWith(`r${String(i)}`), {
        headers: { ...element, 'if-match': virtual },
        body: `<cp:rule id="r${String(i)}"/>`,
      }),
    ),
  );
  t.equal(answers.filter(({ status }) => status === 201).length, 1);
  t.equal(answers.filter(({ status }) => status === 412).length, 19);
  t.equal((await get()).body.match(/<cp:rule id/g)?.length, 1);
});

t.test('a profile that a subscriber was given themselves', async (t) => {
  const { send, install, app, database } = await startProvisioned(t);
  install('plus.xml', documentWith(waiting, presentation));
  await app.reloadProfiles();
  for (const [xui, assigned] of [
    ['sip:alice@example.com', 'plus'],
    ['sip:bob@example.com', 'plus'],
    ['sip:carol@example.com', 'gone'],
  ]) {
    await query(database, `insert into xcapd.subscribers (xui, profile) values ('${xui}', '${assigned}')`);
    await query(database, `insert into xcapd.identities (identity, xui) values ('${xui}', '${xui}')`);
  }
  const read = (xui: string) => send('GET', document.replace('sip:alice@example.com', xui), { as: xui });
  t.equal((await read('sip:alice@example.com')).body, documentWith(waiting, presentation), 'it goes first');
  t.equal((await read('sip:bob@example.com')).body, documentWith(waiting, presentation));
  t.equal((await read('sip:carol@example.com')).status, 404, 'one that is not there counts as none');
});
