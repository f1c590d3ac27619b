/** What the README says is what the server does. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { variables } from '../src/config/environment.js';
import { packageFolder } from '../src/package-files.js';
import { startServer } from './fixtures/xcap-server.js';

const readme = readFileSync(join(packageFolder, 'README.md'), 'utf8');

t.test('the table of variables', (t) => {
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\| (.*) \|$/gm)].map(
    ([, name, value, description]) => ({ name, description, default: value ?? '' }),
  );
  t.same(
    rows,
    Object.entries(variables).map(([name, variable]) => ({
      name,
      description: variable.description,
      default: String(variable.default),
    })),
  );
  t.end();
});

t.test('the test command is what CI runs', (t) => {
  const ci = readFileSync(join(packageFolder, '.ci/run'), 'utf8');
  t.match(ci, /^npm ci && npm test$/m);
  t.match(readme, /^npm ci && npm test$/m);
  t.end();
});

t.test('the first session', async (t) => {
  const { port } = await startServer(t);
  const session = /<!-- session -->\n\n```sh\n([^]*?)```/.exec(readme)?.[1] ?? '';
  const script = session.replace('127.0.0.1:8080', `127.0.0.1:${port}`).replaceAll('curl -i', 'curl -s -i');
  const { stdout } = await promisify(execFile)('sh', ['-c', script]);
  const expected = [...session.matchAll(/^# (HTTP.*|<.*)$/gm)].map(([, line = '']) => line);
  t.equal(expected.length, 8);
  let at = 0;
  for (const line of expected) {
    const found = stdout.indexOf(line, at);
    t.ok(found >= at, `${line} comes next in:\n${stdout.slice(at, at + 800)}`);
    at = Math.max(at, found) + line.length;
  }
});

t.test('the files it links to are there', (t) => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link = '']) => link);
  t.ok(links.length > 4);
  for (const link of links) t.doesNotThrow(() => readFileSync(join(packageFolder, link)), link);
  t.end();
});
