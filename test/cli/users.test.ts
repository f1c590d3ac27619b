import { execFile } from 'node:child_process';
import t from 'tap';
import { commandLine, jsonLines, runCommand } from '../fixtures/command-line.js';
import { needs, peerProgram } from '../fixtures/peers.js';
import { programFile } from '../fixtures/serve.js';
import { startServer } from '../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';

t.test('the life of a subscriber', async (t) => {
  const server = await startServer(t);
  const run = commandLine(server);

  t.strictSame(await run('user', 'add', alice, '--identity', 'tel:+15550100', '--profile', 'gold'), {
    code: 0,
    stdout: `${alice} was made.\n`,
    stderr: '',
  });
  const again = await run('user', 'add', alice);
  t.equal(again.code, 1);
  t.match(again.stderr, /^xcapd: A subscriber has the identity 'sip:alice@example\.com' already\.\n$/);

  const shown = await run('user', 'show', 'tel:+15550100', '--json');
  t.match(jsonLines(shown.stdout), [
    { xui: alice, identities: [alice, 'tel:+15550100'], profile: 'gold', isDisabled: false },
  ]);
  t.match((await run('user', 'show', alice)).stdout, /^xui: +sip:alice@example\.com\n/);

  t.strictSame(await run('user', 'disable', alice), {
    code: 0,
    stdout: `${alice} is disabled.\n`,
    stderr: '',
  });
  t.match((await run('user', 'list')).stdout, /^sip:alice@example\.com +tel:\+15550100 +gold +disabled\n$/);
  t.match(jsonLines((await run('user', 'enable', alice, '--json')).stdout), [{ isDisabled: false }]);

  const unsure = await run('user', 'rm', alice);
  t.match(unsure, { code: 2, stdout: '', stderr: /--yes/ });
  t.strictSame(await run('user', 'rm', alice, '--yes'), {
    code: 0,
    stdout: `${alice} was erased.\n`,
    stderr: '',
  });
  t.match(await run('user', 'show', alice), { code: 1, stderr: 'xcapd: There is no such subscriber.\n' });
  t.match(await run('user', 'rm', alice, '--yes'), {
    code: 1,
    stderr: 'xcapd: There is no such subscriber.\n',
  });
});

t.test('any spelling finds a subscriber, and what finds nobody says so', async (t) => {
  const server = await startServer(t, { environment: { XCAP_DEFAULT_DOMAIN: 'example.com' } });
  const run = commandLine(server);
  await run('user', 'add', alice, '--identity', 'tel:+15550100');
  for (const spelling of [
    'alice',
    'alice@example.com',
    'SIP:alice@EXAMPLE.com',
    '+15550100',
    '+1 555-0100',
  ]) {
    t.match((await run('user', 'show', spelling)).stdout, /^xui: +sip:alice@example\.com\n/, spelling);
  }
  for (const beginning of ['al', 'sip:al', '+1555', 'tel:+1555']) {
    t.match((await run('user', 'list', beginning)).stdout, /^sip:alice@example\.com/, beginning);
  }
  t.strictSame(await run('user', 'list', 'bob'), {
    code: 0,
    stdout: '',
    stderr: "There is no subscriber with an identity that begins with 'bob'.\n",
  });
  t.match(await run('user', 'add', 'not a uri'), {
    code: 1,
    stderr: /'not%20a%20uri@example\.com|is not the identity/,
  });
  t.match(await run('identity', 'add', alice, 'tel:alice'), {
    code: 1,
    stderr: /'tel:alice' is not the identity/,
  });
  t.match(await run('user', 'add', 'tel:bob', '--force'), { code: 0 });
});

t.test('quota, private identity and state at the beginning', async (t) => {
  const server = await startServer(t);
  const limits = [
    '--max-documents',
    '3',
    '--max-bytes',
    '1000',
    '--disabled',
    '--impi',
    'alice@ims',
    '--json',
  ];
  const made = await commandLine(server)('user', 'add', alice, ...limits);
  t.match(jsonLines(made.stdout), [
    { xui: alice, impi: 'alice@ims', isDisabled: true, quota: { documents: 3, bytes: 1000 } },
  ]);
  t.match((await commandLine(server)('user', 'show', alice)).stdout, /documents: +0 of 3\n/);
  t.match(await commandLine(server)('user', 'add', 'sip:b@example.com', '--max-bytes', 'many'), {
    code: 2,
    stderr: /whole number/,
  });
});

t.test('a list goes through all pages, and begins with a prefix', async (t) => {
  const server = await startServer(t);
  const names = Array.from({ length: 1203 }, (_, i) => `sip:user${String(i).padStart(5, '0')}@example.com`);
  const body = names.map((xui) => `${JSON.stringify({ xui })}\n`).join('');
  await server.manage('POST', '/api/v1/import', {
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  const { stdout } = await commandLine(server)('user', 'list', '--json');
  t.strictSame(
    jsonLines(stdout).map((item) => (item as { xui: string }).xui),
    names,
  );
  t.equal(
    (await commandLine(server)('user', 'list', 'sip:user0000')).stdout.trimEnd().split('\n').length,
    10,
  );
  t.match(await commandLine(server)('user', 'list', 'sip:nobody'), { code: 0, stdout: '' });
});

t.test('identities', async (t) => {
  const server = await startServer(t);
  const run = commandLine(server);
  await run('user', 'add', alice);
  t.match(await run('identity', 'add', alice, 'tel:+1-555-0100'), { code: 0, stderr: '' });
  t.match(jsonLines((await run('user', 'show', 'tel:+15550100', '--json')).stdout), [{ xui: alice }]);
  t.match(await run('identity', 'rm', alice, 'tel:+15550100'), { code: 2, stderr: /--yes/ });
  t.match(await run('identity', 'rm', alice, 'tel:+15550100', '--yes', '--json'), {
    code: 0,
    stdout: /"removed":true/,
  });
  t.match(await run('identity', 'rm', alice, 'tel:+15550100', '--yes'), {
    code: 1,
    stderr: 'xcapd: There is no such identity.\n',
  });
  t.match(await run('identity', 'rm', alice, alice, '--yes'), {
    code: 1,
    stderr: /stays as long as they do/,
  });
});

t.test('passwords from standard input', async (t) => {
  const server = await startServer(t);
  const environment = { XCAPD_URL: `http://127.0.0.1:${server.managementPort}` };
  const withInput = (input: string, ...words: string[]) => runCommand(words, { environment, input });
  const stored = async () => {
    const { body } = await server.manage('GET', '/api/v1/export?include=credentials');
    return jsonLines(body)[0] as { passwordHash?: string; digest?: unknown[] };
  };
  t.match(await withInput('one\n', 'user', 'add', alice, '--password-stdin'), { code: 0, stderr: '' });
  const { passwordHash } = await stored();
  t.match(passwordHash, /^\$scrypt/);
  t.strictSame(await withInput('two\n', 'user', 'passwd', alice, '--password-stdin'), {
    code: 0,
    stdout: `${alice} has a new password.\n`,
    stderr: '',
  });
  t.not((await stored()).passwordHash, passwordHash);
  t.match(await withInput('\n', 'user', 'passwd', alice, '--password-stdin'), { code: 2, stderr: /empty/ });
  t.match(await withInput('three\n', 'user', 'passwd', alice), { code: 2, stderr: /--password-stdin/ });
  t.match(await withInput('', 'user', 'passwd', alice, '--remove', '--yes'), { code: 0 });
  t.notOk((await stored()).passwordHash);
  t.match(await withInput('four', 'user', 'passwd', alice, 'five'), {
    code: 2,
    stderr: /too many arguments/,
  });
});

t.test('on a terminal', needs('script'), async (t) => {
  const server = await startServer(t);
  await commandLine(server)('user', 'add', alice);
  const environment = {
    PATH: process.env.PATH,
    XCAPD_URL: `http://127.0.0.1:${server.managementPort}`,
  };
  const dialogue = (words: string, answers: readonly (readonly [question: RegExp, answer: string])[]) =>
    new Promise<string>((resolve, reject) => {
      const command = `${process.execPath} ${programFile} ${words}`;
      const child = execFile(peerProgram('script'), ['-qec', command, '/dev/null'], { env: environment });
      let output = '';
      let answered = 0;
      child.stdout?.on('data', (text: string) => {
        output += text;
        const next = answers[answered];
        if (next?.[0].test(output) !== true) return;
        answered++;
        child.stdin?.write(next[1]);
      });
      child.on('error', reject).on('close', (code) => resolve(`${output}exit ${code}`));
    });

  const password = /Password: /;
  const repetition = /again: /;
  const changed = await dialogue(`user passwd ${alice}`, [
    [password, 'secret\r'],
    [repetition, 'secret\r'],
  ]);
  t.match(changed, /has a new password\.\r\nexit 0$/);
  t.notMatch(changed, /secret/, 'without echo');
  const different = await dialogue(`user passwd ${alice}`, [
    [password, 'secret\r'],
    [repetition, 'sceret\r'],
  ]);
  t.match(different, /The two passwords differ\.\r\nexit 1$/);
  t.match(await dialogue(`user passwd ${alice}`, [[password, '\x03']]), /Nothing was done\.\r\nexit 1$/);

  const question = /\[y\/N\] /;
  t.match(await dialogue(`user rm ${alice}`, [[question, '\r']]), /Nothing was done\.\r\nexit 1$/);
  t.match(await dialogue(`user rm ${alice}`, [[question, 'y\r']]), /was erased\.\r\nexit 0$/);
});
