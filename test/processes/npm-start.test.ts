import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import {
  childrenOf,
  isAlive,
  postmasterOf,
  serve,
  temporaryDirectory,
  workersOf,
} from '../fixtures/serve.js';

t.test('SIGTERM to npm start ends the server and all that it started', async (t) => {
  const data = join(temporaryDirectory(t), 'data');
  const npm = await serve(
    t,
    { XCAP_DATA_DIR: data, XCAP_WORKERS: '2', npm_config_update_notifier: 'false' },
    // Without a build, which other tests would notice.
    { command: ['npm', 'start', '--ignore-scripts'], arguments: [], directory: packageFolder },
  );
  const [supervisor = { pid: 0, command: '' }, ...others] = childrenOf(npm.pid);
  t.match(supervisor.command, /^node \S*cli\.js serve$/, 'the server is in the place of the shell of npm');
  t.strictSame(others, []);
  const processes = [supervisor.pid, ...workersOf(supervisor), postmasterOf(data) ?? 0];
  t.equal(processes.length, 4);
  t.ok(processes.every(isAlive), 'supervisor, workers and PostgreSQL run');

  t.strictSame(await npm.kill('SIGTERM'), { code: 0, signal: null });
  t.match(npm.output(), /"msg":"stopped"/, 'requests in flight were finished');
  t.notOk(processes.some(isAlive), 'all are gone');
});
