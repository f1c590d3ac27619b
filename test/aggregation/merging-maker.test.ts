import t, { type Test } from 'tap';
import { read } from '../fixtures/source.js';
import { startStubUpstream, type StubAnswer } from '../fixtures/stub-upstream.js';
import { startServer, type TestServer } from '../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const capabilities = '/xcap-root/xcap-caps/global/index';
const directory = `/xcap-root/org.openmobilealliance.xcap-directory/users/${alice}/directory.xml`;
const lists = `/xcap-root/resource-lists/users/${alice}/index`;
const rules = `/xcap-root/pres-rules/users/${alice}/index`;
const list =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="l"/></resource-lists>';
const ruleset = '<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"/>';

/** The folders of a directory by AUID: what is in them. */
function foldersOf(body: string): Map<string, string> {
  const { root, text } = read(body);
  return new Map(
    root.children.map((folder) => [
      folder.attributes.find(({ localName }) => localName === 'auid')?.value ?? '',
      text.slice(folder.startTagEnd, folder.contentEnd).trim(),
    ]),
  );
}

function valuesOf(body: string, name: string): string[] {
  return [...body.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, value = '']) => value);
}

async function startWithStub(t: Test, routes: readonly string[], answer: StubAnswer): Promise<TestServer> {
  const { port } = await startStubUpstream(t, answer);
  const upstreams = routes.map((name) => `${name}=http://127.0.0.1:${port}`).join(',');
  return startServer(t, { environment: { XCAP_UPSTREAMS: upstreams } });
}

const endless: StubAnswer = (_, response) => {
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
};

t.test('two servers look like one', async (t) => {
  const back = await startServer(t);
  const front = await startServer(t, {
    environment: { XCAP_UPSTREAMS: `resource-lists=http://127.0.0.1:${back.port}/xcap-root` },
  });
  const { send } = front;
  const whole = await back.send('GET', directory);
  const before = await send('GET', directory);
  t.match(before, { status: 200, headers: { 'content-type': 'application/vnd.oma.xcap-directory+xml' } });
  t.same([...foldersOf(before.body).keys()], [...foldersOf(whole.body).keys()], 'each folder once, in order');

  const { headers } = await send('PUT', lists, { body: list });
  await send('PUT', rules, { body: ruleset });
  await back.send('PUT', rules, { body: ruleset });
  const after = await send('GET', directory);
  const folders = foldersOf(after.body);
  const etag = String(headers.etag).replaceAll('"', '');
  t.match(folders.get('resource-lists'), `uri="resource-lists/users/${alice}/index" etag="${etag}"`);
  t.equal(
    folders.get('pres-rules')?.match(/<entry/g)?.length,
    1,
    'what lies behind but is served here is left out',
  );

  t.not(after.headers.etag, before.headers.etag);
  const again = { headers: { 'if-none-match': after.headers.etag } };
  t.match(await send('GET', directory, again), { status: 304, body: '' });
  t.equal((await send('GET', directory, { headers: { 'if-none-match': before.headers.etag } })).status, 200);
  const folder = await send('GET', `${directory}/~~/xcap-directory/folder%5B@auid=%22resource-lists%22%5D`);
  t.match(folder, { status: 200, headers: { etag: after.headers.etag } });
  t.match(folder.body, /^<folder auid="resource-lists"[^>]*>\s*<entry [^>]*>\s*<\/folder>$/);
  const attribute = await send('GET', `${directory}/~~/xcap-directory/folder%5B2%5D/@auid`);
  t.equal(attribute.status, 200);
  t.equal((await send('GET', directory, { as: 'sip:bob@example.com' })).status, 403);
  t.equal((await send('PUT', directory, { body: after.body })).status, 405);

  const own = await back.send('GET', capabilities);
  const merged = await send('GET', capabilities);
  t.equal(merged.body, own.body, 'servers that have the same can do the same');
  t.match(await send('GET', capabilities, { headers: { 'if-none-match': merged.headers.etag } }), {
    status: 304,
  });
  t.equal((await send('GET', `${capabilities}/~~/xcap-caps/auids/auid%5B1%5D`)).status, 200);
});

t.test('what others have is added as they wrote it', async (t) => {
  const foreign =
    '<?xml version="1.0"?><d:xcap-directory xmlns:d="urn:oma:xml:xdm:xcap-directory" xmlns:x="urn:x">\n' +
    '<d:folder auid="org.example.a" x:more=\'1\'><!-- kept --><d:entry etag="1" uri="org.example.a/users/x/y"/>' +
    '<d:entry uri="http://other.example.com/z" etag="2"/></d:folder>\n' +
    '<d:folder auid="org.example.a"/><d:folder auid="not.routed"/><x:folder auid="org.example.x"/></d:xcap-directory>';
  const caps =
    '<c:xcap-caps xmlns:c="urn:ietf:params:xml:ns:xcap-caps"><c:auids><c:auid> org.example.a </c:auid>' +
    '<c:auid>not.routed</c:auid></c:auids><c:extensions><c:extension>e&amp;e</c:extension></c:extensions>' +
    '<c:namespaces><c:namespace>urn:x</c:namespace></c:namespaces></c:xcap-caps>';
  const { send } = await startWithStub(t, ['org.example.*'], ({ target }, response) => {
    response.end(target.startsWith('/xcap-caps/') ? caps : foreign);
  });
  const { body } = await send('GET', directory);
  const entries =
    '<!-- kept --><d:entry etag="1" uri="org.example.a/users/x/y"/>' +
    '<d:entry uri="http://other.example.com/z" etag="2"/></d:folder>';
  t.ok(body.includes(entries), 'byte for byte');
  t.match(body, /<d:folder auid="org\.example\.a" x:more='1'/);
  const folders = foldersOf(body);
  for (const [auid, isThere] of Object.entries({
    'org.example.a': true,
    'not.routed': false,
    'org.example.x': false,
  })) {
    t.equal(folders.has(auid), isThere, auid);
  }
  const answer = await send('GET', capabilities);
  t.ok(valuesOf(answer.body, 'auid').includes('org.example.a'));
  t.notOk(valuesOf(answer.body, 'auid').includes('not.routed'), 'who asks for it would be told 404');
  t.ok(valuesOf(answer.body, 'auid').includes('resource-lists'));
  t.same(valuesOf(answer.body, 'auid'), [...valuesOf(answer.body, 'auid')].sort());
  t.same(valuesOf(answer.body, 'extension'), ['e&amp;e']);
  t.ok(valuesOf(answer.body, 'namespace').includes('urn:x'));
});

t.test('an upstream that is away, slow or hostile', async (t) => {
  const deep = '<a>'.repeat(5000);
  const root = 'xcap-directory xmlns="urn:oma:xml:xdm:xcap-directory"';
  const many = `<${root}>${'<folder auid="resource-lists"/>'.repeat(30_000)}</xcap-directory>`;
  const bomb =
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>' +
    `<${root}><folder auid="resource-lists">&b;</folder></xcap-directory>`;
  const answers: [name: string, answer: StubAnswer, code: string][] = [
    ['no such document', (_, response) => response.writeHead(404).end('no'), '404'],
    ['busy', (_, response) => response.writeHead(503).end('no'), '503'],
    ['distrustful', (_, response) => response.writeHead(401).end('no'), '502'],
    ['no XML', (_, response) => response.end('\u0000<'), '502'],
    ['half of it', (_, response) => response.end(`<${root}><folder auid="resource-lists">`), '502'],
    ['a document type', (_, response) => response.end(bomb), '502'],
    ['another document', (_, response) => response.end(list), '502'],
    ['too deep', (_, response) => response.end(deep), '502'],
    ['too long', (_, response) => response.end(`<${root}>${' '.repeat(2_000_000)}</xcap-directory>`), '502'],
    ['endless', endless, '502'],
    ['silent', () => {}, '504'],
    ['gone', (_, response) => response.destroy(), '502'],
  ];
  let current: StubAnswer = () => {};
  const { send } = await startWithStub(t, ['resource-lists'], (request, response) =>
    current(request, response),
  );
  await send('PUT', rules, { body: ruleset });
  for (const [name, answer, code] of answers) {
    current = answer;
    const merged = await send('GET', directory);
    t.equal(merged.status, 200, name);
    const folders = foldersOf(merged.body);
    t.equal(folders.get('resource-lists'), `<error-code>${code}</error-code>`, name);
    t.match(folders.get('pres-rules'), /<entry /, `${name}: the own documents are there`);
  }
  current = (_, response) => response.end(many);
  t.equal(
    foldersOf((await send('GET', directory)).body).get('resource-lists'),
    '',
    'the first folder counts',
  );

  const known =
    '<xcap-caps xmlns="urn:ietf:params:xml:ns:xcap-caps"><auids><auid>resource-lists</auid></auids>' +
    '<namespaces><namespace>urn:known</namespace></namespaces></xcap-caps>';
  current = (_, response) => response.writeHead(500).end();
  const unknown = await send('GET', capabilities);
  t.ok(valuesOf(unknown.body, 'auid').includes('resource-lists'), 'the configuration says so');
  current = (_, response) => response.end(known);
  const first = await send('GET', capabilities);
  t.ok(valuesOf(first.body, 'namespace').includes('urn:known'));
  current = (_, response) => response.destroy();
  const later = await send('GET', capabilities);
  t.equal(later.body, first.body, 'what it can do is what it could do');
  t.equal(later.headers.etag, first.headers.etag);
});

t.test('folders that are too much together', async (t) => {
  const entries = '<entry uri="u" etag="e"/>'.repeat(30_000);
  const answer: StubAnswer = ({ target }, response) => {
    const auid = target.startsWith('/two') ? 'pres-rules' : 'resource-lists';
    const folder = `<folder auid="${auid}">${entries}</folder>`;
    response.end(`<xcap-directory xmlns="urn:oma:xml:xdm:xcap-directory">${folder}</xcap-directory>`);
  };
  const { port } = await startStubUpstream(t, answer);
  const upstreams = `resource-lists=http://127.0.0.1:${port}/one,pres-rules=http://127.0.0.1:${port}/two`;
  const { send } = await startServer(t, { environment: { XCAP_UPSTREAMS: upstreams } });
  const { status, body } = await send('GET', directory);
  t.equal(status, 200);
  const folders = foldersOf(body);
  for (const auid of ['resource-lists', 'pres-rules']) {
    t.equal(folders.get(auid), '<error-code>502</error-code>', auid);
  }
});

t.test('everything behind another server', async (t) => {
  const back = await startServer(t);
  const front = await startServer(t, {
    environment: { XCAP_UPSTREAMS: `*=http://127.0.0.1:${back.port}/xcap-root` },
  });
  await front.send('PUT', lists, { body: list });
  const [merged, whole] = await Promise.all([front.send('GET', directory), back.send('GET', directory)]);
  t.same(
    [...foldersOf(merged.body)].filter(([auid]) => auid === 'resource-lists'),
    [...foldersOf(whole.body)].filter(([auid]) => auid === 'resource-lists'),
  );
  t.same([...foldersOf(merged.body).keys()].sort(), [...foldersOf(whole.body).keys()].sort());
});
