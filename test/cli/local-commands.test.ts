/** Commands that need no server. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createProgram } from '../../src/cli/program.js';
import { packageFolder } from '../../src/package-files.js';
import { jsonLines, runCommand } from '../fixtures/command-line.js';

t.test('token', async (t) => {
  const [one, two] = await Promise.all([runCommand(['token']), runCommand(['token'])]);
  t.match(one, { code: 0, stdout: /^[A-Za-z0-9_-]{43}\n$/, stderr: '' });
  t.not(one.stdout, two.stdout);
});

t.test('usages', async (t) => {
  const { code, stdout } = await runCommand(['usages', '--json']);
  const auids = jsonLines(stdout).map((item) => (item as { auid: string }).auid);
  const folders = readdirSync(join(packageFolder, 'auids'), { withFileTypes: true });
  t.equal(code, 0);
  t.strictSame(auids, folders.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort());
  t.match(
    (await runCommand(['usages'])).stdout,
    /^resource-lists +index +application\/resource-lists\+xml$/m,
  );
});

t.test('check', async (t) => {
  const root = 'resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"';
  const folder = t.testdir({
    'good.xml': `<${root}/>`,
    'schema.xml': `<${root}>\n<list>\n<entry/></list></resource-lists>`,
    'malformed.xml': `<${root}>\n<list>\n</resource-lists>`,
    'unique.xml': `<${root}><list name="a"/><list name="a"/></resource-lists>`,
    'latin1.xml': Buffer.from([0x3c, 0xe4, 0x2f, 0x3e]),
  });
  const check = (file: string, ...words: string[]) =>
    runCommand(['check', join(folder, file), '--usage', 'resource-lists', ...words]);
  t.match(await check('good.xml'), { code: 0, stdout: /good\.xml: valid\n$/, stderr: '' });
  t.match(await check('schema.xml'), {
    code: 1,
    stdout: /schema\.xml:3: schema-validation-error: .*'uri' is required/,
    stderr: '',
  });
  t.match(await check('malformed.xml'), { code: 1, stdout: /malformed\.xml:3: not-well-formed: / });
  t.match(await check('latin1.xml'), { code: 1, stdout: /not-utf-8/ });
  t.match(jsonLines((await check('schema.xml', '--json')).stdout), [
    { valid: false, line: 3, condition: 'schema-validation-error', reason: /uri/ },
  ]);
  t.match(jsonLines((await check('unique.xml', '--json')).stdout), [
    { valid: false, condition: 'uniqueness-failure', reason: /.+/ },
  ]);
  t.match(jsonLines((await check('good.xml', '--json')).stdout), [{ valid: true }]);

  const fromInput = await runCommand(['check', '-', '--usage', 'resource-lists'], { input: `<${root}/>` });
  t.match(fromInput, { code: 0, stdout: '-: valid\n' });
  t.match(await check('none.xml'), { code: 2, stderr: /cannot be read/ });
  t.match(await runCommand(['check', 'x', '--usage', 'nothing']), {
    code: 2,
    stderr: /no application usage/,
  });
  t.match(await runCommand(['check', 'x']), { code: 2, stderr: /--usage/ });
  t.match(await check('good.xml', '--name', 'no/such/directory'), { code: 1, stdout: /no-parent/ });
  const limits = { environment: { XCAP_MAX_DOCUMENT_BYTES: '1024' }, input: ' '.repeat(2000) };
  t.match(await runCommand(['check', '-', '--usage', 'resource-lists'], limits), {
    code: 1,
    stdout: /1024 bytes/,
  });
});

t.test('check: whose document it is', async (t) => {
  const presence = {
    users: {
      'sip%3Aalice%40example.com': {
        index: '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com"/>',
      },
    },
  };
  const file = join(
    t.testdir({ 'pidf-manipulation': presence }),
    'pidf-manipulation/users/sip%3Aalice%40example.com/index',
  );
  const checkPresence = (...words: string[]) =>
    runCommand(['check', ...words, '--usage', 'pidf-manipulation']);
  t.match(await checkPresence(file), { code: 0 }, 'the owner is in the path');
  t.match(await checkPresence(file, '--user', 'sip:bob@example.com'), {
    code: 1,
    stdout: /that of sip:bob@/,
  });
  const input = presence.users['sip%3Aalice%40example.com'].index;
  const unknown = await runCommand(['check', '-', '--usage', 'pidf-manipulation'], { input });
  t.match(unknown, { code: 1, stdout: /judged as a document of sip:user@example\.com; --user says/ });
});

t.test('help', async (t) => {
  const help = async (words: readonly string[]) => (await runCommand([...words, '--help'])).stdout;
  const commands = createProgram().commands.flatMap((command) => [
    [command.name()],
    ...command.commands.map((below) => [command.name(), below.name()]),
  ]);
  t.ok(commands.length > 20);
  for (const words of [[], ...commands]) {
    t.match(await help(words), /Usage: .*\nExamples:\n {2}.*xcapd.*\nExit codes:\n.*3 /s, words.join(' '));
  }
});

t.test('wrong usage', async (t) => {
  const cases: readonly (readonly [words: string, message: RegExp])[] = [
    ['user', /^Usage: xcapd user/],
    ['usr list', /^error: unknown command 'usr'/],
    ['user lst', /^error: unknown command 'lst'/],
    ['user show', /^error: missing required argument 'xui'/],
    ['user list --yes', /^error: unknown option '--yes'/],
    ['import', /^xcapd: Say which file is imported/],
    ['import --from kamailio', /XCAPD_SOURCE_URL/],
    ['import --from asterisk postgres://h/d', /Allowed choices are kamailio, opensips, openxcap/],
  ];
  for (const [words, message] of cases) {
    t.match(await runCommand(words.split(' ')), { code: 2, stdout: '', stderr: message }, words);
  }
});

t.test('completion', async (t) => {
  const { code, stdout } = await runCommand(['completion', 'bash']);
  t.equal(code, 0);
  const complete = (...words: string[]) => {
    const array = words.map((word) => `'${word}'`).join(' ');
    const ask = `COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _xcapd; echo "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', `${stdout}\n${ask}`], { encoding: 'utf8' }).trim();
  };
  t.equal(complete('xcapd', 'us'), 'user usages');
  t.equal(complete('xcapd', 'user', 'pa'), 'passwd');
  t.equal(complete('xcapd', 'doc', 'get', 'x', '--v'), '--version');
  t.equal(complete('xcapd', 'check', 'READ'), '', 'files are left to bash');
  const zsh = await runCommand(['completion', 'zsh']);
  t.match(zsh, { code: 0, stdout: /^#compdef xcapd\n[^]*'xcapd user add'\) words=\(--identity / });
  const fish = await runCommand(['completion', 'fish']);
  t.match(fish, {
    code: 0,
    stdout: /\ncomplete -c xcapd -n '[^'\n]*from user; and not [^'\n]*' -a passwd\n/,
  });
});
