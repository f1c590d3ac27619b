import { createHash } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { cloneDatabase, query } from '../fixtures/database.js';
import { commandLine, jsonLines, runCommand } from '../fixtures/command-line.js';
import { urlOf } from '../fixtures/serve.js';
import { startMariadb } from '../fixtures/mariadb.js';
import { needs } from '../fixtures/peers.js';
import {
  subscriberInsert,
  tables,
  xcapInsert,
  type Dialect,
  type XcapRow,
} from '../fixtures/source-tables.js';
import { startServer, type TestServer } from '../fixtures/xcap-server.js';

const root = (name: string, namespace: string) => `<${name} xmlns="urn:ietf:params:xml:ns:${namespace}"/>`;
const documents = {
  lists: root('resource-lists', 'resource-lists'),
  services: root('rls-services', 'rls-services'),
  rules: root('ruleset', 'common-policy'),
};
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const row = (username: string, type: number, uri: string, doc: Buffer | string): XcapRow => ({
  username,
  domain: 'example.com',
  doc,
  type,
  uri,
});
const path = (auid: string, username: string, name: string) =>
  `/xcap-root/${auid}/users/sip:${username}@example.com/${name}`;

interface Exported {
  readonly xui: string;
  readonly passwordHash?: string;
  readonly digest: readonly Record<string, string>[];
  readonly documents: readonly { auid: string; path: string; content: string }[];
}

async function exported(server: TestServer): Promise<Exported[]> {
  const { body } = await server.manage('GET', '/api/v1/export?include=credentials,documents');
  return jsonLines(body) as Exported[];
}

function namesOf(subscriber: Exported | undefined): string[] {
  return (subscriber?.documents ?? []).map((document) => `${document.auid}/${document.path}`).sort();
}

/** A database with tables, and a server that imports them. */
async function migration(t: Test, server: Parameters<typeof tables>[0], statements: readonly string[]) {
  const database = await cloneDatabase(t);
  for (const sql of [...tables(server, 'postgres'), ...statements]) await query(database, sql);
  const target = await startServer(t);
  const environment = { XCAPD_URL: `http://127.0.0.1:${target.managementPort}` };
  const run = (...words: string[]) =>
    runCommand(['import', '--from', server, urlOf(database), ...words], { environment });
  return { database, target, run };
}

const kamailioRows = (dialect: Dialect) => [
  subscriberInsert({
    username: 'alice',
    domain: 'Example.com',
    ha1: md5('alice:Example.com:secret').toUpperCase(),
    ha1b: md5('alice@Example.com:Example.com:secret'),
  }),
  subscriberInsert({ username: 'bob', domain: 'example.com', password: 'builder', ha1: 'x' }),
  subscriberInsert({
    username: 'carol',
    domain: 'example.com',
    ha1: sha256('carol:example.com:x'),
    ha1b: '?',
  }),
  xcapInsert(
    { ...row('alice', 4, path('resource-lists', 'alice', 'index'), documents.lists), domain: 'Example.com' },
    dialect,
  ),
  xcapInsert(
    row('bob', 2, path('org.openmobilealliance.pres-rules', 'bob', 'pres-rules'), documents.rules),
    dialect,
  ),
  xcapInsert(row('bob', 2, path('pres-rules', 'bob', 'index'), documents.rules), dialect),
  xcapInsert(row('bob', 8, 'index', documents.services), dialect),
  xcapInsert(row('bob', 4, path('resource-lists', 'bob', 'my friends/ü'), documents.lists), dialect),
  xcapInsert(row('bob', 4, path('resource-lists', 'bob', 'my friends'), documents.lists), dialect),
  xcapInsert(
    row('bob', 4, 'broken', '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">\n<list>'),
    dialect,
  ),
  xcapInsert(row('bob', 4, 'latin1', Buffer.from('<a>\xe4</a>', 'latin1')), dialect),
  xcapInsert(row('bob', 1024, 'index', documents.lists), dialect),
  xcapInsert(row('bob', 4, '/xcap-root/resource-lists/global/index', documents.lists), dialect),
  xcapInsert(row('dora', 4, path('resource-lists', 'dora', 'index'), documents.lists), dialect),
  xcapInsert(row('dora', 8, path('rls-services', 'dora', 'index'), documents.services), dialect),
];

async function checkKamailio(
  t: Test,
  target: TestServer,
  run: (...words: string[]) => ReturnType<typeof runCommand>,
): Promise<void> {
  const dry = await run('--dry-run');
  t.match(dry, { code: 1, stdout: /subscribers: 4 can be imported, 0 there already, 0 refused/ });
  t.strictSame(await exported(target), [], 'a dry run changes nothing');

  const first = await run();
  t.equal(first.code, 1);
  t.equal(first.stderr, '');
  for (const line of [
    /^sip:bob@example\.com, resource-lists\/broken, line 2: not-well-formed: /m,
    /^sip:bob@example\.com, resource-lists\/latin1: not-utf-8: /m,
    /^sip:bob@example\.com, resource-lists\/my%20friends\/%C3%BC: no-parent: /m,
    /^sip:bob@example\.com, index: The doc_type 1024 stands for no application usage\.$/m,
    /^sip:bob@example\.com, \/xcap-root\/resource-lists\/global\/index: .*xcapd doc put/m,
    /^sip:carol@example\.com, ha1b: The column ha1b holds no HA1/m,
    /^subscribers: 4 imported, 0 there already, 0 refused$/m,
    /^credentials: 1 refused$/m,
    /^documents: 7 imported, 0 there already, 5 refused$/m,
  ]) {
    t.match(first.stdout, line);
  }

  const [alice, bob, carol, dora] = await exported(target);
  t.match(alice, { xui: 'sip:alice@example.com', documents: [{ auid: 'resource-lists', path: 'index' }] });
  t.strictSame(
    [...(alice?.digest ?? [])].sort((one, two) => ((one.username ?? '') < (two.username ?? '') ? -1 : 1)),
    [
      ['alice', md5('alice:Example.com:secret')],
      ['alice@Example.com', md5('alice@Example.com:Example.com:secret')],
    ].map(([username, ha1]) => ({ realm: 'Example.com', username, algorithm: 'MD5', ha1 })),
  );
  t.match(bob?.passwordHash, /^\$scrypt/, 'a password comes before HA1');
  t.strictSame(namesOf(bob), [
    'org.openmobilealliance.pres-rules/pres-rules',
    'pres-rules/index',
    'resource-lists/my%20friends',
    'rls-services/index',
  ]);
  t.match(carol?.digest, [{ username: 'carol', algorithm: 'SHA-256', ha1: sha256('carol:example.com:x') }]);
  t.strictSame(namesOf(dora), ['resource-lists/index', 'rls-services/index'], 'users without a row');
  t.equal(dora?.documents[0]?.content, documents.lists);

  const before = await exported(target);
  const second = await run();
  t.match(second.stdout, /^subscribers: 0 imported, 4 there already, 0 refused$/m);
  t.match(second.stdout, /^documents: 0 imported, 7 there already, 5 refused$/m);
  t.strictSame(await exported(target), before, 'the import can be run again');
}

t.test('kamailio', async (t) => {
  const { target, run } = await migration(t, 'kamailio', kamailioRows('postgres'));
  await checkKamailio(t, target, run);
});

t.test('kamailio on MySQL', needs('mariadbd'), async (t) => {
  const url = await startMariadb(t);
  const connection = await createConnection(url);
  for (const sql of [...tables('kamailio', 'mysql'), ...kamailioRows('mysql')]) await connection.query(sql);
  await connection.end();
  const target = await startServer(t);
  const environment = { XCAPD_URL: `http://127.0.0.1:${target.managementPort}` };
  await checkKamailio(t, target, (...words) =>
    runCommand(['import', '--from', 'kamailio', ...words], {
      environment: { ...environment, XCAPD_SOURCE_URL: url },
    }),
  );
});

t.test('opensips: other numbers, HA1 with SHA-256, file names', async (t) => {
  const { target, run } = await migration(t, 'opensips', [
    subscriberInsert({
      username: 'alice',
      domain: 'example.com',
      ha1: md5('alice:sip.example.com:secret'),
      ha1_sha256: sha256('alice:sip.example.com:secret'),
    }),
    xcapInsert(row('alice', 4, 'index.xml', documents.lists), 'postgres'),
    xcapInsert(row('alice', 32, 'pres-rules', documents.rules), 'postgres'),
  ]);
  t.match(await run('--realm', 'sip.example.com'), { code: 0, stderr: '' });
  const [alice] = await exported(target);
  t.strictSame(namesOf(alice), ['org.openmobilealliance.pres-rules/pres-rules', 'resource-lists/index.xml']);
  t.strictSame(
    new Set(alice?.digest.map(({ realm, username, algorithm }) => `${realm} ${username} ${algorithm}`)),
    new Set(['sip.example.com alice MD5', 'sip.example.com alice SHA-256']),
  );
});

t.test('openxcap: its own usages, users without a domain', async (t) => {
  const { target, run } = await migration(t, 'openxcap', [
    subscriberInsert({ username: 'alice', password: 'secret' }),
    xcapInsert({ ...row('alice', 128, 'index', documents.rules), domain: '' }, 'postgres'),
    xcapInsert({ ...row('alice', 4, '', documents.lists), domain: '' }, 'postgres'),
    xcapInsert({ ...row('bob', 4, 'index', documents.lists), domain: '' }, 'postgres'),
  ]);
  const without = await run('--json');
  t.equal(without.code, 1);
  t.match(jsonLines(without.stdout), [
    { refused: { reason: /--domain/ } },
    { refused: { reason: /--domain/ } },
    { refused: { reason: /--domain/ } },
    { summary: { subscribers: 0, documents: 0, documentsRefused: 3 } },
  ]);
  const { stdout } = await run('--domain', 'example.org');
  t.match(stdout, /^sip:alice@example\.org, : The doc_uri '' names no document\.$/m);
  const [alice, bob] = await exported(target);
  t.match(alice, { xui: 'sip:alice@example.org', passwordHash: /scrypt/ });
  t.strictSame(namesOf(alice), ['org.openxcap.dialog-rules/index']);
  t.strictSame(namesOf(bob), ['resource-lists/index']);
});

t.test('what is not valid can be kept', async (t) => {
  const { target, run } = await migration(t, 'kamailio', [
    subscriberInsert({ username: 'alice', domain: 'example.com' }),
    xcapInsert(row('alice', 4, 'index', documents.lists), 'postgres'),
    xcapInsert(
      row('alice', 4, 'odd', documents.lists.replace('/>', '>\n<liszt/></resource-lists>')),
      'postgres',
    ),
    xcapInsert(row('alice', 4, 'broken', '<resource-lists'), 'postgres'),
    xcapInsert(row('alice', 4, 'latin1', Buffer.from('<a>\xe4</a>', 'latin1')), 'postgres'),
    xcapInsert(row('bob', 4, 'odd', '<odd/>'), 'postgres'),
  ]);
  const keptText =
    /kept: sip:alice@example\.com, resource-lists\/odd, line 2: schema-validation-error: .*liszt/;
  const dry = await run('--dry-run', '--keep-invalid');
  t.match(dry, { code: 1, stderr: /^would be kept: sip:bob@example\.com/m });
  t.match(dry.stderr, keptText);
  t.match(dry.stdout, /^documents that are not valid: 2 can be kept$/m);
  t.match(dry.stdout, /^documents: 1 can be imported, 0 there already, 2 refused$/m);

  t.match(await run(), {
    code: 1,
    stderr: '',
    stdout: /documents: 1 imported, 0 there already, 4 refused\n$/,
  });
  const again = await run('--keep-invalid');
  t.equal(again.code, 1, 'two are refused all the same');
  t.match(again.stderr, keptText, 'also of those who are there already');
  t.equal(again.stderr.trimEnd().split('\n').length, 2);
  t.match(again.stdout, /resource-lists\/broken, line 1: not-well-formed/);
  t.match(again.stdout, /resource-lists\/latin1: not-utf-8/);
  t.match(again.stdout, /^documents that are not valid: 2 kept$/m);
  const [alice, bob] = await exported(target);
  t.strictSame(namesOf(alice), ['resource-lists/index', 'resource-lists/odd']);
  t.equal(bob?.documents[0]?.content, '<odd/>');

  const server = commandLine(target);
  const { stdout } = await server('doc', 'ls', 'sip:alice@example.com');
  t.match(stdout, /^resource-lists\/index .*Z$/m);
  t.match(stdout, /^resource-lists\/odd .* not valid: .*liszt/m);
  const single = await server('doc', 'get', 'resource-lists/users/sip:alice@example.com/odd', '--json');
  t.match(jsonLines(single.stdout), [{ invalid: /liszt/, content: /liszt/ }]);
});

t.test('an import that only keeps something has done all', async (t) => {
  const { run } = await migration(t, 'kamailio', [
    subscriberInsert({ username: 'alice', domain: 'example.com' }),
    xcapInsert(row('alice', 4, 'odd', '<odd/>'), 'postgres'),
  ]);
  t.match(await run('--dry-run', '--keep-invalid'), { code: 0 });
  const { code, stdout, stderr } = await run('--keep-invalid', '--json');
  t.strictSame([code, stderr], [0, '']);
  t.match(jsonLines(stdout), [
    {
      kept: {
        user: 'sip:alice@example.com',
        document: 'resource-lists/odd',
        condition: 'schema-validation-error',
      },
    },
    { summary: { subscribers: 1, documents: 0, documentsRefused: 0, documentsKept: 1 } },
  ]);
  t.match(await run('--keep-invalid'), { code: 0, stderr: '', stdout: /1 there already, 0 refused/ });
});

t.test('more rows than a page, and only one of the tables', async (t) => {
  const database = await cloneDatabase(t);
  const [, xcap = ''] = tables('kamailio', 'postgres');
  await query(database, xcap);
  const inserts = Array.from({ length: 250 }, (_, i) =>
    xcapInsert(row(`user${i % 60}`, 4, `list${i}`, documents.lists), 'postgres'),
  );
  await query(database, inserts.join(';'));
  const target = await startServer(t);
  const environment = { XCAPD_URL: `http://127.0.0.1:${target.managementPort}` };
  const { code, stdout } = await runCommand(['import', '--from', 'kamailio', urlOf(database)], {
    environment,
  });
  t.equal(code, 0, stdout);
  t.match(stdout, /^documents: 250 imported, 0 there already, 0 refused$/m);
  const subscribers = await exported(target);
  t.equal(subscribers.length, 60);
  t.equal(subscribers.flatMap(namesOf).length, 250);
});

t.test('databases that cannot be used', async (t) => {
  const database = await cloneDatabase(t);
  const run = (url: string) =>
    runCommand(['import', '--from', 'kamailio', url], { environment: { XCAPD_URL: 'http://127.0.0.1:1' } });
  t.match(await run(urlOf(database)), { code: 2, stderr: /neither a table subscriber nor a table xcap/ });
  await query(database, 'create table xcap (id integer)');
  t.match(await run(urlOf(database)), {
    code: 2,
    stderr: /table xcap of the database has no column username/,
  });
  const away = await run('postgres://user:topsecret@127.0.0.1:1/kamailio');
  t.match(away, { code: 3, stderr: /database cannot be reached: .*ECONNREFUSED/ });
  const mysql = await run('mysql://user:topsecret@127.0.0.1:1/kamailio');
  t.match(mysql, { code: 3, stderr: /database cannot be reached: .*ECONNREFUSED/ });
  const other = await run('oracle://user:topsecret@h/d');
  t.match(other, { code: 2, stderr: /begin with postgres/ });
  for (const { stderr } of [away, mysql, other]) t.notMatch(stderr, /topsecret/);
});
