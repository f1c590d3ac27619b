import t from 'tap';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { haveOwnSockets } from '../../src/processes/sockets.js';
import { cloneDatabase } from '../fixtures/database.js';
import { freePort } from '../fixtures/free-port.js';
import { runProgram, sendSignal, serve, urlOf, workersOf } from '../fixtures/serve.js';

t.test('where workers listen by themselves', (t) => {
  const cases: readonly [
    platform: string,
    version: string,
    ports: readonly [number, number],
    own: boolean,
  ][] = [
    ['linux', 'v23.1.0', [8080, 8081], true],
    ['linux', 'v24.21.0', [8080, 8081], true],
    ['linux', 'v100.0.0', [8080, 8081], true],
    ['linux', 'v23.0.0', [8080, 8081], false],
    ['linux', 'v22.23.1', [8080, 8081], false],
    ['linux', 'v20.20.2', [8080, 8081], false],
    ['linux', 'v24.21.0', [0, 8081], false],
    ['linux', 'v24.21.0', [8080, 0], false],
    ['darwin', 'v24.21.0', [8080, 8081], false],
  ];
  for (const [platform, version, [port, adminPort], own] of cases) {
    const addresses = { host: '127.0.0.1', port, adminHost: '127.0.0.1', adminPort };
    t.equal(
      haveOwnSockets(addresses, { platform, version }),
      own,
      `${platform} ${version} ${port} ${adminPort}`,
    );
  }
  t.end();
});

const target = '/xcap-root/xcap-caps/global/index';

t.test('connections on their way to a worker that dies', async (t) => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const environment = { PORT: String(port), ADMIN_PORT: String(adminPort), XCAP_WORKERS: '2' };
  const served = await serve(t, { DATABASE_URL: urlOf(await cloneDatabase(t)), ...environment });
  const [victim = 0] = workersOf(served);
  const ask = () =>
    served.send('GET', target).then(
      ({ status }) => status,
      () => 'broken',
    );
  sendSignal(victim, 'SIGSTOP');
  const asked = Array.from({ length: 20 }, ask);
  await Promise.race(asked);
  sendSignal(victim, 'SIGKILL');
  const [line] = await served.wrote(new RegExp(`"worker":${victim},.*"signal":"SIGKILL".*a worker died`));
  t.ok(line);
  const settled = await Promise.all(asked.map((one) => Promise.race([one, sleep(5000, 'silence')])));
  const own = haveOwnSockets({ host: '', port, adminHost: '', adminPort });
  const silent = settled.filter((outcome) => outcome === 'silence').length;
  if (own) t.equal(silent, 0, 'each is answered or breaks');
  // node:cluster hands one connection at a time to a worker.
  else t.ok(silent <= 1, 'one at most is never answered');
  t.ok(settled.filter((outcome) => outcome === 200).length > 0, 'the other worker answers');
  const later = await Promise.all(Array.from({ length: 20 }, ask));
  t.strictSame([...new Set(later)], [200], 'connections that are made later are served');
});

t.test('the port of another program, and of another server of the same user', async (t) => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const environment = {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    PORT: String(port),
    ADMIN_PORT: String(adminPort),
    LOG_LEVEL: 'fatal',
  };
  const inUse = new RegExp(`^xcapd: 127\\.0\\.0\\.1:${port} is in use by another program: .*PORT`, 'm');
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  t.match(await runProgram(t, { environment }), { code: 1, output: inUse });
  other.close();
  await once(other, 'close');

  const served = await serve(t, environment);
  const second = { ...environment, ADMIN_PORT: String(await freePort()) };
  t.match(await runProgram(t, { environment: second }), { code: 1, output: inUse });
  t.equal((await served.send('GET', target)).status, 200, 'the first one goes on');
});
