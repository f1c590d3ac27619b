/** RFC 4826 §4: URIs of services are unique on the server, and the global document is the union of the users' ones. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { loadSchema, validate } from '../../src/xml/schema.js';
import { startServer, type Answer, type RequestOptions, type Send } from '../fixtures/xcap-server.js';
import { checkAnswer, checkedSend } from './invariants.js';

const namespace = 'urn:ietf:params:xml:ns:rls-services';
const root = '/xcap-root/rls-services';
const index = `${root}/global/index`;
const element = { 'content-type': 'application/xcap-el+xml' };
const attribute = { 'content-type': 'application/xcap-att+xml' };
const schema = loadSchema(join(packageFolder, 'auids/rls-services/rls-services.xsd'));

/** The trusted element of these tests, and the environment that names it. */
const rls = { as: 'sip:rls@example.com' };
const environment = { XCAP_TRUSTED_ELEMENTS: rls.as };

function xui(user: string): string {
  return `sip:${user}@example.com`;
}

function documentOf(user: string, name = 'index'): string {
  return `${root}/users/${xui(user)}/${name}`;
}

function service(uri: string, content = '<list/>'): string {
  return `<service uri="${uri}">${content}</service>`;
}

function services(...uris: readonly string[]): string {
  return `<rls-services xmlns="${namespace}">${uris.map((uri) => service(uri)).join('')}</rls-services>`;
}

/** The node selector of a service. */
function serviceOf(uri: string): string {
  return `rls-services/service%5B@uri=%22${uri}%22%5D`;
}

/** A user puts these services into a document of theirs. */
function put(send: Send, user: string, uris: readonly string[], name = 'index'): Promise<Answer> {
  return send('PUT', documentOf(user, name), { as: xui(user), body: services(...uris) });
}

/** What a report on values that are taken says of each. */
function existsIn({ body }: Answer): { field: string; alternatives: string[] }[] {
  return [...body.matchAll(/<exists field="([^"]*)"(?:\/>|>(.*?)<\/exists>)/g)].map(
    ([, field = '', values = '']) => ({
      field,
      alternatives: [...values.matchAll(/<alt-value>([^<]*)<\/alt-value>/g)].map(([, value = '']) => value),
    }),
  );
}

/** Checks that the answer reports a URI that is taken, and returns what may be used instead. */
function checkTaken(t: Test, answer: Answer, field: string, what: string): string[] {
  t.equal(answer.status, 409, what);
  t.match(answer.body, '<uniqueness-failure ', what);
  const [first] = existsIn(answer);
  t.equal(first?.field, field, what);
  return first?.alternatives ?? [];
}

const onlyService = 'rls-services/service/@uri';
const friends = 'sip:friends@example.com';

t.test('§4.4.5: no two users have a service of the same URI', async (t) => {
  const { send } = await startServer(t);
  const bob = { as: xui('bob') };
  t.equal((await put(send, 'alice', [friends])).status, 201);
  t.equal((await put(send, 'alice', [friends])).status, 200, 'its user may write it again');

  const refused = await checkedSend(t, send, 'PUT', documentOf('bob'), { ...bob, body: services(friends) });
  const [alternative = ''] = checkTaken(t, refused, onlyService, 'the URI of another user');
  t.match(alternative, /^sip:.+@example\.com$/);
  t.equal((await put(send, 'bob', [alternative])).status, 201, 'what is proposed can be used');

  const spellings = [
    'sip:friends@EXAMPLE.com',
    'SIP:friends@example.COM',
    'friends@example.com',
    'sips:friends@example.com',
    'sip:friends@example.com;x=1',
  ];
  for (const spelling of spellings) {
    checkTaken(t, await put(send, 'bob', [spelling]), onlyService, `spelled ${spelling}`);
  }
  const others = [
    'sip:Friends@example.com',
    'sip:friends%3Bx=1@example.com',
    'sip:friends@lists.example.com',
  ];
  t.equal((await put(send, 'carol', others)).status, 201, 'what differs otherwise is another URI');

  checkTaken(t, await put(send, 'alice', [friends], 'more'), onlyService, 'in another document of its user');
  checkTaken(
    t,
    await put(send, 'bob', [alternative, friends]),
    'rls-services/service%5B2%5D/@uri',
    'the second of two',
  );
  const several = await put(send, 'bob', [friends, 'sip:bobs@example.com', 'sip:Friends@example.com']);
  t.same(
    existsIn(several).map(({ field }) => field),
    ['rls-services/service%5B1%5D/@uri', 'rls-services/service%5B3%5D/@uri'],
    'all that are taken are told',
  );
});

t.test('§4.4.5: services that are put one by one', async (t) => {
  const { send } = await startServer(t);
  const bob = { as: xui('bob') };
  await put(send, 'alice', [friends]);
  await put(send, 'bob', ['sip:bobs@example.com']);
  const before = await send('GET', documentOf('bob'), bob);
  const node = (selector: string) => `${documentOf('bob')}/~~/rls-services/${selector}`;
  const requests: [selector: string, options: RequestOptions, field: string][] = [
    [
      `service%5B@uri=%22${friends}%22%5D`,
      { headers: element, body: service(friends) },
      'rls-services/service%5B2%5D/@uri',
    ],
    ['service%5B1%5D', { headers: element, body: service(friends) }, onlyService],
    ['service/@uri', { headers: attribute, body: friends }, onlyService],
  ];
  for (const [selector, options, field] of requests) {
    const answer = await send('PUT', node(selector), { ...bob, ...options });
    checkAnswer(t, 'PUT', selector, answer);
    const [alternative = ''] = checkTaken(t, answer, field, selector);
    t.match(alternative, '@example.com', `${selector}: there is another one`);
  }
  const after = await send('GET', documentOf('bob'), bob);
  t.same([after.body, after.headers.etag], [before.body, before.headers.etag], 'nothing has changed');
});

t.test('§4.4.5: twenty users want the same URI at the same time', async (t) => {
  const { send, database } = await startServer(t);
  const other = await startServer(t, { database });
  const users = Array.from({ length: 20 }, (_, i) => `user${String(i)}`);
  const sendOf = (i: number) => (i % 2 === 0 ? send : other.send);
  const first = await Promise.all(users.map((user, i) => put(sendOf(i), user, [friends])));
  t.same(
    first.map(({ status }) => status).sort(),
    [201, ...Array.from({ length: 19 }, () => 409)],
    'one of them gets it',
  );
  const second = await Promise.all(
    first.map((answer, i) => {
      if (answer.status === 201) return Promise.resolve(answer);
      const [alternative = ''] = checkTaken(t, answer, onlyService, `user ${String(i)}`);
      return put(sendOf(i), users[i] ?? '', [alternative]);
    }),
  );
  t.same([...new Set(second.map(({ status }) => status))], [201], 'the others get what was proposed to them');
});

t.test('§4.4.5: a URI is free when nobody has it any more', async (t) => {
  const { send } = await startServer(t);
  const alice = { as: xui('alice') };
  const ways: [how: string, giveUp: () => Promise<Answer>][] = [
    [
      'the service is deleted',
      () => send('DELETE', `${documentOf('alice')}/~~/${serviceOf(friends)}`, alice),
    ],
    ['the document is deleted', () => send('DELETE', documentOf('alice'), alice)],
    ['the document is replaced', () => put(send, 'alice', ['sip:new@example.com'])],
    [
      'the service gets another one',
      () =>
        send('PUT', `${documentOf('alice')}/~~/rls-services/service%5B1%5D/@uri`, {
          ...alice,
          headers: attribute,
          body: 'sip:other@example.com',
        }),
    ],
  ];
  for (const [how, giveUp] of ways) {
    await put(send, 'alice', [friends, 'sip:alice-2@example.com']);
    checkTaken(t, await put(send, 'bob', [friends]), onlyService, `before ${how}`);
    t.equal((await giveUp()).status, 200, how);
    t.equal((await put(send, 'bob', [friends])).status, 201, `after ${how}`);
    t.equal((await send('DELETE', documentOf('bob'), { as: xui('bob') })).status, 200);
  }
});

t.test('§4.4.5: a write that fails gives up nothing and takes nothing', async (t) => {
  const { send } = await startServer(t);
  const wanted = 'sip:wanted@example.com';
  await put(send, 'alice', [friends]);
  await put(send, 'carol', ['sip:carols@example.com']);
  const failures: [why: string, status: number, options: RequestOptions][] = [
    ['one URI of two is taken', 409, { body: services(wanted, 'sip:carols@example.com') }],
    ['the condition fails', 412, { body: services(wanted), headers: { 'if-match': '"other"' } }],
    ['the schema is broken', 409, { body: services(wanted).replace('<list/>', '') }],
    [
      'a constraint is broken',
      409,
      { body: services(wanted).replace('<list/>', '<resource-list>here</resource-list>') },
    ],
    ['it is not well-formed', 409, { body: services(wanted).replace('</service>', '') }],
  ];
  for (const [why, status, options] of failures) {
    const failed = await send('PUT', documentOf('alice'), { as: xui('alice'), ...options });
    t.equal(failed.status, status, why);
    checkTaken(t, await put(send, 'bob', [friends]), onlyService, `${why}: she has hers`);
    t.equal((await put(send, 'bob', [wanted])).status, 201, `${why}: she did not get the other`);
    await send('DELETE', documentOf('bob'), { as: xui('bob') });
  }
  t.equal((await put(send, 'bob', [friends])).status, 409);
  t.equal((await put(send, 'alice', [wanted])).status, 200);
  t.equal((await put(send, 'bob', [friends])).status, 201, 'the refused user has not got it in between');
});

t.test('§4.4.5: the address of a user is no URI of a service', async (t) => {
  const { send } = await startServer(t);
  const lists = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  await send('PUT', `/xcap-root/resource-lists/users/${xui('dave')}/index`, {
    as: xui('dave'),
    body: lists,
  });
  const [alternative = ''] = checkTaken(
    t,
    await put(send, 'bob', ['sip:dave@Example.com']),
    onlyService,
    'of a user who has documents',
  );
  t.equal((await put(send, 'bob', [alternative])).status, 201, 'what is proposed can be used');
  const [own = ''] = checkTaken(t, await put(send, 'bob', [xui('bob')]), onlyService, 'their own');
  t.equal((await put(send, 'bob', [own])).status, 200, 'what is proposed can be used');
  const withParameter = `${xui('bob')};pres-list=rcs`;
  t.equal((await put(send, 'bob', [withParameter])).status, 200, 'with a parameter it is still theirs');
});

t.test('§4.4.5: a URI that a document has twice', async (t) => {
  const { send } = await startServer(t);
  for (const twice of [friends, 'sip:friends@EXAMPLE.COM']) {
    const answer = await checkedSend(t, send, 'PUT', documentOf('alice'), { body: services(friends, twice) });
    checkTaken(t, answer, 'rls-services/service%5B2%5D/@uri', twice);
  }
  t.equal((await put(send, 'bob', [friends])).status, 201, 'nobody has got it');
});

t.test('§4.1: a list lies below an XCAP root of this server', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/xcap-root,/a%20b,/services/v2' } });
  const list = `resource-lists/users/${xui('alice')}/index/~~/resource-lists/list`;
  const answerTo = (uri: string) =>
    checkedSend(t, send, 'PUT', documentOf('alice'), {
      body: services(friends).replace('<list/>', `<resource-list>${uri}</resource-list>`),
    });
  for (const path of [
    '',
    '/xcap',
    '/services',
    '/services/v2/more',
    '/XCAP-ROOT',
    '/xcap-root/services/v2',
  ]) {
    const { status, body } = await answerTo(`http://xcap.example.com${path}/${list}`);
    t.equal(status, 409, path);
    t.match(body, '<constraint-failure ', path);
  }
  for (const path of ['/xcap-root', '/services/v2', '/services/v%32', '/a%20b']) {
    const { status, body } = await answerTo(`http://xcap.example.com${path}/${list}`);
    t.match(String(status), /^20[01]$/, `${path}: ${body}`);
  }
});

t.test('§4.4.9: the global document is for trusted elements', async (t) => {
  const { send } = await startServer(t, { environment });
  await put(send, 'alice', [friends]);
  const targets = [index, `${index}/~~/rls-services/service%5B1%5D`, `${root}/global/other`];
  for (const target of targets) {
    for (const as of [xui('alice'), xui('bob')]) {
      t.equal((await checkedSend(t, send, 'GET', target, { as })).status, 403, `${as} GET ${target}`);
    }
    t.equal((await checkedSend(t, send, 'GET', target, { as: null })).status, 401, target);
  }
  t.equal((await checkedSend(t, send, 'GET', index, rls)).status, 200);
  t.equal((await send('GET', `${root}/global/other`, rls)).status, 404);
  t.equal((await send('GET', documentOf('alice'), rls)).status, 200, 'it reads what users have, too');
  t.equal((await send('GET', documentOf('alice'), { as: xui('bob') })).status, 403);
  for (const as of [xui('alice'), rls.as]) {
    for (const target of [index, `${index}/~~/rls-services/service%5B1%5D/@uri`]) {
      const deletion = await send('DELETE', target, { as });
      const replacement = await send('PUT', target, { as, body: services(friends) });
      for (const { status, headers } of [deletion, replacement]) {
        t.same([status, headers.allow], [405, 'GET, HEAD'], `${as} writes ${target}`);
      }
    }
  }
});

t.test('§4.4.8: the global document is the union of the documents named index', async (t) => {
  const { send, database } = await startServer(t, { environment });
  const other = await startServer(t, { environment, database });
  const tags = new Set<string>();
  let latest = '';

  /** The URIs in the global document, which both servers have, and whose ETag is new exactly where its text is. */
  async function listed(): Promise<string[]> {
    const answer = await send('GET', index, rls);
    const same = await other.send('GET', index, rls);
    t.same([same.body, same.headers.etag], [answer.body, answer.headers.etag], 'both servers agree');
    t.equal(answer.headers['content-type']?.split(';')[0], 'application/rls-services+xml');
    t.same(validate(answer.body, schema), { valid: true }, 'it is valid');
    const tag = String(answer.headers.etag);
    t.equal(tags.has(tag), answer.body === latest, 'the ETag changes with the text');
    latest = answer.body;
    tags.add(tag);
    return [...answer.body.matchAll(/<service uri="([^"]*)"/g)].map(([, uri = '']) => uri);
  }

  t.same(await listed(), [], 'at first there is none');
  await put(send, 'bob', ['sip:b@example.com', 'sip:d@example.com']);
  t.same(await listed(), ['sip:b@example.com', 'sip:d@example.com'], 'one user');
  await put(other.send, 'alice', ['sip:c@example.com', 'sip:a@example.com']);
  const all = ['sip:a@example.com', 'sip:b@example.com', 'sip:c@example.com', 'sip:d@example.com'];
  t.same(await listed(), all, 'two users, in the order of the URIs');
  await put(send, 'alice', ['sip:hidden@example.com'], 'work');
  t.same(await listed(), all, 'a document of another name');
  await send('PUT', documentOf('bob'), {
    as: xui('bob'),
    body: `<!-- mine -->${services('sip:b@example.com', 'sip:d@example.com')}`,
  });
  t.same(await listed(), all, 'a comment outside of the services');
  await put(send, 'carol', ['sip:b@example.com']);
  t.same(await listed(), all, 'a write that is refused');
  await send('PUT', `${documentOf('alice')}/~~/rls-services/service%5B1%5D/packages`, {
    as: xui('alice'),
    headers: element,
    body: '<packages><package>presence</package></packages>',
  });
  t.same(await listed(), all, 'another content of a service');
  t.match(latest, '<package>presence</package>', 'which is there');
  await send('DELETE', `${documentOf('alice')}/~~/${serviceOf('sip:c@example.com')}`, { as: xui('alice') });
  t.same(await listed(), ['sip:a@example.com', 'sip:b@example.com', 'sip:d@example.com'], 'one is deleted');
  await send('DELETE', documentOf('bob'), { as: xui('bob') });
  t.same(await listed(), ['sip:a@example.com'], 'a document is deleted');
});

t.test('§4.5: a resource list server looks for a service', async (t) => {
  const { send } = await startServer(t, { environment });
  await put(send, 'alice', [friends]);
  await put(send, 'bob', ['sip:team@example.com']);
  const get = (selector: string, headers = {}) =>
    checkedSend(t, send, 'GET', `${index}${selector}`, { ...rls, headers });
  const whole = await get('');
  const tag = String(whole.headers.etag);

  const found = await get(`/~~/${serviceOf(friends)}`);
  t.equal(found.status, 200);
  t.equal(found.headers['content-type'], 'application/xcap-el+xml');
  t.equal(found.headers.etag, tag);
  t.match(found.body, /^<service uri="sip:friends@example\.com"[^>]*><list\/><\/service>$/);
  t.ok(whole.body.includes(found.body));
  const uri = await get('/~~/rls-services/service%5B2%5D/@uri');
  t.same([uri.status, uri.body], [200, 'sip:team@example.com']);
  t.equal((await get(`/~~/${serviceOf('sip:no@example.com')}`)).status, 404);

  t.equal((await get('', { 'if-none-match': tag })).status, 304);
  const head = await send('HEAD', index, rls);
  t.same([head.status, head.headers.etag, head.body], [200, tag, '']);
  t.equal(head.headers['content-length'], String(Buffer.byteLength(whole.body)));
  await put(send, 'bob', []);
  t.equal((await get('', { 'if-none-match': tag })).status, 200, 'it has changed');
});

t.test('§4.4.8: services come with the namespaces of the document that they are from', async (t) => {
  const { send } = await startServer(t, { environment });
  const body = [
    `<s:rls-services xmlns:s="${namespace}" xmlns:lists="urn:ietf:params:xml:ns:resource-lists"`,
    ' xmlns:x="urn:example:settings">',
    '<s:service uri="sip:prefixed@example.com" x:color="blue"><s:list><lists:entry uri="sip:bob@example.com"/></s:list>',
    '<x:settings><loud/></x:settings></s:service></s:rls-services>',
  ].join('');
  const created = await send('PUT', documentOf('alice'), { body });
  t.equal(created.status, 201, created.body);
  await put(send, 'bob', [friends]);
  const document = await send('GET', index, rls);
  t.same(validate(document.body, schema), { valid: true }, document.body);
  const bindings = 'xmlns(l=urn:ietf:params:xml:ns:resource-lists)xmlns(x=urn:example:settings)';
  const get = (selector: string) => send('GET', `${index}/~~/rls-services/${selector}?${bindings}`, rls);
  const service = '*%5B@uri=%22sip:prefixed@example.com%22%5D';
  t.equal((await get(`${service}/list/l:entry/@uri`)).body, 'sip:bob@example.com');
  t.equal((await get(`${service}/@x:color`)).body, 'blue');
  t.equal((await get(`${service}/x:settings/*`)).body, '<loud/>');
  t.equal((await get(`${service}/x:settings/loud`)).status, 404, 'what is in no namespace stays there');
});
