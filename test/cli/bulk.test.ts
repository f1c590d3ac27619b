import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commandLine, jsonLines, runCommand } from '../fixtures/command-line.js';
import { boxes, keys } from '../fixtures/sealed-secrets.js';
import { startServer } from '../fixtures/xcap-server.js';

const lists = (list: string) =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="${list}"/></resource-lists>`;
const user = (name: string, ...contents: string[]) => ({
  xui: `sip:${name}@example.com`,
  documents: contents.map((content, i) => ({ auid: 'resource-lists', path: `list${i}`, content })),
});
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

t.test('a dry run refuses encrypted secrets that its key does not open, as a server does', async (t) => {
  const secret = { realm: 'r', username: 'u', algorithm: 'MD5', ha1: '0'.repeat(32) } as const;
  const xui = 'sip:alice@example.com';
  const { first } = boxes;
  const sealed = { ...secret, ha1: first.seal({ xui, ...secret }, first.keyId).ha1 };
  const input = [sealed, { ...sealed, username: 'v' }, secret]
    .map((one) => `${JSON.stringify({ xui, digest: [one] })}\n`)
    .join('');
  const run = (environment: Record<string, string>) =>
    runCommand(['import', '-', '--dry-run', '--json'], { input, environment });
  const cases: readonly [environment: Record<string, string>, lines: readonly number[], reason: RegExp][] = [
    [{ XCAP_SECRETS_KEY: keys.first.toString('hex') }, [2], /'v' in realm 'r' .* does not open it: /],
    [{ XCAP_SECRETS_KEY: keys.second.toString('hex') }, [1, 2], /'u' in realm 'r' .* does not open it: /],
    [{}, [1, 2], /'u' in realm 'r' .* XCAP_SECRETS_KEY is not set: /],
  ];
  for (const [environment, lines, reason] of cases) {
    const { code, stdout } = await run(environment);
    t.equal(code, 1);
    const refused = jsonLines(stdout).flatMap((line) =>
      typeof line === 'object' && line !== null && 'refused' in line ? [line.refused] : [],
    );
    t.match(
      refused,
      lines.map((input) => ({ input, user: xui })),
    );
    t.match(refused[0], { reason });
  }
});

t.test('what one server exports another one imports', async (t) => {
  const folder = t.testdir();
  const [one, two] = [await startServer(t), await startServer(t)];
  const [from, to] = [commandLine(one), commandLine(two)];
  const input = join(folder, 'input.ndjson');
  writeFileSync(input, lines({ ...user('alice', lists('a'), lists('ü')), password: 'secret' }, user('bob')));
  t.strictSame(await from('import', input), {
    code: 0,
    stdout:
      'subscribers: 2 imported, 0 there already, 0 refused\n' +
      'documents: 2 imported, 0 there already, 0 refused\n',
    stderr: '',
  });

  const file = join(folder, 'export.ndjson');
  t.match(await from('export', file), { code: 0, stdout: `2 subscribers were written to ${file}.\n` });
  t.equal(statSync(file).mode & 0o777, 0o600, 'nobody else may read it');
  t.notOk(existsSync(`${file}.unfinished`));
  t.equal((await from('export')).stdout, readFileSync(file, 'utf8'));
  t.equal((await from('export', '-')).stdout, readFileSync(file, 'utf8'));
  const plain = jsonLines((await from('export', '--no-credentials', '--no-documents')).stdout);
  t.strictSame(
    plain.map((value) => ['passwordHash', 'digest', 'documents'].filter((name) => name in (value as object))),
    [[], []],
  );

  t.match(await to('import', file, '--json'), { code: 0, stdout: /^\{"summary":\{"subscribers":2,/ });
  t.equal((await to('export')).stdout, readFileSync(file, 'utf8'));
  t.match(await from('export', '/nonexistent/file'), { code: 2, stderr: /cannot be written/ });
  t.match(await to('import', '/nonexistent/file'), { code: 2, stderr: /cannot be read/ });
});

t.test('what is refused does not stop the rest', async (t) => {
  const server = await startServer(t);
  const environment = { XCAPD_URL: `http://127.0.0.1:${server.managementPort}` };
  const bad = lists('a').replace('<list', '\n<liszt');
  const input = `${lines(user('alice', lists('a'), bad))}\nno JSON\n{"name":"x"}\n${lines(user('bob', '<a'))}`;
  const result = await runCommand(['import', '-'], { environment, input });
  t.equal(result.code, 1);
  const expected = [
    /^input line 3: The line is not valid JSON\.$/,
    /^input line 4: .*xui.*$/,
    /^input line 1, sip:alice@example\.com, resource-lists\/list1, line 2: schema-validation-error: .*liszt.*$/,
    /^input line 5, sip:bob@example\.com, resource-lists\/list0, line 1: not-well-formed: .*$/,
    /^subscribers: 2 imported, 0 there already, 2 refused$/,
    /^documents: 1 imported, 0 there already, 2 refused$/,
  ];
  const found = result.stdout.trimEnd().split('\n');
  for (const line of expected)
    t.ok(
      found.some((text) => line.test(text)),
      `${String(line)} in ${result.stdout}`,
    );
  t.equal(found.length, expected.length);

  const json = await runCommand(['import', '-', '--json'], { environment, input: lines(user('carol', bad)) });
  t.match(jsonLines(json.stdout), [
    {
      refused: {
        input: 1,
        user: 'sip:carol@example.com',
        document: 'resource-lists/list0',
        line: 2,
        condition: 'schema-validation-error',
        reason: /liszt/,
      },
    },
    { summary: { subscribers: 1, documentsRefused: 1 } },
  ]);
});

t.test('an import that is run again', async (t) => {
  const server = await startServer(t);
  const environment = { XCAPD_URL: `http://127.0.0.1:${server.managementPort}` };
  const run = (input: string, ...words: string[]) =>
    runCommand(['import', '-', ...words], { environment, input });
  const first = lines({ ...user('alice', lists('a')), password: 'one' }, user('bob'));
  await run(first);
  const stored = async () =>
    (await server.manage('GET', '/api/v1/export?include=credentials,documents')).body;
  const before = await stored();
  t.match(await run(first), {
    code: 0,
    stdout:
      'subscribers: 0 imported, 2 there already, 0 refused\n' +
      'documents: 0 imported, 1 there already, 0 refused\n',
  });
  t.equal(await stored(), before);

  const changed = lines({ ...user('alice', lists('b'), lists('c')), password: 'two' });
  t.match(await run(changed), { code: 0, stdout: /documents: 1 imported, 1 there already, 0 refused/ });
  t.match(jsonLines(await stored()), [{ documents: [{ content: lists('a') }, { content: lists('c') }] }, {}]);
  t.equal(hashOf(await stored()), hashOf(before), 'the password stays');

  t.match(await run(changed, '--overwrite'), {
    code: 0,
    stdout: /documents: 1 imported, 1 there already, 0/,
  });
  t.match(jsonLines(await stored()), [{ documents: [{ content: lists('b') }, { content: lists('c') }] }, {}]);
  t.not(hashOf(await stored()), hashOf(before));
  const history = await commandLine(server)(
    'doc',
    'history',
    'resource-lists/users/sip:alice@example.com/list1',
  );
  t.equal(history.stdout.trim().split('\n').length, 1, 'no new version where nothing changes');

  const alias = lines({ xui: 'sip:dora@example.com', identities: ['sip:eve@example.com'] }, user('eve'));
  const { code, stdout } = await run(alias);
  t.equal(code, 1);
  t.match(stdout, /input line 2, sip:eve@example\.com: .*already/, 'somebody else has the name');
});

function hashOf(text: string): string | undefined {
  return (jsonLines(text)[0] as { passwordHash?: string }).passwordHash;
}

t.test('a dry run asks no server', async () => {
  const input = lines(user('alice', lists('a'), '<a/>'), user('bob')) + '{}\n';
  const { code, stdout, stderr } = await runCommand(['import', '-', '--dry-run'], {
    environment: { XCAPD_URL: 'http://127.0.0.1:1' },
    input,
  });
  t.equal(code, 1);
  t.match(stdout, /^input line 1, sip:alice@example\.com, resource-lists\/list1: schema-validation-error: /m);
  t.match(stdout, /^input line 3: .*xui/m);
  t.match(stdout, /^subscribers: 2 can be imported, 0 there already, 1 refused$/m);
  t.match(stdout, /^documents: 1 can be imported, 0 there already, 1 refused$/m);
  t.equal(stderr, '');
});

t.test('many, with progress', async (t) => {
  const server = await startServer(t);
  const environment = { XCAPD_URL: `http://127.0.0.1:${server.managementPort}` };
  const users = Array.from({ length: 450 }, (_, i) => user(`user${i}`, lists('line separator: \u2028')));
  const input = lines(...users);
  const result = await runCommand(['import', '-', '--progress'], { environment, input });
  t.match(result.stdout, /^subscribers: 450 imported, 0 there already, 0 refused\ndocuments: 450 imported/);
  t.match(result.stderr, /^100 subscribers, 100 documents\n(.*\n)+450 subscribers, 450 documents\n$/);
  const exported = await runCommand(['export', '--progress'], { environment });
  t.equal(jsonLines(exported.stdout).length, 450);
  t.match(exported.stderr, /^450 subscribers\n$/m);
  t.match(await runCommand(['import', '-', '--realm', 'x'], { environment, input }), {
    code: 2,
    stderr: /--from/,
  });
});

t.test('without a server', async (t) => {
  const environment = { XCAPD_URL: 'http://127.0.0.1:1' };
  const file = join(t.testdir(), 'x');
  t.match(await runCommand(['export', file], { environment }), { code: 3, stderr: /cannot be reached/ });
  t.notOk(existsSync(file));
  t.match(await runCommand(['import', '-'], { environment, input: '{}\n' }), { code: 3 });
});
