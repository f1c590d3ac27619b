import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { admit, mayUse, parseTokens, type Caller } from '../../../src/http/management/access.js';
import { isLoopback } from '../../../src/identity/peer-network.js';
import { client } from '../../fixtures/http-client.js';
import { managementClient } from '../../fixtures/management-client.js';
import { temporaryDirectory } from '../../fixtures/serve.js';
import { thrown } from '../../fixtures/thrown.js';
import { startServer } from '../../fixtures/xcap-server.js';

const tokens = [
  { name: 'alice', role: 'administrator', token: 'one' },
  { name: 'bob', role: 'support', token: 'two' },
] as const;
const local = { name: 'loopback', role: 'administrator' };

function caller(changes: Partial<Caller>): Caller {
  return { peerAddress: '127.0.0.1', authorization: undefined, host: '127.0.0.1:8081', ...changes };
}

t.test('loopback addresses', (t) => {
  for (const address of ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1'])
    t.ok(isLoopback(address), address);
  for (const address of [
    '10.0.0.1',
    '192.0.2.1',
    '::',
    '::2',
    'fe80::1',
    '::ffff:10.0.0.1',
    '',
    'localhost',
  ]) {
    t.notOk(isLoopback(address), address);
  }
  t.end();
});

t.test('without tokens', (t) => {
  t.same(admit(caller({}), []), local);
  for (const host of ['localhost', 'LOCALHOST:8081', '[::1]:8081', '127.0.0.1', '10.0.0.1:80']) {
    t.same(admit(caller({ host }), []), local, host);
  }
  for (const host of ['evil.example', 'localhost.evil.example:8081', '', undefined]) {
    t.match(
      thrown(() => admit(caller({ host }), [])),
      { status: 403 },
      `a page of ${host ?? 'nobody'}`,
    );
  }
  for (const peerAddress of ['192.0.2.1', '::ffff:192.0.2.1', '']) {
    t.match(
      thrown(() => admit(caller({ peerAddress }), [])),
      { status: 403 },
      peerAddress,
    );
  }
  t.end();
});

t.test('with tokens', (t) => {
  for (const [authorization, name] of [
    ['Bearer one', 'alice'],
    ['bearer  two ', 'bob'],
  ] as const) {
    const admitted = admit(
      caller({ authorization, peerAddress: '192.0.2.1', host: 'admin.example' }),
      tokens,
    );
    t.equal(admitted.name, name);
  }
  for (const authorization of [
    undefined,
    '',
    'Bearer',
    'Bearer on',
    'Bearer onee',
    'Basic b25l',
    'one',
    'Bearer one two',
  ]) {
    const error = thrown(() => admit(caller({ authorization }), tokens));
    t.match(error, { status: 401, headers: { 'www-authenticate': /^Bearer / } }, String(authorization));
  }
  t.end();
});

t.test('the lines of a file', (t) => {
  t.same(parseTokens('# who\n\n  secret1 \nalice\tsecret2\r\nbob support secret3\na b c\na support b c'), [
    { name: 'admin', role: 'administrator', token: 'secret1' },
    { name: 'alice', role: 'administrator', token: 'secret2' },
    { name: 'bob', role: 'support', token: 'secret3' },
    undefined,
    undefined,
  ]);
  t.end();
});

t.test('over HTTP with a token', async (t) => {
  const file = join(temporaryDirectory(t), 'tokens');
  writeFileSync(file, 'carol fromfile-16-letters\ndora support support-16-letters\n');
  const environment = { ADMIN_TOKEN: 'topsecret-16-letters', XCAP_ADMIN_TOKEN_FILE: file };
  const { manage } = await startServer(t, { environment });
  for (const token of [undefined, 'wrong']) {
    for (const path of ['/subscribers', '/nothing', '/import']) {
      const answer = await managementClient(manage, token)('GET', path);
      t.equal(answer.status, 401, path);
      t.match(answer.headers, {
        'content-type': /^application\/problem\+json/,
        'www-authenticate': /^Bearer/,
      });
      t.match(answer.body, { type: 'about:blank', title: 'Unauthorized', status: 401, detail: /\S/ });
      t.notMatch(JSON.stringify(answer), /topsecret/);
    }
  }
  for (const path of ['/health/live', '/health/ready', '/metrics', '/docs/', '/openapi.yaml']) {
    t.equal((await manage('GET', path)).status, 200, path);
  }
  await managementClient(manage, 'topsecret-16-letters')('PUT', '/roles/sip:a@example.com', {
    role: 'support',
  });
  await managementClient(manage, 'fromfile-16-letters')('PUT', '/roles/sip:b@example.com', {
    role: 'support',
  });
  const { body } = await managementClient(manage, 'fromfile-16-letters')('GET', '/audit');
  t.match(body, { items: [{ actor: 'carol' }, { actor: 'admin' }] }, 'the names are recorded');
  t.equal((await managementClient(manage, 'topsecret-16-letters')('GET', '/nothing')).status, 404);
  const support = managementClient(manage, 'support-16-letters');
  t.equal((await support('GET', '/subscribers')).status, 200);
  t.match(await support('POST', '/subscribers', { xui: 'sip:a@example.com' }), {
    status: 403,
    body: { detail: "'dora' has the role support, which may not do this.", code: 'role' },
  });
  for (const query of ['include=credentials', 'include=cr%65dentials', 'inc%6cude=credentials,documents']) {
    t.equal((await support('GET', `/export?${query}`)).status, 403, query);
  }
  t.equal((await support('GET', '/%65xport?include=credentials')).status, 403, 'however it is spelt');
});

t.test('what roles may', (t) => {
  const cases: [
    method: string,
    route: string | undefined,
    provisioning: boolean,
    support: boolean,
    include?: unknown,
  ][] = [
    ['GET', '/subscribers/:xui', true, true],
    ['HEAD', '/audit', false, true],
    ['GET', '/roles', false, true],
    ['PUT', '/roles/:xui', false, false],
    ['PUT', '/documents/:auid/users/:xui/*', true, false],
    ['POST', '/import', true, false],
    ['GET', '/export', true, true],
    ['GET', '/export', true, true, 'documents'],
    ['GET', '/export', true, false, 'credentials'],
    ['GET', '/export', true, false, ['documents', 'credentials']],
    ['GET', undefined, true, true],
  ];
  for (const [method, path, provisioning, support, include] of cases) {
    const route = path === undefined ? undefined : `/api/v1${path}`;
    const name = `${method} ${String(path)} ${String(include)}`;
    t.ok(mayUse('administrator', method, route, include), name);
    t.equal(mayUse('provisioning', method, route, include), provisioning, `provisioning: ${name}`);
    t.equal(mayUse('support', method, route, include), support, `support: ${name}`);
  }
  t.end();
});

t.test('who guesses tokens has to wait', async (t) => {
  const { manage } = await startServer(t, { environment: { ADMIN_TOKEN: 'topsecret-16-letters' } });
  for (let i = 0; i < 10; i++) {
    t.equal((await managementClient(manage, `guess-${String(i)}`)('GET', '/subscribers')).status, 401);
  }
  const late = await managementClient(manage, 'topsecret-16-letters')('GET', '/subscribers');
  t.match(late, { status: 429, headers: { 'retry-after': /^[1-9]\d*$/ } });
  t.equal((await manage('GET', '/health/live')).status, 200);
});

t.test('a file without tokens does not open the API', async (t) => {
  const file = join(temporaryDirectory(t), 'tokens');
  for (const [line, message] of [
    ['short-secret', /16 characters/],
    ['ann king secret-16-letters', /administrator, provisioning, support/],
  ] as const) {
    writeFileSync(file, `${line}\n`);
    const refusal = thrownBy(() => startServer(t, { environment: { XCAP_ADMIN_TOKEN_FILE: file } }));
    t.match(await refusal, { name: 'ConfigError', message });
    t.notMatch(String(await refusal), /secret/);
  }
  writeFileSync(file, '# none\n');
  await t.rejects(startServer(t, { environment: { XCAP_ADMIN_TOKEN_FILE: file } }), {
    name: 'ConfigError',
    message: /^XCAP_ADMIN_TOKEN_FILE /,
  });
  await t.rejects(startServer(t, { environment: { XCAP_ADMIN_TOKEN_FILE: `${file}.gone` } }), {
    name: 'ConfigError',
    message: /^XCAP_ADMIN_TOKEN_FILE /,
  });
});

t.test('over HTTP without a token', async (t) => {
  const address = Object.values(networkInterfaces())
    .flat()
    .find((found) => found?.family === 'IPv4' && !found.internal)?.address;
  const { managementPort } = await startServer(t, { environment: { ADMIN_HOST: '0.0.0.0' } });
  const ask = managementClient(client(managementPort, false));
  t.equal((await ask('GET', '/subscribers')).status, 200);
  if (address === undefined) return;
  for (const [path, status] of [
    ['/api/v1/subscribers', 403],
    ['/health/live', 200],
  ] as const) {
    t.equal(await statusOf(address, managementPort, path), status, `${path} from ${address}`);
  }
});

function thrownBy(action: () => Promise<unknown>): Promise<unknown> {
  return action().then(
    () => undefined,
    (error: unknown) => error,
  );
}

function statusOf(host: string, port: number, path: string): Promise<number | undefined> {
  const headers = { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' };
  return new Promise((resolve, reject) => {
    http
      .get({ host, port, path, headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .on('error', reject);
  });
}
