/** Backup and restore of the embedded database. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../fixtures/command-line.js';
import { serve, temporaryDirectory } from '../../fixtures/serve.js';

const path = '/api/v1/documents/resource-lists/users/sip:alice@example.com/index';
const body =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><!-- \t\n\\.\n --></resource-lists>';

t.test('the embedded database', async (t) => {
  const directory = temporaryDirectory(t);
  const environment = { XCAP_DATA_DIR: join(directory, 'data') };
  const run = (...words: string[]) => runCommand(words, { environment });
  const [running, stopped] = [join(directory, 'running.sql'), join(directory, 'stopped.sql')];
  t.match(await run('backup', running), { code: 1, stderr: /^xcapd: There is no database in / });
  const server = await serve(t, environment);
  await server.manage('PUT', path, { body });
  t.match(await run('backup', running), { code: 0, stderr: '' }, 'while the server runs');
  t.match(await run('restore', '--replace', running), {
    code: 1,
    stderr: /is in use by another running xcapd/,
  });
  await server.kill('SIGTERM');
  t.match(await run('backup', stopped), { code: 0, stderr: '' }, 'and without it');
  const textOf = (file: string) => readFileSync(file, 'utf8').replace(/^-- made by .*$/m, '');
  t.equal(textOf(stopped), textOf(running));

  const elsewhere = { XCAP_DATA_DIR: join(directory, 'elsewhere') };
  t.match(await runCommand(['restore', stopped], { environment: elsewhere }), { code: 0 });
  const restored = await serve(t, elsewhere);
  const found = await restored.manage('GET', path);
  t.equal(found.body, body);
});
