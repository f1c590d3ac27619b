/** The documents that the server makes in each user's home: the XCAP directory of OMA XDM, and watcher information. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { loadSchema, validate } from '../../src/xml/schema.js';
import { descendantsOrSelf } from '../../src/xml/source-tree.js';
import { read } from '../fixtures/source.js';
import { startServer, type Answer, type Send } from '../fixtures/xcap-server.js';
import { checkedSend } from './invariants.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const rls = 'sip:rls@example.com';
const environment = { XCAP_TRUSTED_ELEMENTS: rls };

const directory = `/xcap-root/org.openmobilealliance.xcap-directory/users/${alice}/directory.xml`;
const watchers = `/xcap-root/org.openxcap.watchers/users/${alice}/index`;
const lists = `/xcap-root/resource-lists/users/${alice}`;

const noLists = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
const oneList =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="Zoë"/></resource-lists>';

const schemas = {
  directory: loadSchema(
    join(packageFolder, 'auids/org.openmobilealliance.xcap-directory/xcap-directory.xsd'),
  ),
  watchers: loadSchema(join(packageFolder, 'auids/org.openxcap.watchers/watcherinfo.xsd')),
};

type Entry = Readonly<Record<string, string>>;

/** The attributes of the entries in each folder, of the folders that have any. */
function entriesIn({ body }: Answer): Record<string, Entry[]> {
  const folders = read(body).root.children.map((folder): [string, Entry[]] => [
    folder.attributes[0]?.value ?? '',
    folder.children.map(({ attributes }) =>
      Object.fromEntries(attributes.map(({ localName, value }) => [localName, value])),
    ),
  ]);
  return Object.fromEntries(folders.filter(([, entries]) => entries.length > 0));
}

/** What a user may do with a document that the server makes in their home: to read it. */
async function checkReadOnly(t: Test, send: Send, target: string, body: string): Promise<void> {
  for (const as of [alice, 'alice@example.com', 'SIP:alice@EXAMPLE.com', rls]) {
    t.equal((await checkedSend(t, send, 'GET', target, { as })).status, 200, `${as} reads`);
  }
  t.equal((await checkedSend(t, send, 'GET', target, { as: bob })).status, 403);
  t.equal((await checkedSend(t, send, 'GET', target, { as: null })).status, 401);
  for (const as of [alice, bob, rls]) {
    for (const answer of [await send('PUT', target, { as, body }), await send('DELETE', target, { as })]) {
      t.same([answer.status, answer.headers.allow], [405, 'GET, HEAD'], `${as} does not write`);
    }
  }
  t.equal((await send('GET', `${target}.other`)).status, 404, 'there is no other document');
  t.equal((await send('PUT', `${target}.other`, { body })).status, 405);
}

/** A client need not fetch again what it has. */
async function checkConditions(t: Test, send: Send, target: string): Promise<void> {
  const { headers, body } = await send('GET', target);
  const again = await send('GET', target);
  t.same([again.body, again.headers.etag], [body, headers.etag], 'the same document has the same ETag');
  const known = { 'if-none-match': String(headers.etag) };
  t.equal((await checkedSend(t, send, 'GET', target, { headers: known })).status, 304);
  t.equal((await checkedSend(t, send, 'GET', target, { headers: { 'if-match': '"other"' } })).status, 412);
  const head = await send('HEAD', target);
  t.same([head.status, head.headers.etag, head.body], [200, headers.etag, '']);
  t.equal(head.headers['content-length'], String(Buffer.byteLength(body)));
}

t.test('the directory has a folder for each usage, also for a user who has nothing', async (t) => {
  const { app, send } = await startServer(t, { environment });
  const answer = await checkedSend(t, send, 'GET', directory);
  t.equal(answer.status, 200);
  t.equal(answer.headers['content-type']?.split(';')[0], 'application/vnd.oma.xcap-directory+xml');
  t.same(validate(answer.body, schemas.directory), { valid: true });
  t.same(
    read(answer.body).root.children.map(({ attributes }) => attributes[0]?.value),
    [...app.usages.keys()],
  );
  t.same(entriesIn(answer), {});
  await checkReadOnly(t, send, directory, answer.body);
});

t.test('the directory has an entry for each document of the user', async (t) => {
  const { send } = await startServer(t, { environment });
  const names = ['index', 'a&b%20%22c%22', 'Zo%C3%AB'];
  const since = Date.now();
  for (const name of names) {
    t.equal((await send('PUT', `${lists}/${name}`, { body: noLists })).status, 201);
  }
  await send('PUT', `/xcap-root/org.openmobilealliance.pres-rules/users/alice@EXAMPLE.com/pres-rules`, {
    body: '<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"/>',
  });
  await send('PUT', `/xcap-root/resource-lists/users/${bob}/index`, { as: bob, body: noLists });

  const answer = await checkedSend(t, send, 'GET', directory);
  t.same(validate(answer.body, schemas.directory), { valid: true });
  const found = entriesIn(answer);
  t.same(
    Object.fromEntries(Object.entries(found).map(([auid, entries]) => [auid, entries.map(({ uri }) => uri)])),
    {
      'org.openmobilealliance.pres-rules': [`org.openmobilealliance.pres-rules/users/${alice}/pres-rules`],
      'resource-lists': ['Zo%C3%AB', 'a&b%20%22c%22', 'index']
        .map((name) => `resource-lists/users/${alice}/${name}`)
        .sort(),
    },
    'of this user, and of nobody else',
  );
  for (const entry of Object.values(found).flat()) {
    const { uri = '', etag, size, 'last-modified': lastModified = '' } = entry;
    const { status, headers, body } = await send('GET', `/xcap-root/${uri}`);
    t.equal(status, 200, `${uri} is relative to the XCAP root`);
    t.equal(`"${etag ?? ''}"`, headers.etag, `${uri} has its ETag, without quotes`);
    t.equal(size, String(Buffer.byteLength(body)), `${uri} has its size`);
    t.match(lastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, `${uri} has its time`);
    t.ok(Math.abs(Date.parse(lastModified) - since) < 60_000, `${uri} has the time of now`);
  }
});

t.test('the directory is current after each write', async (t) => {
  const { send, database } = await startServer(t, { environment });
  const other = await startServer(t, { environment, database });
  const tags = new Set<unknown>();
  const entries = async (what: string) => {
    const answer = await send('GET', directory);
    const same = await other.send('GET', directory);
    t.same([same.body, same.headers.etag], [answer.body, answer.headers.etag], `${what}: servers agree`);
    t.equal(tags.has(answer.headers.etag), false, `${what}: the ETag is new`);
    tags.add(answer.headers.etag);
    return entriesIn(answer);
  };
  await entries('at first');
  for (const [status, body] of [
    [201, noLists],
    [200, oneList],
  ] as const) {
    const put = await other.send('PUT', `${lists}/index`, { body });
    t.equal(put.status, status);
    const [entry] = (await entries(`PUT ${String(status)}`))['resource-lists'] ?? [];
    t.equal(`"${entry?.etag ?? ''}"`, put.headers.etag);
    t.equal(entry?.size, String(Buffer.byteLength(body)));
  }
  const element = await send('PUT', `${lists}/index/~~/resource-lists/list/entry`, {
    headers: { 'content-type': 'application/xcap-el+xml' },
    body: '<entry uri="sip:carol@example.com"/>',
  });
  const [entry] = (await entries('PUT of an element'))['resource-lists'] ?? [];
  t.equal(`"${entry?.etag ?? ''}"`, element.headers.etag);
  await checkConditions(t, send, directory);
  await send('PUT', `/xcap-root/resource-lists/users/${bob}/index`, { as: bob, body: noLists });
  t.equal((await send('GET', directory)).headers.etag, [...tags].at(-1), 'others do not matter');
  t.equal((await send('DELETE', `${lists}/index`)).status, 200);
  // The entity tag is that of the empty directory again.
  tags.clear();
  t.same(await entries('DELETE'), {});
});

t.test('parts of the directory can be asked for', async (t) => {
  const { send } = await startServer(t, { environment });
  const { headers } = await send('PUT', `${lists}/index`, { body: noLists });
  const folder = `${directory}/~~/xcap-directory/folder%5B@auid=%22resource-lists%22%5D`;
  const found = await checkedSend(t, send, 'GET', folder);
  t.equal(found.status, 200);
  t.equal(found.headers['content-type'], 'application/xcap-el+xml');
  t.match(found.body, /^<folder auid="resource-lists">\s*<entry [^>]*\/>\s*<\/folder>$/);
  t.equal(found.headers.etag, (await send('GET', directory)).headers.etag);
  t.equal(`"${(await send('GET', `${folder}/entry/@etag`)).body}"`, headers.etag);
  const byUri = `${folder}/entry%5B@uri=%22resource-lists/users/${alice}/index%22%5D`;
  t.equal((await send('GET', byUri)).status, 200);
  t.equal(
    (await send('GET', folder.replace('resource-lists', 'pres-rules'))).body,
    '<folder auid="pres-rules"/>',
  );
  t.equal((await send('GET', folder.replace('resource-lists', 'no-such-usage'))).status, 404);
  t.equal((await send('DELETE', folder)).headers.allow, 'GET, HEAD');
});

t.test('watcher information: nobody watches, as long as no presence server says otherwise', async (t) => {
  const { send } = await startServer(t, { environment });
  const answer = await checkedSend(t, send, 'GET', watchers);
  t.equal(answer.status, 200);
  t.equal(answer.headers['content-type']?.split(';')[0], 'application/watcherinfo+xml');
  t.same(validate(answer.body, schemas.watchers), { valid: true });
  const [root, list, ...others] = descendantsOrSelf(read(answer.body).root);
  const attributesOf = (element: typeof root) =>
    Object.fromEntries(element?.attributes.map(({ localName, value }) => [localName, value]) ?? []);
  t.same(attributesOf(root), { version: '0', state: 'full' });
  t.same(attributesOf(list), { resource: alice, package: 'presence' });
  t.same(others, []);
  await checkReadOnly(t, send, watchers, answer.body);
  await checkConditions(t, send, watchers);
  const resource = await send('GET', `${watchers}/~~/watcherinfo/watcher-list/@resource`);
  t.same([resource.status, resource.body], [200, alice]);
  const odd = 'sip:a&b@example.com';
  const ofOdd = await send('GET', watchers.replace(alice, odd), { as: odd });
  t.match(ofOdd.body, 'resource="sip:a&amp;b@example.com"');
});
