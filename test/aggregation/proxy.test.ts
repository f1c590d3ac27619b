import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import t, { type Test } from 'tap';
import { managementClient } from '../fixtures/management-client.js';
import { exchange } from '../fixtures/raw-socket.js';
import { temporaryDirectory } from '../fixtures/serve.js';
import { startStubUpstream, type StubAnswer } from '../fixtures/stub-upstream.js';
import { startServer } from '../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const lists = `/xcap-root/resource-lists/users/${alice}/index`;
const rules = `/xcap-root/pres-rules/users/${alice}/index`;
const list =
  '<?xml version="1.0"?>\r\n<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="l"/></resource-lists>\n<!-- é -->';
const ruleset = '<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"/>';

async function startStub(t: Test, answer: StubAnswer) {
  const stub = await startStubUpstream(t, answer);
  const front = await startServer(t, {
    environment: { XCAP_UPSTREAMS: `resource-lists=http://127.0.0.1:${stub.port}/behind` },
  });
  return { stub, ...front };
}

t.test('a usage that another server keeps', async (t) => {
  const back = await startServer(t, { environment: { XCAP_ROOTS: '/behind' } });
  const front = await startServer(t, {
    environment: { XCAP_UPSTREAMS: `resource-lists=http://127.0.0.1:${back.port}/behind/` },
  });
  const { send } = front;
  const created = await send('PUT', lists, { body: list });
  t.equal(created.status, 201);
  const { etag } = created.headers;
  const behind = lists.replace('/xcap-root', '/behind');
  t.match(await back.send('GET', behind), { status: 200, body: list, headers: { etag } }, 'byte for byte');
  t.match(await send('GET', lists), {
    status: 200,
    body: list,
    headers: { etag, 'content-type': 'application/resource-lists+xml', 'cache-control': 'no-cache' },
  });
  const head = await send('HEAD', lists);
  t.match(head, { status: 200, body: '', headers: { 'content-length': String(Buffer.byteLength(list)) } });
  t.match(await send('GET', lists, { headers: { 'if-none-match': etag } }), {
    status: 304,
    headers: { etag },
  });
  const stale = await send('PUT', lists, { body: list, headers: { 'if-match': '"other"' } });
  t.equal(stale.status, 412);
  const element = `${lists}/~~/resource-lists/list%5b@name=%22l%22%5D/entry%5B1%5D`;
  const added = await send('PUT', element, {
    headers: { 'content-type': 'application/xcap-el+xml' },
    body: '<entry uri="sip:bob@example.com"/>',
  });
  t.equal(added.status, 201);
  const conflict = await send('PUT', element, {
    headers: { 'content-type': 'application/xcap-el+xml' },
    body: '<entry/>',
  });
  t.match(conflict, { status: 409, headers: { 'content-type': 'application/xcap-error+xml' } });
  t.equal((await send('GET', lists, { as: 'sip:bob@example.com' })).status, 403, 'rights are judged behind');
  t.equal((await send('GET', lists, { as: null })).status, 401, 'who it is, in front');
  t.equal((await send('POST', lists, { body: '' })).status, 405);
  t.equal((await send('GET', `/xcap-root/resource-lists/users/${alice}/`)).status, 200, 'the home directory');
  t.equal((await send('GET', '/xcap-root/resource-lists/users/x/../y')).status, 400);
  t.equal((await send('DELETE', lists)).status, 200);
  t.equal((await back.send('GET', behind)).status, 404);
  t.equal((await send('PUT', rules, { body: ruleset })).status, 201, 'what is not routed is served here');
  t.equal((await back.send('GET', rules.replace('/xcap-root', '/behind'))).status, 404);
});

t.test('request targets and headers go on as they are', async (t) => {
  const { stub, port, send } = await startStub(t, ({ method }, response) => {
    response.writeHead(method === 'PUT' ? 201 : 200, [
      ...['ETag', '"a"', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Other', 'caf\u00c3\u00a9'],
      ...['Connection', 'X-Hop, keep-alive', 'X-Hop', '1', 'Keep-Alive', 'timeout=9', 'Content-Type', 'a/b'],
    ]);
    response.end(Buffer.from([0, 255, 1]));
  });
  const targets = [
    'users/sip%3Aalice%40example.com/index/~~/x%5b@a="/a..b/..c"%5D?xmlns(a=b/../c)xmlns(c=d)',
    'users/sip:alice@example.com/index/~~/x/%2a/y?',
    'users/alice/index?a=%2f&b=[]|^`{}',
  ];
  for (const target of targets) {
    for (const root of ['/xcap-root/', '//xcap-root//', 'http://xcap.example.com/xcap-root/']) {
      await exchange(
        port,
        [
          `GET ${root}resource-lists/${target} HTTP/1.1\r\nHost: localhost\r\nX-3GPP-Asserted-Identity: sip:alice@example.com\r\n` +
            'Connection: close\r\n\r\n',
        ],
        /never/,
      );
      t.equal(stub.requests.at(-1)?.target, `/behind/resource-lists/${target}`);
    }
  }
  const body = Buffer.from([60, 0, 255, 13, 10]);
  const answer = await send('PUT', lists, {
    body,
    headers: {
      'if-match': '"a", W/"b"',
      'if-none-match': '""c""',
      'user-agent': 'handset',
      cookie: 'session=1',
      accept: 'a/b',
      'accept-encoding': '',
      'content-encoding': 'gzip',
      'content-type': 'application/resource-lists+xml; charset=utf-8',
      connection: 'close, X-Private',
      'x-private': '1',
      te: 'trailers',
    },
  });
  const put = stub.requests.at(-1);
  t.same(put?.body, body);
  t.match(put?.headers, {
    host: `127.0.0.1:${stub.port}`,
    'if-match': '"a", W/"b"',
    'if-none-match': '""c""',
    'user-agent': 'handset',
    cookie: 'session=1',
    accept: 'a/b',
    'accept-encoding': '',
    'content-encoding': 'gzip',
    'content-type': 'application/resource-lists+xml; charset=utf-8',
    'content-length': '5',
    'x-3gpp-asserted-identity': `"${alice}"`,
    via: /^1\.1 xcapd-[0-9a-f]{12}$/,
  });
  for (const name of ['x-private', 'te']) t.equal(put?.headers[name], undefined, name);
  t.match(answer, {
    status: 201,
    headers: {
      etag: '"a"',
      'set-cookie': ['a=1', 'b=2'],
      'x-other': 'caf\u00c3\u00a9',
      'content-type': 'a/b',
    },
  });
  for (const name of ['x-hop', 'keep-alive']) t.equal(answer.headers[name], undefined, name);
});

t.test('spoofed headers do not reach the upstream, whatever their order or case', async (t) => {
  const { stub, port } = await startStub(t, (_request, response) => {
    response.end('x');
  });
  const spoofed = [
    'Authorization: Basic Ym9iOnNlY3JldA==',
    'Proxy-Authorization: Basic Ym9iOnNlY3JldA==',
    'x-3gpp-asserted-identity: "sip:alice@example.com"',
    'X-3GPP-Intended-Identity: "sip:alice@example.com"',
    'X_3GPP_Asserted_Identity: "sip:bob@example.com"',
    'x_xcap_ASSERTED_identity: "sip:bob@example.com"',
    'FORWARDED: for=192.0.2.1',
    'X-Forwarded-For: 192.0.2.1',
    'x-forwarded-proto: https',
    'X-FORWARDED-anything: 1',
    'X-Real-IP: 192.0.2.1',
  ];
  const orders = [
    spoofed,
    [...spoofed].reverse(),
    [...spoofed, ...spoofed].map((line) => line.toUpperCase()),
  ];
  for (const lines of orders) {
    const request = `GET ${lists} HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`;
    await exchange(port, [request], /never/);
    const { rawHeaders = [] } = stub.requests.at(-1) ?? {};
    const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    t.same(
      names.filter((name) => /auth|identity|forward|real|bob/.test(name.replaceAll('_', '-'))),
      ['x-3gpp-asserted-identity'],
    );
    t.notMatch(rawHeaders.join('\n'), /bob|192\.0\.2\.1|Ym9i/i);
  }
  t.equal(stub.requests.length, orders.length);
});

t.test('all identities of a subscriber; none of a disabled one', async (t) => {
  const { stub, send, manage } = await startStub(t, (_request, response) => {
    response.end('x');
  });
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice, identities: ['tel:+15550100001'] });
  await send('GET', lists, { headers: { 'x-3gpp-intended-identity': '"tel:+15550100001"' } });
  t.equal(stub.requests[0]?.headers['x-3gpp-asserted-identity'], `"tel:+15550100001", "${alice}"`);
  await send('GET', lists, {
    headers: { 'x-3gpp-asserted-identity': '"sip:a%22%2C%20%22sip:bob@example.com"' },
  });
  t.equal(
    stub.requests[1]?.headers['x-3gpp-asserted-identity'],
    '"sip:a%22%2C%20%22sip@example.com"',
    'nobody gets an identity by quotes',
  );
  await ask('PATCH', `/subscribers/${alice}`, { isDisabled: true });
  t.equal((await send('GET', lists)).status, 403);
  t.equal(stub.requests.length, 2);
});

t.test('an upstream that is away, slow, or does not believe this server', async (t) => {
  let mode: StubAnswer = (_request, response) => response.end('well');
  const { stub, send } = await startStub(t, (request, response) => mode(request, response));
  t.match(await send('GET', lists), { status: 200, body: 'well' });
  mode = (_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  const distrusted = await send('GET', lists);
  t.equal(distrusted.status, 502);
  t.equal(distrusted.headers['www-authenticate'], undefined, 'the client is not asked for more');
  mode = (_request, response) => response.writeHead(503, { 'retry-after': '17' }).end('busy');
  t.match(await send('GET', lists), { status: 503, headers: { 'retry-after': '17' }, body: 'busy' });
  mode = (_request, response) => response.destroy();
  t.match(await send('GET', lists), { status: 502, headers: { 'retry-after': '5' } }, 'no answer');
  mode = (_request, response) => {
    response.socket?.end('HTTP/1.1 nonsense\r\n\r\n');
  };
  t.equal((await send('GET', lists)).status, 502, 'no HTTP');
  mode = (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setTimeout(() => response.destroy(), 20);
  };
  await t.rejects(send('GET', lists), 'half an answer does not look like a whole one');
  mode = () => {};
  t.match(await send('PUT', lists, { body: list }), { status: 504, headers: { 'retry-after': '5' } });

  mode = (_request, response) => response.end('back');
  await stub.stop();
  for (let i = 0; i < 20; i++) t.equal((await send('GET', lists)).status, 502);
  t.equal((await send('PUT', rules, { body: ruleset })).status, 201, 'the own usages do not mind');
  await startStubUpstream(t, (request, response) => mode(request, response), stub.port);
  await sleep(1100);
  t.match(await send('GET', lists), { status: 200, body: 'back' }, 'it heals by itself');
});

t.test('what a token is good for is judged in front: the upstream does not see it', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const file = join(temporaryDirectory(t), 'jwks.json');
  writeFileSync(file, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }));
  const stub = await startStubUpstream(t, (_request, response) => response.end('x'));
  const { send } = await startServer(t, {
    environment: {
      XCAP_UPSTREAMS: `resource-lists=http://127.0.0.1:${stub.port}`,
      XCAP_IDENTITY_METHODS: 'bearer',
      XCAP_JWT_JWKS: file,
      XCAP_JWT_READ_SCOPE: 'read',
      XCAP_JWT_WRITE_SCOPE: 'write',
    },
  });
  const cases: [scope: string, method: string, status: number][] = [
    ['read', 'GET', 200],
    ['read', 'HEAD', 200],
    ['read', 'PUT', 403],
    ['read', 'DELETE', 403],
    ['read', 'POST', 403],
    ['write', 'PUT', 200],
    ['write', 'GET', 403],
    ['read write', 'DELETE', 200],
  ];
  for (const [scope, method, status] of cases) {
    const token = await new SignJWT({ sub: alice, scope })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime('1m')
      .sign(privateKey);
    const headers = { authorization: `Bearer ${token}` };
    t.equal((await send(method, lists, { as: null, headers })).status, status, `${method} to ${scope}`);
  }
  t.equal(stub.requests.length, 4);
  t.ok(stub.requests.every(({ headers }) => headers.authorization === undefined));
  t.equal((await send('TRACE', lists)).status, 405, 'an echo would show what the upstream is told');
});

t.test('loops', async (t) => {
  let sendBack: StubAnswer = () => {};
  const server = await startStub(t, (request, response) => sendBack(request, response));
  sendBack = ({ target, headers }, response) => {
    const path = target.replace('/behind', '/xcap-root');
    http.get({ host: '127.0.0.1', port: server.port, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0);
      answer.pipe(response);
    });
  };
  t.equal((await server.send('GET', lists)).status, 508);
  t.equal(server.stub.requests.length, 1, 'it went round once');
  const capabilities = await server.send('GET', '/xcap-root/xcap-caps/global/index');
  t.equal(capabilities.status, 200, 'two servers may be behind each other');
  t.match(capabilities.body, '<auid>resource-lists</auid>');
});
