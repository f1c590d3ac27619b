import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commandLine, jsonLines, runCommand } from '../fixtures/command-line.js';
import { startServer } from '../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const name = `resource-lists/users/${alice}/index`;
const lists = (list: string) =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="${list}"/></resource-lists>`;

t.test('the life of a document', async (t) => {
  const server = await startServer(t);
  const run = commandLine(server);
  await run('user', 'add', alice);
  const folder = t.testdir({ 'one.xml': lists('one'), 'two.xml': lists('zwei – ü'), 'bad.xml': '<a/>' });
  const file = (of: string) => join(folder, of);

  t.match(await run('doc', 'put', name, file('one.xml')), {
    code: 0,
    stdout: /was made, entity tag \S+\.\n$/,
  });
  const put = await run('doc', 'put', name, file('two.xml'), '--json');
  const [{ entityTag }] = jsonLines(put.stdout) as [{ entityTag: string }];
  t.match(jsonLines(put.stdout), [{ document: name, created: false, entityTag: /^\S+$/ }]);

  t.strictSame(await run('doc', 'get', name), { code: 0, stdout: lists('zwei – ü'), stderr: '' });
  t.match(jsonLines((await run('doc', 'get', name, '--json')).stdout), [
    { document: name, entityTag, mediaType: /^application\/resource-lists\+xml/, content: lists('zwei – ü') },
  ]);
  t.equal((await run('doc', 'get', `/${name}`, '--version', '1')).stdout, lists('one'));
  t.match(await run('doc', 'get', name, '--version', '9'), { code: 1, stderr: /no such version/ });
  t.match(await run('doc', 'get', name, '-o', file('out.xml')), { code: 0, stdout: '' });
  t.equal(readFileSync(file('out.xml'), 'utf8'), lists('zwei – ü'));

  t.match((await run('doc', 'ls', alice)).stdout, /^resource-lists\/index +version 2 +\d+ bytes +\d{4}-/);
  t.match(jsonLines((await run('doc', 'ls', alice, '--json')).stdout), [{ path: 'index', entityTag }]);
  const history = jsonLines((await run('doc', 'history', name, '--json')).stdout);
  t.match(history, [{ version: 2, entityTag }, { version: 1 }]);
  t.match((await run('doc', 'history', name)).stdout, /^2 +\d+ bytes .*\n1 +\d+ bytes .*\n$/);

  t.match(await run('doc', 'restore', name, '1', '--if-match', 'other'), {
    code: 1,
    stderr: /^xcapd: .+\n$/,
  });
  t.match(await run('doc', 'restore', name, '1', '--if-match', entityTag), {
    code: 0,
    stdout: /was replaced/,
  });
  t.equal((await run('doc', 'get', name)).stdout, lists('one'));
  t.match(await run('doc', 'restore', name, '77'), { code: 1, stderr: /no such version/ });

  t.match(await run('doc', 'put', name, file('one.xml'), '--new'), { code: 1 });
  const bad = await run('doc', 'put', name, file('bad.xml'));
  t.equal(bad.code, 1);
  t.match(bad.stderr, /^xcapd: schema-validation-error: .+\n$/);

  t.match(await run('doc', 'rm', name), { code: 2, stderr: /--yes/ });
  t.match(await run('doc', 'rm', name, '--yes', '--if-match', 'other'), { code: 1 });
  t.match(await run('doc', 'rm', name, '--yes'), { code: 0, stdout: `${name} was deleted.\n` });
  t.match(await run('doc', 'get', name), { code: 1, stderr: 'xcapd: There is no such document.\n' });
  t.match((await run('doc', 'history', name)).stdout, /^4 +deleted /);
});

t.test('content from standard input, and global documents', async (t) => {
  const server = await startServer(t);
  const environment = { XCAPD_URL: `http://127.0.0.1:${server.managementPort}` };
  const put = await runCommand(['doc', 'put', 'resource-lists/global/index', '-', '--new'], {
    environment,
    input: lists('all'),
  });
  t.match(put, { code: 0, stdout: /was made/ });
  t.equal((await commandLine(server)('doc', 'get', 'resource-lists/global/index')).stdout, lists('all'));
  t.match(
    (await commandLine(server)('doc', 'get', 'xcap-caps/global/index')).stdout,
    /<auid>resource-lists</,
  );
  t.match(await commandLine(server)('doc', 'rm', 'xcap-caps/global/index', '--yes'), { code: 1 });
});

t.test('names as people type them', async (t) => {
  const server = await startServer(t);
  const run = commandLine(server);
  const file = join(t.testdir({ 'a.xml': lists('a') }), 'a.xml');
  await run('user', 'add', alice);
  for (const document of ['my list#1', 'größe', 'a%20b']) {
    const place = `resource-lists/users/${alice}/${document}`;
    t.match(await run('doc', 'put', place, file), { code: 0 }, document);
    t.equal((await run('doc', 'get', place)).stdout, lists('a'), document);
  }
  t.match((await run('doc', 'ls', alice)).stdout, /resource-lists\/a%20b /);
  for (const document of [
    'index',
    'resource-lists/users/x',
    'resource-lists/else/x/index',
    'a/users/x/../y',
  ]) {
    t.match(await run('doc', 'get', document), { code: 2, stderr: /names no document/ }, document);
  }
  t.match(await run('doc', 'put', name, '/nonexistent.xml'), { code: 2, stderr: /cannot be read/ });
  t.match(await run('doc', 'get', name, '--version', '0'), { code: 2, stderr: /number of a version/ });
});

t.test('a large document', async (t) => {
  const server = await startServer(t);
  await commandLine(server)('user', 'add', alice);
  const file = join(t.testdir(), 'large.xml');
  writeFileSync(file, lists('x'.repeat(500_000)));
  await commandLine(server)('doc', 'put', name, file);
  t.ok(statSync(file).size > 500_000);
  const { code, stdout } = await commandLine(server)('doc', 'get', name);
  t.equal(code, 0);
  t.equal(stdout, readFileSync(file, 'utf8'), 'all of a large document comes');
});
