import t from 'tap';
import { checkCaller, checkLocalCaller, hostnameOf, type OwnNames } from '../../src/http/own-names.js';
import { startServer } from '../fixtures/xcap-server.js';
import { exchange } from '../fixtures/raw-socket.js';
import { thrown } from '../fixtures/thrown.js';

const named: OwnNames = { hostnames: ['xcap.example.com'], listenerHost: '0.0.0.0' };
const unnamed: OwnNames = { hostnames: [], listenerHost: 'xcap.internal' };

function addressed(...hosts: string[]) {
  const rawHeaders = hosts.flatMap((host) => ['Host', host]);
  return { originalUrl: '/', headers: { host: hosts[0] }, raw: { rawHeaders } };
}

t.test('the name in a Host header', (t) => {
  for (const [host, name] of [
    ['XCAP.Example.com', 'xcap.example.com'],
    ['xcap.example.com.:8080', 'xcap.example.com'],
    ['[::1]:8080', '::1'],
    ['[::1]', '::1'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['a:b:c', ''],
    ['', ''],
  ] as const) {
    t.equal(hostnameOf(host), name, host);
  }
  t.end();
});

t.test('whose requests are taken', (t) => {
  for (const host of [
    'xcap.example.com',
    'XCAP.EXAMPLE.COM.:443',
    '127.0.0.1',
    '[::1]:8080',
    'localhost:1',
    '10.0.0.7',
  ]) {
    checkCaller(addressed(host), named);
  }
  checkCaller(addressed(), named);
  for (const host of [
    'evil.example',
    'xcap.example.com.evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '',
  ]) {
    t.match(
      thrown(() => checkCaller(addressed(host), named)),
      { status: 421 },
      host,
    );
  }
  t.match(
    thrown(() => checkCaller(addressed('xcap.example.com', 'evil.example'), named)),
    { status: 400 },
  );
  for (const peer of ['127.0.0.1', '::ffff:127.0.0.1', '::1']) {
    checkLocalCaller(peer, addressed('xcap.internal:80'), unnamed);
    t.match(
      thrown(() => checkLocalCaller(peer, addressed('evil.example'), unnamed)),
      {
        status: 421,
        message: /XCAP_HOSTNAMES/,
      },
    );
  }
  checkLocalCaller('192.0.2.1', addressed('whatever.example'), unnamed);
  t.end();
});

const target = '/xcap-root/xcap-caps/global/index';

t.test('a page whose name points to this machine', async (t) => {
  const { send, manage, port } = await startServer(t);
  const host = 'evil.example:8080';
  t.match(await send('GET', target, { headers: { host } }), { status: 421, body: /XCAP_HOSTNAMES/ });
  t.match(await send('GET', target, { headers: { host: `localhost:${port}` } }), { status: 200 });
  for (const path of ['/metrics', '/api/v1/subscribers', '/docs/', '/health/ready', '/none']) {
    t.match(await manage('GET', path, { headers: { host } }), { status: 421 }, path);
  }
  const several = await exchange(
    port,
    [`GET ${target} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n`],
    /\r\n\r\n/,
  );
  t.match(several, /^HTTP\/1\.1 400 /);
});

t.test('RFC 9112 §3.2.2: a host in the request target', async (t) => {
  const { port, managementPort } = await startServer(t, {
    environment: { XCAP_HOSTNAMES: 'xcap.example.com', XCAP_IDENTITY_METHODS: 'digest' },
  });
  const listeners = [
    { at: port, path: target, found: 401 },
    { at: managementPort, path: '/health/live', found: 200 },
  ];
  const cases: [origin: string, host: string, isTaken: boolean][] = [
    ['http://xcap.example.com', 'xcap.example.com', true],
    ['HTTP://XCAP.example.com.:8080', 'localhost', true],
    ['http://127.0.0.1', '127.0.0.1', true],
    ['http://evil.example', 'xcap.example.com', false],
    ['http://evil.example:80', '127.0.0.1', false],
    ['https://evil.example', 'localhost', false],
    ['HTTP://EVIL.example', 'localhost', false],
    ['http://localhost@evil.example', 'localhost', false],
    ['http://xcap.example.com', 'evil.example', false],
  ];
  for (const { at, path, found } of listeners) {
    for (const [origin, host, isTaken] of cases) {
      const head = `GET ${origin}${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      const [, status = ''] = /^HTTP\/1\.1 (\d+)/.exec(await exchange(at, [head], /\r\n\r\n/)) ?? [];
      t.equal(Number(status), isTaken ? found : 421, `${origin}${path}, Host: ${host}`);
    }
  }
  const old = await exchange(port, [`GET http://evil.example${target} HTTP/1.0\r\n\r\n`], /\r\n\r\n/);
  t.match(old, /^HTTP\/1\.1 421 /, 'without a Host header');
});

t.test('a server that believes nobody on its machine takes any name', async (t) => {
  for (const environment of [{ XCAP_IDENTITY_METHODS: 'digest' }, { XCAP_TRUSTED_PROXIES: '192.0.2.1' }]) {
    const { send } = await startServer(t, { environment });
    t.match(await send('GET', target, { headers: { host: 'xcap.example.com' } }), { status: 401 });
  }
});

t.test('a server with names', async (t) => {
  const { send } = await startServer(t, {
    environment: { XCAP_HOSTNAMES: 'xcap.example.com', XCAP_IDENTITY_METHODS: 'digest' },
  });
  const statusFor = async (host: string) => (await send('GET', target, { headers: { host } })).status;
  t.equal(await statusFor('xcap.example.com:8443'), 401);
  t.equal(await statusFor('127.0.0.1'), 401);
  t.equal(await statusFor('other.example.com'), 421);
});

t.test('a page of another origin changes nothing on the management listener', async (t) => {
  const { manage, managementPort } = await startServer(t, {
    environment: { XCAP_HOSTNAMES: 'admin.example.com' },
  });
  let users = 0;
  const create = (origin: string | undefined) =>
    manage('POST', '/api/v1/subscribers', {
      headers: { 'content-type': 'application/json', ...(origin !== undefined && { origin }) },
      body: JSON.stringify({ xui: `sip:user${String(++users)}@example.com` }),
    });
  for (const origin of [
    'http://evil.example',
    'null',
    'http://127.0.0.1:1',
    `http://127.0.0.1:${managementPort}.evil.example`,
  ]) {
    t.match(await create(origin), { status: 403, body: /origin/ }, origin);
  }
  for (const origin of [undefined, `http://127.0.0.1:${managementPort}`, 'https://admin.example.com']) {
    t.equal((await create(origin)).status, 201, origin ?? 'no page');
  }
  const { headers } = await manage('GET', '/docs/');
  t.match(headers, { 'x-frame-options': 'DENY', 'content-security-policy': /frame-ancestors 'none'/ });
});
