import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { sendSignal, serve, temporaryDirectory, urlOf } from '../fixtures/serve.js';

t.test('tokens are read again on SIGHUP by all workers', async (t) => {
  const file = join(temporaryDirectory(t), 'admin.tokens');
  writeFileSync(file, 'ann first-token-16-letters\n');
  const served = await serve(t, {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    XCAP_ADMIN_TOKEN_FILE: file,
    XCAP_WORKERS: '2',
  });
  /**
   * Each request goes over a connection of its own, so both workers are asked. All that are wrong are fewer than one worker
   * takes before it refuses whatever comes.
   */
  const statuses = async (token: string, requests = 4) => {
    const headers = { authorization: `Bearer ${token}` };
    const ask = async () => (await served.manage('GET', '/api/v1/subscribers', { headers })).status;
    return new Set(await Promise.all(Array.from({ length: requests }, ask)));
  };
  t.strictSame([...(await statuses('first-token-16-letters'))], [200]);
  t.strictSame([...(await statuses('second-token-16-letters'))], [401]);

  writeFileSync(file, 'bob second-token-16-letters\n');
  sendSignal(served.pid, 'SIGHUP');
  await served.wrote(/(the set of administrators’ tokens was read again[^]*){2}/);
  t.strictSame(
    [...(await statuses('first-token-16-letters'))],
    [401],
    'a token that was taken out opens nothing',
  );
  t.strictSame([...(await statuses('second-token-16-letters'))], [200]);

  writeFileSync(file, '# nobody\n');
  sendSignal(served.pid, 'SIGHUP');
  const [line] = await served.wrote(/^.*the set of administrators’ tokens could not be read.*$/m);
  t.match(JSON.parse(line), { level: 50, reason: 'XCAP_ADMIN_TOKEN_FILE has no token.' });
  t.notMatch(line, /second-token-16-letters/);
  t.strictSame([...(await statuses('second-token-16-letters'))], [200], 'the old ones stay');
  t.strictSame([...(await statuses('', 1))], [401], 'and nobody gets in without one');
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});
