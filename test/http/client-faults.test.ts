/** Whatever a client sends: what is wrong is told to it by 4xx, and a 5xx is an outage. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { query } from '../fixtures/database.js';
import { managementClient } from '../fixtures/management-client.js';
import { exchange } from '../fixtures/raw-socket.js';
import { startServer, type RequestOptions } from '../fixtures/xcap-server.js';

const root = '/xcap-root';
const home = `${root}/resource-lists/users/sip:alice@example.com`;
const index = `${home}/index`;
const services = `${root}/rls-services/users/sip:alice@example.com/index`;
const long = (length: number) => 'a'.repeat(length);
/** PostgreSQL compresses keys before it measures them. */
const incompressible = (length: number) => randomBytes(length).toString('hex').slice(0, length);
const asOther = (as: string): RequestOptions => ({ as, body: list('x') });
const conditions = (name: string, value: string): RequestOptions => ({ headers: { [name]: value } });
const element = { 'content-type': 'application/xcap-el+xml' };

/** As long as a user identifier may be. */
const longName = `sip:${incompressible(1008)}@example.com`;

function list(name: string): string {
  return `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="${name}"/></resource-lists>`;
}

function service(uri: string): string {
  return (
    `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="${uri}">` +
    '<list/><packages><package>presence</package></packages></service></rls-services>'
  );
}

/** Method, target, what goes with it, and the status. */
type Case = readonly [status: number, method: string, target: string, options?: RequestOptions];

const cases: readonly Case[] = [
  // The path.
  [400, 'GET', `${home}/a%00b`],
  [400, 'GET', `${root}/resource-lists/users/sip:a%00@example.com/index`],
  [400, 'PUT', `${root}/resource-lists/users/%00/index`, { body: list('x') }],
  [400, 'GET', `${root}/%00/users/x/index`],
  [400, 'GET', `${home}/%C0%AF`],
  [400, 'GET', `${home}/%ED%A0%80`],
  [400, 'GET', `${home}/%F4%90%80%80`],
  [400, 'GET', `${home}/%zz`],
  [414, 'PUT', `${home}/${long(2001)}`, { body: list('x') }],
  [414, 'GET', `${root}/${long(20_000)}/users/x/index`],
  [414, 'GET', `${home}/${'a/'.repeat(10_000)}`],
  [414, 'GET', `${root}/resource-lists/users/sip:${long(1100)}@example.com/index`],
  [414, 'PUT', `${root}/resource-lists/users/sip:${long(1100)}@example.com/index`, { body: list('x') }],
  [414, 'GET', `${root}/resource-lists/users/${'%F0%9F%98%80'.repeat(300)}/index`],
  [403, 'PUT', `${root}/resource-lists/users/%F0%9F%98%80/index`, { body: list('x') }],
  [404, 'GET', `${home}/%F0%9F%98%80`],
  [404, 'GET', `${home}/%EF%BF%BF`],
  [201, 'PUT', `${home}/${incompressible(1900)}`, { body: list('x') }],
  [
    201,
    'PUT',
    `${root}/resource-lists/users/${longName}/${incompressible(900)}`,
    { as: longName, body: list('x') },
  ],
  // The node selector and the query.
  [404, 'GET', `${index}/~~/a%00b`],
  [400, 'GET', `${index}/~~/%ED%A0%80`],
  [404, 'GET', `${index}/~~/resource-lists/list%5B@name=%22%00%22%5D`],
  [404, 'GET', `${index}/~~/resource-lists/list%5B999999999%5D`],
  [404, 'GET', `${index}/~~/resource-lists/list%5B9999999999%5D`],
  [404, 'GET', `${index}/~~/${'*/'.repeat(100)}*`],
  [404, 'PUT', `${index}/~~/${'a/'.repeat(101)}a`, { headers: element, body: '<a/>' }],
  [414, 'GET', `${index}/~~/${long(16_400)}`],
  [414, 'GET', `${index}/~~/a?${long(8200)}`],
  [414, 'DELETE', `${index}/~~/a?${'xmlns(a=b)'.repeat(1000)}`],
  [400, 'GET', `${index}/~~/a?%ED%A0%80`],
  [404, 'GET', `${index}/~~/a?xmlns(a=%00)`],
  [404, 'GET', `${index}/~~/resource-lists?xmlns(%00=%00)`.replace('resource-lists?', 'nothing?')],
  // Headers.
  [400, 'GET', index, conditions('if-match', '"a",'.repeat(5000))],
  [400, 'PUT', index, { ...conditions('if-none-match', 'a,'.repeat(5000)), body: list('x') }],
  [412, 'GET', index, conditions('if-match', `"${long(30_000)}"`)],
  [412, 'GET', index, conditions('if-match', '"'.repeat(150))],
  [412, 'PUT', index, { ...conditions('if-match', `"\u00e9\u00ff"`), body: list('x') }],
  [200, 'GET', index, conditions('if-none-match', `W/"${long(30_000)}"`)],
  [200, 'GET', index, conditions('accept', 'a/b,'.repeat(7000))],
  [200, 'GET', index, conditions('accept', `"${','.repeat(30_000)}`)],
  [200, 'GET', index, conditions('accept', `;=\u00ff${';'.repeat(3000)}`)],
  [415, 'PUT', index, { ...conditions('content-type', long(20_000)), body: list('x') }],
  [415, 'PUT', index, { ...conditions('content-encoding', long(20_000)), body: list('x') }],
  [415, 'PUT', index, { ...conditions('content-type', '\u00e9/\u00ff;='), body: list('x') }],
  [200, 'GET', index, conditions('x-3gpp-intended-identity', ',,'.repeat(5000))],
  [403, 'GET', index, conditions('x-3gpp-intended-identity', '"%ED%A0%80"')],
  [400, 'GET', index, conditions('x-3gpp-intended-identity', '"sip:a%00b"')],
  [200, 'GET', index, conditions('authorization', `Bearer ${long(20_000)}`)],
  // Who asks.
  [400, 'PUT', index, asOther('sip:a%00@example.com')],
  [400, 'PUT', index, asOther(`sip:${long(1100)}@example.com`)],
  [403, 'PUT', index, asOther(`sip:${long(1000)}@example.com`)],
  [403, 'PUT', index, asOther('%ED%A0%80')],
  [403, 'PUT', index, asOther('%F0%9F%98%80'.repeat(80))],
  [403, 'PUT', index, asOther('\u00ff')],
  [401, 'PUT', index, asOther('')],
  // Bodies.
  [409, 'PUT', index, { body: '' }],
  [409, 'PUT', index, { body: '\0' }],
  [409, 'PUT', index, { body: list('\0') }],
  [409, 'PUT', index, { body: list('&#0;') }],
  [409, 'PUT', index, { body: list('&#xD800;') }],
  [409, 'PUT', index, { body: list('\uFFFF') }],
  [409, 'PUT', index, { body: Buffer.from(list('\u00e9'), 'latin1') }],
  [409, 'PUT', index, { body: Buffer.from(list('\u00ED\u00A0\u0080'), 'latin1') }],
  [409, 'PUT', index, { body: Buffer.from(list('\u00C0\u00AF'), 'latin1') }],
  [409, 'PUT', index, { body: Buffer.from(list('x'), 'utf16le') }],
  [200, 'PUT', index, { body: list(long(200_000)) }],
  [200, 'PUT', index, { body: list('x') }],
  [
    409,
    'PUT',
    `${index}/~~/resource-lists/list/@name`,
    { headers: { 'content-type': 'application/xcap-att+xml' }, body: '&#0;' },
  ],
  [409, 'PUT', `${index}/~~/resource-lists/list`, { headers: element, body: '<list>\uFFFE</list>' }],
  // What a document makes its own.
  [409, 'PUT', services, { body: service(`sip:${incompressible(1100)}@example.com`) }],
  [409, 'PUT', services, { body: service(`sip:${incompressible(4000)}@example.com`) }],
  [409, 'PUT', services, { body: service(`sip:team@${incompressible(4000)}.example.com`) }],
  [409, 'PUT', services, { body: service(`sip:team@example.com;x=${incompressible(4000)}`) }],
  [409, 'PUT', services, { body: service('') }],
  [201, 'PUT', services, { body: service('sip:a%00b@example.com') }],
  [403, 'GET', `${root}/rls-services/global/index/~~/rls-services/service%5B@uri=%22sip:${long(4000)}%22%5D`],
];

t.test('the XCAP listener', async (t) => {
  const { send, port } = await startServer(t, {
    environment: { XCAP_IDENTITY_METHODS: 'asserted-identity,digest' },
  });
  t.equal((await send('PUT', index, { body: list('x') })).status, 201);
  for (const [status, method, target, options] of cases) {
    const answer = await send(method, target, options);
    const what = JSON.stringify([method, target.slice(0, 100), options ?? {}]).slice(0, 250);
    t.equal(answer.status, status, `${what}: ${answer.body.slice(0, 200)}`);
  }
  for (const [status, target] of [
    [400, `${home}/\0`],
    [400, `${home}/\xff\xfe`],
    [400, `${home}/\xed\xa0\x80`],
    [400, `${home}/\xc3\xa9`],
  ] as const) {
    const request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nX-3GPP-Asserted-Identity: "sip:alice@example.com"\r\n\r\n`;
    const received = await exchange(port, [request], /\r\n\r\n/);
    t.match(received, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(target));
  }
});

t.test('more documents than a document may have nodes', async (t) => {
  const { send, database } = await startServer(t);
  await query(
    database,
    'insert into xcapd.documents (xui, auid, path, entity_tag, version, content, changed_at) ' +
      "select 'sip:alice@example.com', 'resource-lists', 'document-' || i, 'tag' || i, 1, '', now() " +
      'from generate_series(1, 21500) as i',
  );
  const directory = `${root}/org.openmobilealliance.xcap-directory/users/sip:alice@example.com/directory.xml`;
  t.equal((await send('GET', directory)).status, 200);
  const entry = `${directory}/~~/xcap-directory/folder%5B@auid=%22resource-lists%22%5D/entry%5B21500%5D`;
  t.match(await send('GET', `${entry}/@uri`), { status: 200, body: /\/document-\d+$/ });
});

t.test('the management listener', async (t) => {
  const { manage } = await startServer(t);
  const ask = managementClient(manage);
  const odd = [
    '%00',
    '%ED%A0%80',
    '%C0%AF',
    '%zz',
    '%F0%9F%98%80',
    long(3000),
    `sip:${long(3000)}@example.com`,
    '%0A',
  ];
  for (const name of odd) {
    for (const [method, path, body] of [
      ['GET', `/subscribers/${name}`],
      ['PUT', `/subscribers/${name}/identities/${name}`, {}],
      ['DELETE', `/subscribers/${name}`],
      ['GET', `/documents/resource-lists/users/${name}/index`],
      ['GET', `/documents/${name}/global/index`],
      ['PUT', `/grants/${name}/${name}`, { expires: '2030-01-01T00:00:00Z' }],
      ['GET', `/subscribers?after=${name}`],
      ['GET', `/audit?after=${name}`],
      ['GET', `/subscribers?limit=${name}`],
    ] as const) {
      const { status, body: answer } = await ask(method, path, body);
      t.ok(status < 500, `${method} ${path.slice(0, 80)}: ${status} ${JSON.stringify(answer).slice(0, 200)}`);
    }
  }
  for (const text of [
    '\0',
    '\uD800',
    '\u{1F600}',
    long(3000),
    `sip:${long(3000)}@example.com`,
    '\uFFFF',
    '',
  ]) {
    for (const body of [
      { identities: [text] },
      { identities: ['sip:x@example.com'], [text]: text },
      { identities: ['sip:x@example.com'], profile: text },
    ]) {
      const { status, body: answer } = await ask('POST', '/subscribers', body);
      t.ok(
        status < 500,
        `${JSON.stringify(body).slice(0, 80)}: ${status} ${JSON.stringify(answer).slice(0, 200)}`,
      );
    }
  }
});
