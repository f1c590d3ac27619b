import http from 'node:http';
import t from 'tap';
import { cloneDatabase, query } from '../fixtures/database.js';
import { client } from '../fixtures/http-client.js';
import { exchange } from '../fixtures/raw-socket.js';
import { alice, resourceList } from '../fixtures/resource-lists.js';
import { sendSignal, serve, type Served, until, urlOf, workersOf } from '../fixtures/serve.js';

/** The sum of a counter over all its labels. */
async function total({ manage }: Served, name: string): Promise<number> {
  const { status, body } = await manage('GET', '/metrics');
  if (status !== 200) throw new Error(`GET /metrics: ${status} ${body}`);
  const values = [...body.matchAll(new RegExp(`^${name}\\{[^\\n]*\\} (\\d+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

t.test('the metrics are those of all workers, whoever answers', async (t) => {
  const served = await serve(t, { DATABASE_URL: urlOf(await cloneDatabase(t)), XCAP_WORKERS: '2' });
  const requests = 24;
  for (let i = 0; i < requests; i++) await served.send('GET', `${alice}/index`);
  const lines = () => [...served.output().matchAll(/"pid":(\d+),.*"msg":"request"/g)];
  await until('all requests are in the log', () => lines().length === requests);
  t.equal(new Set(lines().map(([, pid]) => pid)).size, 2, 'both workers answered some of them');
  // Several times, so that each worker is asked.
  for (let i = 0; i < 4; i++) t.equal(await total(served, 'xcapd_requests_total'), requests);
});

t.test('a worker that dies is counted', async (t) => {
  const served = await serve(t, { DATABASE_URL: urlOf(await cloneDatabase(t)), XCAP_WORKERS: '2' });
  const [victim = 0] = workersOf(served);
  t.match((await served.manage('GET', '/metrics')).body, /^xcapd_worker_deaths_total 0$/m);
  sendSignal(victim, 'SIGKILL');
  await served.wrote(new RegExp(`"worker":${victim},.*a worker died and is replaced`));
  // The other one, or its successor, tells.
  t.match((await served.manage('GET', '/metrics')).body, /^xcapd_worker_deaths_total 1$/m);
});

t.test('no password is kept', async (t) => {
  const password = 'topsecret';
  const database = await cloneDatabase(t);
  // The level at which most is written.
  const served = await serve(t, { DATABASE_URL: urlOf(database), LOG_LEVEL: 'trace' });
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const send = client(served.port, agent);
  const user = `sip:alice:${password}@example.com`;
  const encoded = [...Buffer.from(user)].map((byte) => `%${byte.toString(16)}`).join('');
  const as = 'sip:alice@example.com';
  const below = (xui: string) => `/xcap-root/resource-lists/users/${xui}`;

  const body = resourceList('friends');
  const expected: readonly [status: number, method: string, target: string, options?: object][] = [
    [201, 'PUT', `${below(user)}/index`, { as, body }],
    [200, 'PUT', `${below(encoded)}/index`, { as, body: resourceList('others') }],
    [200, 'GET', `${below(encodeURIComponent(user))}/index`, { as }],
    [200, 'GET', `${below(user)}/index`, { as: user }],
    [200, 'GET', `${below(user)}/index`, { as: encoded }],
    [200, 'PUT', `${below(user)}/index`, { as: user, body: resourceList('friends again') }],
    [404, 'GET', `${below(user)}/other`, { as }],
    [404, 'GET', `/elsewhere/${user}/index`, { as }],
    [404, 'GET', `/xcap-root/none/users/${user}/index`, { as }],
    [405, 'POST', `${below(user)}/index`, { as, body }],
    [409, 'PUT', `${below(user)}/index`, { as, body: '<bad/>' }],
    [409, 'PUT', `${below(user)}/index`, { as, body: 'no XML' }],
    [
      401,
      'GET',
      `${below(user)}/index`,
      { as: null, headers: { authorization: `Digest username="${user}"` } },
    ],
  ];
  for (const [status, method, target, options] of expected) {
    t.equal((await send(method, target, options)).status, status, `${method} ${target}`);
  }
  for (const target of [
    `${below(user)}/index/~~/[`,
    `${below(user)}/%zz`,
    `${below(`${encoded}%ff`)}/index`,
    `${below(user)}//..//index`,
    `http://${user}/xcap-root/`,
    `*${user}`,
  ]) {
    const { status } = await send('GET', target, { as });
    t.ok(status >= 400 && status < 500, `GET ${target}: ${status}`);
  }
  const bad = await exchange(
    served.port,
    [`GET ${below(user)}/in dex HTTP/1.1\r\nbad\u0000: x\r\n\r\n`],
    /HTTP/,
  );
  t.match(bad, /^HTTP\/1\.1 400 /, 'what is no HTTP');
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });

  const output = served.output();
  t.match(output, /"msg":"request"/, 'there is a log');
  t.equal(traces(output, password), '', 'no password in the log');
  const rows = await query<{ row: string }>(
    database,
    'select d::text as row from xcapd.documents d union all select v::text from xcapd.document_versions v',
  );
  t.ok(rows.length > 2, 'there are data');
  t.equal(traces(rows.map(({ row }) => row).join('\n'), password), '', 'no password in the database');
});

/** The lines with the password in them: plain, percent-encoded, or as the numbers of its bytes. */
function traces(text: string, password: string): string {
  const numbers = [...Buffer.from(password)].join(',');
  return text
    .split('\n')
    .filter((line) => {
      const decoded = line.replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
      return decoded.includes(password) || line.replace(/\s/g, '').includes(numbers);
    })
    .join('\n');
}
