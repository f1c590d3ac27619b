import { METHODS } from 'node:http';
import t from 'tap';
import { exchange } from '../fixtures/raw-socket.js';
import { startServer } from '../fixtures/xcap-server.js';

const home = '/xcap-root/resource-lists/users/sip:alice@example.com';
const target = `${home}/index`;
const list =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="l"/></resource-lists>';
const identity = 'X-3GPP-Asserted-Identity: sip:alice@example.com\r\n';

t.test('§8.1: methods', async (t) => {
  const { send } = await startServer(t);
  await send('PUT', target, { body: list });
  const others = METHODS.filter((m) => !['GET', 'HEAD', 'PUT', 'DELETE', 'CONNECT'].includes(m));
  for (const method of others) {
    const answer = await send(method, target, { body: '' });
    t.equal(answer.status, 405, method);
    t.equal(answer.headers.allow, 'GET, HEAD, PUT, DELETE', method);
  }
  const readOnly = [`${target}/~~/resource-lists/namespace::*`, '/xcap-root/xcap-caps/global/index'];
  for (const resource of readOnly) {
    for (const method of ['PUT', 'DELETE', 'POST']) {
      const answer = await send(method, resource, { body: '' });
      t.equal(answer.status, 405, `${method} ${resource}`);
      t.equal(answer.headers.allow, 'GET, HEAD');
    }
  }
  t.equal((await send('POST', '/xcap-root/no-such-usage/global/index', { body: '' })).status, 404);
});

t.test('§8.3: HEAD is GET without the body', async (t) => {
  const { send } = await startServer(t);
  await send('PUT', target, { body: list });
  const resources = [
    target,
    `${target}/~~/resource-lists/list`,
    `${target}/~~/resource-lists/list/@name`,
    `${target}/~~/resource-lists/namespace::*`,
    '/xcap-root/xcap-caps/global/index',
    `${target}/~~/resource-lists/list%5B2%5D`,
    `${home}/other`,
  ];
  for (const resource of resources) {
    const got = await send('GET', resource);
    const head = await send('HEAD', resource);
    t.equal(head.status, got.status, resource);
    t.equal(head.body, '');
    for (const name of ['etag', 'content-type', 'content-length', 'cache-control']) {
      t.equal(head.headers[name], got.headers[name], `${name} of ${resource}`);
    }
  }
});

t.test('media types of representations', async (t) => {
  const { send } = await startServer(t);
  await send('PUT', target, { body: list });
  const cases: [resource: string, mediaType: string, body: string][] = [
    [target, 'application/resource-lists+xml', list],
    [`${target}/~~/resource-lists/list`, 'application/xcap-el+xml', '<list name="l"/>'],
    [`${target}/~~/resource-lists/list/@name`, 'application/xcap-att+xml', 'l'],
    [
      `${target}/~~/resource-lists/list/namespace::*`,
      'application/xcap-ns+xml',
      '<list xmlns="urn:ietf:params:xml:ns:resource-lists"/>',
    ],
  ];
  for (const [resource, mediaType, body] of cases) {
    const answer = await send('GET', resource, {
      headers: { accept: 'image/png', 'accept-encoding': 'gzip' },
    });
    t.equal(answer.status, 200, 'never 406');
    t.equal(answer.headers['content-type'], mediaType);
    t.equal(answer.headers['content-encoding'], undefined);
    t.equal(answer.headers['cache-control'], 'no-cache');
    t.match(answer.headers.etag, /^"[^"]+"$/);
    t.match(answer.headers, {
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
    t.equal(answer.body, body);
    const again = await send('GET', resource, { headers: { 'if-none-match': answer.headers.etag } });
    t.equal(again.status, 304);
    t.equal(again.headers.etag, answer.headers.etag);
    t.equal(again.body, '');
  }
});

t.test('§8.2.2: media types of bodies', async (t) => {
  const lenient = await startServer(t);
  const strict = await startServer(t, { environment: { XCAP_STRICT_MEDIA_TYPES: 'true' } });
  const element = `${target}/~~/resource-lists/list`;
  const attribute = `${element}/@name`;
  const cases: [resource: string, body: string, type: string | undefined, lenient: number, strict: number][] =
    [
      [target, list, 'application/resource-lists+xml', 200, 200],
      [target, list, 'Application/Resource-Lists+XML; charset="utf-8"', 200, 200],
      [target, list, undefined, 200, 415],
      [target, list, 'application/x-www-form-urlencoded', 200, 415],
      [target, list, 'application/xml', 415, 415],
      [target, list, 'text/plain', 415, 415],
      [target, list, 'application/xcap-el+xml', 415, 415],
      [target, list, '"application/resource-lists+xml"', 415, 415],
      [element, '<list name="l"/>', 'application/xcap-el+xml', 200, 200],
      [element, '<list name="l"/>', 'application/xcap-el+xml;charset=utf-8', 200, 200],
      [element, '<list name="l"/>', undefined, 415, 415],
      [element, '<list name="l"/>', 'application/x-www-form-urlencoded', 415, 415],
      [element, '<list name="l"/>', 'application/resource-lists+xml', 415, 415],
      [attribute, 'l', 'application/xcap-att+xml', 200, 200],
      [attribute, 'l', undefined, 415, 415],
      [attribute, 'l', 'text/plain', 415, 415],
    ];
  for (const [server, column] of [
    [lenient, 3],
    [strict, 4],
  ] as const) {
    await server.send('PUT', target, {
      headers: { 'content-type': 'application/resource-lists+xml' },
      body: list,
    });
    for (const row of cases) {
      const [resource, body, type] = row;
      const headers = type === undefined ? {} : { 'content-type': type };
      const { status } = await server.send('PUT', resource, { headers, body });
      t.equal(status, row[column], `${resource} with ${type ?? 'no type'}`);
    }
  }
});

t.test('content codings', async (t) => {
  const { send } = await startServer(t);
  const cases: [coding: string, status: number][] = [
    ['gzip', 415],
    ['identity', 201],
    ['UTF-8', 200],
    ['', 200],
  ];
  for (const [coding, status] of cases) {
    const answer = await send('PUT', target, { headers: { 'content-encoding': coding }, body: list });
    t.equal(answer.status, status, coding);
  }
});

t.test('bodies over the limit', async (t) => {
  const { port, send } = await startServer(t, { environment: { XCAP_MAX_DOCUMENT_BYTES: '2000' } });
  const large = list.replace('<list name="l"/>', `<!--${'x'.repeat(3000)}-->`);
  const answer = await send('PUT', target, { body: large });
  t.equal(answer.status, 413);
  t.equal((await send('GET', target)).status, 404, 'nothing was stored, and the server goes on');

  const head = `PUT ${target} HTTP/1.1\r\nHost: localhost\r\n${identity}Expect: 100-continue\r\n`;
  const refused = await exchange(port, [`${head}Content-Length: 3000000\r\n\r\n`], /\r\n\r\n/);
  t.match(refused, /^HTTP\/1.1 413 /, 'who asks first is refused without having sent the body');
  t.match(refused, /\r\nconnection: close\r\n/i, 'whose body would come next');
  const survived = await exchange(
    port,
    [
      `PUT ${target} HTTP/1.1\r\nHost: localhost\r\n${identity}Content-Length: 300000\r\n\r\n${'x'.repeat(300000)}`,
      { before: /413/, send: `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${identity}\r\n` },
    ],
    / 404 /,
  );
  t.match(survived, /^HTTP\/1.1 413 [^]*HTTP\/1.1 404 /, 'the connection survives');
  const chunked = await exchange(
    port,
    [
      `PUT ${target} HTTP/1.1\r\nHost: localhost\r\n${identity}Transfer-Encoding: chunked\r\n\r\nbb8\r\n${'x'.repeat(3000)}\r\n0\r\n\r\n`,
    ],
    /\r\n\r\n/,
  );
  t.match(chunked, /^HTTP\/1.1 413 /, 'a length that nobody announced');
  const continued = await exchange(
    port,
    [
      `${head}Content-Length: ${list.length}\r\n\r\n`,
      { before: /^HTTP\/1.1 100 Continue\r\n\r\n/, send: list },
    ],
    /201 Created[^]*\r\n\r\n/,
  );
  t.match(continued, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201 /);

  const element = { 'content-type': 'application/xcap-el+xml' };
  const grown = await send('PUT', `${target}/~~/resource-lists/list`, {
    headers: element,
    body: `<list name="l"><!--${'x'.repeat(1940)}--></list>`,
  });
  t.equal(grown.status, 409, 'a document that would grow over the limit');
  t.match(grown.body, /<constraint-failure phrase="[^"]*2000 bytes/);
});

t.test('each usage has its own limits', async (t) => {
  const { send } = await startServer(t);
  const element = { 'content-type': 'application/xcap-el+xml' };
  const lists = (count: number) =>
    list.replace('<list name="l"/>', `<list name="l">${'<list/>'.repeat(count)}</list>`);

  const long = list.replace('<list name="l"/>', `<!--${'x'.repeat(600_000)}-->`);
  t.equal((await send('PUT', target, { body: long })).status, 201, 'resource lists are long');
  const services = '/xcap-root/pidf-manipulation/users/sip:alice@example.com/index';
  const refused = await send('PUT', services, { body: long });
  t.equal(refused.status, 413);
  t.match(refused.body, /of this usage has at most 262144 bytes/);

  t.equal((await send('PUT', target, { body: lists(19_996) })).status, 200, 'the most nodes');
  const many = await send('PUT', target, { body: lists(19_997) });
  t.equal(many.status, 409);
  t.match(many.body, /<constraint-failure phrase="There are more than 20000 nodes/);
  const more = await send('PUT', `${target}/~~/resource-lists/list/list[19997]`, {
    headers: element,
    body: '<list/>',
  });
  t.equal(more.status, 409, 'one more');
  t.match(more.body, /<constraint-failure phrase="[^"]*more than 20000 elements and attributes/);
  const fewer = await send('DELETE', `${target}/~~/resource-lists/list/list[19996]`);
  t.equal(fewer.status, 200, 'one less');
});

t.test('request targets', async (t) => {
  const { port, send } = await startServer(t, {
    environment: { XCAP_ROOTS: '/,/rem/sentinel/xcap,/xcap-root' },
  });
  await send('PUT', target, { body: list });
  const same = [
    '/resource-lists/users/sip:alice@example.com/index',
    '//resource-lists/users/sip:alice@example.com/index',
    '/rem/sentinel/xcap/resource-lists/users/sip%3Aalice%40example.com/index/',
    '/rem/sentinel/xcap//resource-lists/users/sip:alice:secret@EXAMPLE.com/index',
    '/xcap-root/resource-lists/users/alice@example.com/index?xmlns(a=b)',
    'http://localhost/resource-lists/users/sip:alice@example.com/index',
  ];
  for (const path of same) t.equal((await send('GET', path)).body, list, path);

  const filler = 'x'.repeat(8192);
  t.equal((await send('GET', `${target}/~~/resource-lists/list%5B@name=%22${filler}%22%5D`)).status, 404);
  const long = `<list name="${filler}"/>`;
  await send('PUT', target, { body: list.replace('<list name="l"/>', long) });
  t.equal((await send('GET', `${target}/~~/resource-lists/list%5B@name=%22${filler}%22%5D`)).body, long);

  const wire = await exchange(
    port,
    [`GET ${target}/../index HTTP/1.1\r\nHost: localhost\r\n${identity}Connection: close\r\n\r\n`],
    /never/,
  );
  t.match(wire, /^HTTP\/1.1 400 /, 'dot segments are not resolved');
  for (const bad of ['%zz', '%ff', '%']) t.equal((await send('GET', `${home}/${bad}`)).status, 400, bad);
  t.equal((await send('GET', `${home}/${'x'.repeat(2100)}`)).status, 414);
});

t.test('who asks', async (t) => {
  const { send } = await startServer(t);
  await send('PUT', target, { body: list });
  const cases: [name: string, headers: Record<string, string>, status: number][] = [
    ['nobody', {}, 401],
    ['an empty identity', { 'x-3gpp-asserted-identity': '""' }, 401],
    ['quoted', { 'x-3gpp-asserted-identity': '"sip:alice@example.com"' }, 200],
    ['bare', { 'x-3gpp-asserted-identity': 'sip:alice@example.com' }, 200],
    ['without scheme', { 'x-3gpp-asserted-identity': 'alice@EXAMPLE.COM' }, 200],
    ['escaped', { 'x-3gpp-asserted-identity': 'sip%3Aalice%40example.com' }, 200],
    ['in a list', { 'X-3GPP-Asserted-Identity': '"tel:+15550100001", "sip:alice@example.com"' }, 200],
    ['the header of OMA', { 'x-xcap-asserted-identity': '"sip:alice@example.com"' }, 200],
    ['somebody else', { 'x-3gpp-asserted-identity': '"sip:bob@example.com"' }, 403],
    ['only intended', { 'x-3gpp-intended-identity': '"sip:alice@example.com"' }, 401],
  ];
  for (const [name, headers, status] of cases) {
    const answer = await send('GET', target, { as: null, headers });
    t.equal(answer.status, status, name);
    if (status === 401) {
      t.match(answer.headers['www-authenticate'], /^Digest realm="[^"]+",nonce="[0-9a-f]{72}",/);
    }
  }
  t.equal((await send('GET', '/xcap-root/xcap-caps/global/index', { as: null })).status, 401);
  t.equal(
    (await send('GET', '/xcap-root/xcap-caps/global/index', { as: 'sip:bob@example.com' })).status,
    200,
  );
  t.equal((await send('GET', '/xcap-root/no-such-usage/global/index', { as: null })).status, 404, '§8');
  const undeclared = `${target}/~~/p:x`;
  t.equal(
    (await send('GET', undeclared, { as: null })).status,
    401,
    '§8: identity comes before the selector',
  );
  t.equal((await send('GET', undeclared, { as: 'sip:bob@example.com' })).status, 403, '§8: and so do rights');
  t.equal((await send('GET', undeclared)).status, 400);
});

t.test('§5.7: what lies elsewhere', async (t) => {
  const { send } = await startServer(t);
  const elsewhere = [
    '/xcap-root/resource-lists/users/sip:bob@example.com/index',
    '/xcap-root/resource-lists/global/index',
  ];
  for (const resource of elsewhere) {
    t.equal((await send('PUT', resource, { body: list })).status, 403, `PUT ${resource}`);
    t.equal((await send('DELETE', resource)).status, 403, `DELETE ${resource}`);
  }
  t.equal(
    (await send('GET', '/xcap-root/resource-lists/global/index')).status,
    404,
    'the global tree is read',
  );
});

t.test('a header of a peer that is not trusted is worth nothing', async (t) => {
  const { send } = await startServer(t, {
    environment: { XCAP_TRUSTED_PROXIES: '192.0.2.0/24, 2001:db8::/32' },
  });
  const spoofed = { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1', 'x-real-ip': '192.0.2.1' };
  const asserted = { 'x-3gpp-asserted-identity': 'sip:alice@example.com' };
  for (const headers of [asserted, { ...asserted, ...spoofed }, { ...spoofed, ...asserted }]) {
    t.equal((await send('GET', target, { headers })).status, 401);
  }
});

t.test('errors say what is wrong', async (t) => {
  const { send } = await startServer(t);
  const cases: [resource: string, status: number, text: RegExp][] = [
    ['/elsewhere', 404, /no XCAP root/],
    ['/xcap-root/no-such-usage/global/index', 404, /no such application usage/],
    ['/xcap-root/resource-lists/users', 404, /names no document/],
    [target, 404, /no such document/],
    [`${target}/~~/p:x`, 400, /prefix p .* not declared/],
    [`${target}/~~/x%5B`, 404, /not understood/],
  ];
  for (const [resource, status, text] of cases) {
    const answer = await send('GET', resource);
    t.equal(answer.status, status, resource);
    t.match(answer.body, text);
    t.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
  }
});
