import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commandLine, jsonLines } from '../fixtures/command-line.js';
import { temporaryDirectory } from '../fixtures/serve.js';
import { startServer } from '../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const document = `resource-lists/users/${alice}/index`;

function list(name: string): string {
  return `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">\n  <list name="${name}"/>\n</resource-lists>\n`;
}

t.test('user set', async (t) => {
  const run = commandLine(await startServer(t));
  await run('user', 'add', alice, '--impi', 'alice@ims');
  t.match(await run('user', 'set', alice, '--no-impi', '--profile', 'gold', '--max-bytes', '1000'), {
    code: 0,
    stdout: `${alice} was changed.\n`,
  });
  const [shown] = jsonLines((await run('user', 'show', alice, '--json')).stdout);
  t.match(shown, { profile: 'gold', quota: { bytes: 1000 } });
  t.notMatch(shown, { impi: /./ });
  const [changed] = jsonLines(
    (await run('user', 'set', alice, '--no-profile', '--max-bytes', 'none', '--json')).stdout,
  );
  t.match(changed, { xui: alice, quota: {} });
  t.notMatch(changed, { profile: /./ });
  t.match(await run('user', 'set', alice), { code: 2, stderr: /Nothing is to be changed/ });
  t.match(await run('user', 'set', alice, '--max-bytes', 'many'), { code: 2, stderr: /'none'/ });
});

t.test('roles and grants', async (t) => {
  const run = commandLine(await startServer(t));
  await run('user', 'add', alice);
  t.match(await run('role', 'set', bob, 'support'), { code: 0, stdout: `${bob} has the role support.\n` });
  t.match(await run('role', 'set', bob, 'king'), {
    code: 1,
    stderr: /trusted-element, administrator, support/,
  });
  t.equal((await run('role', 'ls')).stdout, `${bob}  support\n`);
  t.match(await run('role', 'rm', bob), { code: 2, stderr: /--yes/ });
  t.match(await run('role', 'rm', bob, '--yes'), { code: 0 });
  t.match(await run('role', 'rm', bob, '--yes'), { code: 1, stderr: /no such role/ });

  const until = ['--until', '2099-01-31'];
  const made = await run('grant', 'add', alice, '--to', bob, ...until, '--auid', 'resource-lists', '--json');
  const [grant] = jsonLines(made.stdout) as { id: string }[];
  t.match(grant, {
    grantee: bob,
    access: 'read',
    auid: 'resource-lists',
    expiresAt: '2099-01-31T00:00:00.000Z',
  });
  const row = `${grant?.id ?? ''}  ${alice}  →  ${bob}  read  resource-lists  until 2099-01-31T00:00:00.000Z\n`;
  t.equal((await run('grant', 'ls', alice)).stdout, row);
  t.equal((await run('grant', 'ls', bob, '--to')).stdout, row);
  t.equal((await run('grant', 'ls', bob, '--to', '--json')).stdout, made.stdout);
  t.match(await run('grant', 'add', alice, '--to', bob, '--until', 'soon'), { code: 2, stderr: /a date/ });
  t.match(await run('grant', 'add', alice, '--to', bob, ...until, '--path', 'index'), {
    code: 2,
    stderr: /--auid/,
  });
  t.match(await run('grant', 'rm', alice, grant?.id ?? '', '--yes'), { code: 0 });
  t.equal((await run('grant', 'ls', alice)).stdout, '');
});

t.test('what was written down', async (t) => {
  const server = await startServer(t);
  const run = commandLine(server);
  await run('user', 'add', alice);
  for (const name of ['a', 'b', 'c']) {
    await server.manage('PUT', `/api/v1/documents/${document}`, { body: list(name) });
  }
  const audit = await run('audit', alice);
  t.match(
    audit.stdout,
    /^\S+Z +loopback +document\.put +sip:alice@example\.com +auid=resource-lists path=index\n/,
  );
  t.match(jsonLines((await run('audit', '--json')).stdout).at(-1), { action: 'subscriber.create' });

  const diff = await run('doc', 'diff', document);
  t.equal(diff.code, 0);
  t.match(
    diff.stdout,
    /--- .*\tversion 2\n\+\+\+ .*\tversion 3\n[^]*\n- {2}<list name="b"\/>\n\+ {2}<list name="c"\/>\n/,
  );
  t.match(
    (await run('doc', 'diff', document, '1', '3')).stdout,
    /\n- {2}<list name="a"\/>\n\+ {2}<list name="c"\/>\n/,
  );
  t.match(jsonLines((await run('doc', 'diff', document, '1', '--json')).stdout), [
    { from: 1, to: 3, patch: /version 1/ },
  ]);
  t.match(await run('doc', 'diff', document, '9'), { code: 1, stderr: /no such version/ });
  t.match(await run('doc', 'diff', `resource-lists/users/${alice}/other`), {
    code: 1,
    stderr: /not two versions/,
  });

  const file = join(temporaryDirectory(t), 'alice.json');
  t.match(await run('archive', alice, '-o', file), { code: 0, stdout: '' });
  t.match(JSON.parse(readFileSync(file, 'utf8')), {
    subscriber: { xui: alice },
    documents: [{ path: 'index' }],
  });
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.match(JSON.parse((await run('archive', alice)).stdout), { subscriber: { xui: alice } });
});
