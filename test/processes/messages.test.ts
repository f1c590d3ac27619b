import http from 'node:http';
import t from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { client } from '../fixtures/http-client.js';
import { isAlive, sendSignal, serve, until, urlOf, workersOf } from '../fixtures/serve.js';

t.test('a worker dies while its supervisor has messages for it', async (t) => {
  const served = await serve(t, { DATABASE_URL: urlOf(await cloneDatabase(t)), XCAP_WORKERS: '2' });
  // The supervisor gives new connections to the workers in turn; kept ones it does not see.
  const connections = Array.from({ length: 8 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  t.teardown(() => connections.forEach((agent) => agent.destroy()));
  const [forMetrics, others] = [connections.slice(0, 4), connections.slice(4)];
  const ask = (agent: http.Agent, path: string) =>
    client(served.managementPort, agent)('GET', path).then(({ status }) => status, String);
  for (const agent of connections) t.equal(await ask(agent, '/health/live'), 200);
  const [victim = 0, other = 0] = workersOf(served);

  // All workers ask it for the metrics of all workers, and one of them is dead when it gets to that.
  sendSignal(served.pid, 'SIGSTOP');
  const asked = forMetrics.map((agent) => ask(agent, '/metrics'));
  // A worker that answers this has asked for the metrics before.
  for (const agent of others) t.equal(await ask(agent, '/health/live'), 200);
  sendSignal(victim, 'SIGKILL');
  await until('the worker is dead', () => !isAlive(victim));
  sendSignal(served.pid, 'SIGCONT');

  await served.wrote(new RegExp(`"worker":${victim},.*a worker died and is replaced`));
  await until('another one is there', () => workersOf(served).length === 2);
  t.ok(isAlive(served.pid), 'the supervisor lives on');
  t.ok(workersOf(served).includes(other), 'and the other worker');
  const statuses = await Promise.all(asked);
  t.equal(
    statuses.filter((status) => status === 200).length,
    2,
    'what the other worker was asked is answered',
  );
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});

t.test('what a worker has to be told while it starts, it is told then', async (t) => {
  const served = await serve(t, { DATABASE_URL: urlOf(await cloneDatabase(t)), XCAP_WORKERS: '2' });
  const [victim = 0, other = 0] = workersOf(served);
  const starting = () => workersOf(served).find((pid) => pid !== victim && pid !== other);
  sendSignal(victim, 'SIGKILL');
  await until('another one has begun to start', () => starting() !== undefined);
  sendSignal(served.pid, 'SIGHUP');
  t.equal((await served.manage('GET', '/metrics')).status, 200, 'nobody waits for its metrics');
  await served.wrote(new RegExp(`"pid":${starting() ?? 0},.*the certificate was read again`));
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});
