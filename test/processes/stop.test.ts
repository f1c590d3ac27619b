import { existsSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { client } from '../fixtures/http-client.js';
import { alice, keepWriting, missing, resourceList } from '../fixtures/resource-lists.js';
import {
  isAlive,
  postmasterOf,
  sendSignal,
  serve,
  temporaryDirectory,
  until,
  workersOf,
  type Served,
} from '../fixtures/serve.js';

const data = join(temporaryDirectory(t), 'data');

/** A PUT whose head has arrived and whose body comes later. */
function slowPut(port: number, path: string, body: string) {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const head = [
    `PUT ${path} HTTP/1.1`,
    'Host: localhost',
    'X-3GPP-Asserted-Identity: "sip:alice@example.com"',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Expect: 100-continue',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  return {
    arrived: () => until('100 Continue', () => received.startsWith('HTTP/1.1 100')),
    async finish() {
      socket.write(body);
      await closed;
      return received;
    },
  };
}

async function refusesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(false)).on('error', () => resolve(true));
    socket.on('close', () => socket.destroy());
  });
}

async function stopsInOrder(t: Test, served: Served, signal: NodeJS.Signals): Promise<void> {
  const postmaster = postmasterOf(data) ?? 0;
  const workers = workersOf(served);
  t.ok(isAlive(postmaster), 'PostgreSQL runs');
  t.equal(workers.length, 1, 'one worker runs');
  const idle = new http.Agent({ keepAlive: true });
  t.teardown(() => idle.destroy());
  await client(served.port, idle)('GET', `${alice}/index`);
  const put = slowPut(served.port, `${alice}/${signal}`, resourceList(signal));
  await put.arrived();

  const since = performance.now();
  const end = served.kill(signal);
  await served.wrote(/stopping: requests in flight are finished/);
  await until('new connections are refused', () => refusesConnections(served.port));
  await sleep(100);
  t.ok(isAlive(postmaster), 'PostgreSQL waits for the request in flight');
  t.match(await put.finish(), /HTTP\/1\.1 201 /, 'the request in flight is answered');

  t.strictSame(await end, { code: 0, signal: null }, 'the exit code is 0');
  const milliseconds = Math.round(performance.now() - since);
  t.comment(`stopped ${milliseconds} ms after ${signal}`);
  t.notOk(isAlive(postmaster), 'PostgreSQL is gone');
  t.notOk(workers.some(isAlive), 'the worker is gone');
  t.notOk(existsSync(join(data, 'xcapd.lock')), 'the lock is gone');
}

t.test('SIGTERM, then a new start, then SIGINT', async (t) => {
  await stopsInOrder(t, await serve(t, { XCAP_DATA_DIR: data }), 'SIGTERM');
  const again = await serve(t, { XCAP_DATA_DIR: data });
  t.strictSame(await missing(again.send, ['SIGTERM']), [], 'the document of the request in flight is there');
  await stopsInOrder(t, again, 'SIGINT');
});

t.test('Ctrl-C, which reaches all processes of the group', async (t) => {
  const served = await serve(t, { XCAP_DATA_DIR: data });
  const put = slowPut(served.port, `${alice}/group`, resourceList('group'));
  await put.arrived();
  sendSignal(-served.pid, 'SIGINT');
  await served.wrote(/stopping: requests in flight are finished/);
  t.match(await put.finish(), /HTTP\/1\.1 201 /, 'the request in flight is answered');
  t.strictSame(await served.ended, { code: 0, signal: null });
});

t.test('SIGTERM while a worker starts', async (t) => {
  const served = await serve(t, { XCAP_DATA_DIR: data, XCAP_WORKERS: '2' });
  const [victim = 0, other = 0] = workersOf(served);
  sendSignal(victim, 'SIGKILL');
  await until('another one has begun to start', () =>
    workersOf(served).some((pid) => pid !== victim && pid !== other),
  );
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});

t.test('kill -9 of the supervisor', async (t) => {
  const served = await serve(t, { XCAP_DATA_DIR: data, XCAP_WORKERS: '2' });
  const processes = [...workersOf(served), postmasterOf(data) ?? 0];
  t.equal(processes.length, 3);
  const writers = ['a', 'b', 'c'].map((prefix) => keepWriting(served.send, prefix));
  const written = () => writers.flatMap(({ acknowledged }) => acknowledged);
  await until('some documents are written', () => written().length > 100);
  const since = performance.now();
  t.strictSame(await served.kill('SIGKILL'), { code: null, signal: 'SIGKILL' });
  await Promise.all(writers.map(({ ended }) => ended));
  await until('workers and PostgreSQL end by themselves', () => !processes.some(isAlive));
  t.comment(`workers and PostgreSQL were gone after ${Math.round(performance.now() - since)} ms`);

  const again = await serve(t, { XCAP_DATA_DIR: data });
  t.comment(`${written().length} documents were acknowledged`);
  t.strictSame(await missing(again.send, written()), [], 'every acknowledged document is there');
});
