/** What the log says of each request: whose, by whom, on what, and why it was refused. */
import t from 'tap';
import type { RequestOptions } from '../fixtures/http-client.js';
import { managementClient } from '../fixtures/management-client.js';
import { resourceList } from '../fixtures/resource-lists.js';
import { until } from '../fixtures/serve.js';
import { startServer } from '../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const path = `resource-lists/users/${alice}/index`;
const index = `/xcap-root/${path}`;
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

type Line = Readonly<Record<string, unknown>>;
type Case = readonly [status: number, method: string, target: string, options: RequestOptions, line: Line];

const cases: readonly Case[] = [
  [
    401,
    'GET',
    index,
    { as: null, headers: basic('alice@example.com', 'guess-topsecret') },
    {
      subscriber: alice,
      scheme: 'basic',
      reason: /./,
      document: path,
      sentence: 'This server does not know who you are.',
      asker: undefined,
    },
  ],
  [401, 'GET', index, { as: null }, { subscriber: alice, scheme: undefined, reason: 'no credentials' }],
  [
    403,
    'GET',
    `/xcap-root/resource-lists/users/tel:+1-555-0100/index`,
    { as: 'sip:mallory@example.com' },
    {
      subscriber: alice,
      asker: 'sip:mallory@example.com',
      scheme: 'asserted-identity',
      document: path,
      sentence: /./,
    },
  ],
  [
    404,
    'GET',
    `${index}/~~/resource-lists/list%5b@name=%22sip:bob:topsecret@example.com%22%5d`,
    { as: 'tel:+15550100' },
    {
      subscriber: alice,
      asker: 'tel:+15550100',
      document: path,
      node: 'resource-lists/list[@name="sip:bob@example.com"]',
      resource: 'element',
      sentence: /node selector/,
    },
  ],
  [
    404,
    'GET',
    `${index}/~~/resource-lists/list%5b@name=%22${'long'.repeat(100)}%22%5d`,
    {},
    { node: `resource-lists/list[@name="${'long'.repeat(16)}…"]` },
  ],
  [
    404,
    'GET',
    `/xcap-root/none/users/sip:alice%253Atopsecret@example.com/sip%25253Abob%25253Atopsecret%252540example.com`,
    {},
    { subscriber: alice, document: `none/users/${alice}/sip:bob@example.com`, sentence: /usage/ },
  ],
  [
    405,
    'POST',
    `/xcap-root/resource-lists/users/tel:+15550100/index`,
    { body: '' },
    { subscriber: alice, method: 'POST', document: path, sentence: /POST/ },
  ],
  [
    409,
    'PUT',
    index,
    { body: '<resource-lists/>' },
    { subscriber: alice, condition: 'schema-validation-error', sentence: /./ },
  ],
  [
    412,
    'PUT',
    index,
    { headers: { 'if-match': '"none"' }, body: resourceList('friends') },
    { condition: undefined, sentence: /./ },
  ],
  [
    413,
    'PUT',
    index,
    { headers: { 'content-length': '99999999', expect: '100-continue' } },
    { subscriber: alice, sentence: /./ },
  ],
  [
    415,
    'PUT',
    index,
    { headers: { 'content-encoding': 'gzip' }, body: 'x' },
    { subscriber: alice, sentence: /content coding/ },
  ],
  [
    429,
    'GET',
    index,
    { as: null, headers: basic('alice@example.com', 'topsecret again') },
    { subscriber: alice, scheme: 'basic', asker: undefined, sentence: /failed logins/ },
  ],
  [200, 'GET', index, { as: 'tel:+15550100' }, { subscriber: alice, asker: 'tel:+15550100', document: path }],
  [200, 'GET', '/xcap-root/xcap-caps/global/index', {}, { asker: alice, document: 'xcap-caps/global/index' }],
];

t.test('a line for each request', async (t) => {
  const lines: Line[] = [];
  let text = '';
  const { send, manage } = await startServer(t, {
    environment: {
      XCAP_IDENTITY_METHODS: 'asserted-identity,basic',
      XCAP_LOGIN_FAILURES: '1',
      XCAP_TRUSTED_PROXIES: '127.0.0.1',
    },
    log(line) {
      text += line;
      const parsed = JSON.parse(line) as Line;
      if (parsed.msg === 'request') lines.push(parsed);
    },
  });
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: alice, identities: ['tel:+15550100'], password: 'secret' });
  t.equal((await send('PUT', index, { body: resourceList('friends') })).status, 201);
  await until('the line of the first request is there', () => lines.length === 1);

  for (const [status, method, target, options, line] of cases) {
    const name = `${status} ${method} ${target.slice(0, 80)}`;
    const before = lines.length;
    t.equal((await send(method, target, options)).status, status, name);
    await until('its line is there', () => lines.length > before);
    t.match(
      lines.at(-1),
      { method, status, milliseconds: Number, peer: /127\.0\.0\.1/, ...line },
      `the line of ${name}`,
    );
    t.equal('sentence' in (lines.at(-1) ?? {}), status >= 400, 'a sentence where it is refused');
  }
  t.equal(lines.length, cases.length + 1);
  t.notMatch(text, /topsecret/, 'no password');
});
