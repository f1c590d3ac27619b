import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageFolder } from '../../../src/package-files.js';
import { commandLine } from '../../fixtures/command-line.js';
import { temporaryDirectory } from '../../fixtures/serve.js';
import { startServer, type TestServer } from '../../fixtures/xcap-server.js';

/** Has the profiles `prepaid` and `residential`. */
async function startProvisioned(t: Test): Promise<TestServer> {
  const folder = join(temporaryDirectory(t), 'profiles');
  cpSync(join(packageFolder, 'profiles'), folder, { recursive: true });
  return startServer(t, { environment: { XCAP_PROFILES_DIR: folder } });
}

const json = { 'content-type': 'application/json' };
const sentence =
  "There is no profile 'residental'; there are 'prepaid', 'residential'. " +
  'With force=true it is given all the same, and counts when it is there.';
const refusal = { status: 409, detail: sentence, code: 'unknown-profile' };

t.test('a subscriber gets no profile that is not there', async (t) => {
  const { manage } = await startProvisioned(t);
  const ask = async (method: string, target: string, body?: object) => {
    const sent = body === undefined ? {} : { headers: json, body: JSON.stringify(body) };
    const { status, body: text } = await manage(method, `/api/v1${target}`, sent);
    return { status, body: text === '' ? undefined : (JSON.parse(text) as object) };
  };
  const xui = 'sip:alice@example.com';
  const misspelt = { xui, profile: 'residental' };
  t.match(await ask('POST', '/subscribers', misspelt), { status: 409, body: refusal });
  t.equal((await ask('GET', `/subscribers/${xui}`)).status, 404, 'nothing was made');
  t.match(await ask('POST', '/subscribers?force=false', misspelt), { status: 409 });
  t.match(await ask('POST', '/subscribers?force=yes', misspelt), { status: 400 }, 'a value of its own');

  t.match(await ask('POST', '/subscribers', { xui, profile: 'residential' }), { status: 201 });
  const changed = { profile: 'residental', isDisabled: true };
  t.match(await ask('PATCH', `/subscribers/${xui}`, changed), { status: 409, body: refusal });
  const unchanged = { profile: 'residential', isDisabled: false };
  t.match(await ask('GET', `/subscribers/${xui}`), { body: unchanged }, 'nothing was changed');
  t.match(await ask('PATCH', `/subscribers/${xui}?force=true`, changed), { status: 200, body: changed });
  t.match(await ask('PATCH', `/subscribers/${xui}`, { isDisabled: false }), {
    status: 200,
    body: { profile: 'residental' },
  });
  t.match(
    await ask('PATCH', `/subscribers/${xui}`, { profile: null }),
    { status: 200 },
    'none is always there',
  );
  t.match(await ask('POST', '/subscribers?force=true', { ...misspelt, xui: 'sip:bob@example.com' }), {
    status: 201,
    body: { profile: 'residental' },
  });
});

t.test('nor by an import', async (t) => {
  const { manage } = await startProvisioned(t);
  const body = [
    { xui: 'sip:alice@example.com', profile: 'residental' },
    { xui: 'sip:bob@example.com', profile: 'residential' },
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
  const headers = { 'content-type': 'application/x-ndjson' };
  const linesOf = async (target: string) =>
    (await manage('POST', target, { headers, body })).body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
  t.match(await linesOf('/api/v1/import'), [
    { line: 1, error: sentence, code: 'unknown-profile' },
    { imported: 1 },
    { done: true, imported: 1, refused: 1 },
  ]);
  t.match((await linesOf('/api/v1/import?force=true')).at(-1), { done: true, imported: 1, refused: 1 });
});

t.test('on the command line', async (t) => {
  const run = commandLine(await startProvisioned(t));
  const add = ['user', 'add', 'sip:alice@example.com', '--profile', 'residental'];
  t.match(await run(...add), { code: 1, stdout: '', stderr: `xcapd: ${sentence.slice(0, 60)}` });
  t.match(await run(...add, '--force'), { code: 0, stderr: '' });
  t.match((await run('user', 'show', 'sip:alice@example.com')).stdout, /^profile: +residental$/m);
});

t.test('where nobody is provisioned, names are kept for whoever provisions', async (t) => {
  const { manage } = await startServer(t);
  const body = JSON.stringify({ xui: 'sip:alice@example.com', profile: 'any' });
  t.equal((await manage('POST', '/api/v1/subscribers', { headers: json, body })).status, 201);
});
