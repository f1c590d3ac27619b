import http from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { client } from '../fixtures/http-client.js';
import { keepWriting, missing } from '../fixtures/resource-lists.js';
import {
  isAlive,
  postmasterOf,
  sendSignal,
  serve,
  temporaryDirectory,
  until,
  urlOf,
  workersOf,
  type Served,
} from '../fixtures/serve.js';

t.test('kill -9 of PostgreSQL', async (t) => {
  const data = join(temporaryDirectory(t), 'data');
  const served = await serve(t, { XCAP_DATA_DIR: data });
  const workers = workersOf(served);
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  // More than can be under way: they share commits.
  const writers = Array.from({ length: 24 }, (_, i) =>
    keepWriting(client(served.port, agent), `writer${i}-`),
  );
  const answers = () => writers.flatMap((writer) => writer.answers);
  const written = () => writers.flatMap((writer) => writer.acknowledged);
  await until('some documents are written', () => written().length > 100);

  const postmaster = postmasterOf(data) ?? 0;
  const since = performance.now();
  sendSignal(postmaster, 'SIGKILL');
  const refusals = () => answers().filter(({ answer }) => answer.status === 503);
  await until('requests are refused', () => refusals().length > 0);
  const before = written().length;
  await until('documents are written again', () => written().length > before + 50);
  t.comment(`wrote again ${Math.round(performance.now() - since)} ms after the kill`);
  await Promise.all(writers.map((writer) => writer.stop()));

  t.strictSame([...new Set(answers().map(({ answer }) => answer.status))].sort(), [201, 503]);
  t.ok(
    refusals().every(({ answer }) => Number(answer.headers['retry-after']) > 0),
    'each 503 says when to try again',
  );
  const slowest = Math.round(Math.max(...refusals().map(({ milliseconds }) => milliseconds)));
  t.comment(`the slowest of ${refusals().length} refusals took ${slowest} ms`);
  t.not(postmasterOf(data), postmaster, 'another PostgreSQL runs');
  t.ok(isAlive(served.pid) && workers.every(isAlive), 'nothing else was restarted');
  t.strictSame(
    await missing(client(served.port, agent), written()),
    [],
    'every acknowledged document is there',
  );
});

/** A connection that is never replaced; gives whether it is still answered. */
function keptConnection(t: Test, { port }: Served): () => Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let isClosed = false;
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined).on('close', () => (isClosed = true));
  return async () => {
    received = '';
    if (!isClosed) socket.write(`HEAD ${capabilities} HTTP/1.1\r\nHost: localhost\r\n${asserted}\r\n\r\n`);
    await until('an answer, or the end', () => isClosed || received.endsWith('\r\n\r\n'));
    return !isClosed && received.startsWith('HTTP/1.1 200 ');
  };
}

const capabilities = '/xcap-root/xcap-caps/global/index';
const asserted = 'X-3GPP-Asserted-Identity: "sip:alice@example.com"';

/** Asks every 25 milliseconds, each time over a new connection, until the returned function is called. */
function keepAsking({ send }: Served) {
  const asked: { readonly since: number; readonly result: Promise<number | string> }[] = [];
  const timer = setInterval(() => {
    const result = send('GET', capabilities).then(({ status }) => status, String);
    asked.push({ since: performance.now(), result });
  }, 25);
  return () => {
    clearInterval(timer);
    return asked;
  };
}

t.test('a worker dies', async (t) => {
  const served = await serve(t, {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    XCAP_WORKERS: '2',
  });
  for (const signal of ['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const) {
    await t.test(signal, async (t) => {
      const listened = everListened(served);
      const connections = Array.from({ length: 6 }, () => keptConnection(t, served));
      const answered = () => Promise.all(connections.map((isAnswered) => isAnswered()));
      t.ok((await answered()).every(Boolean), 'connections to both workers are open');
      const stopAsking = keepAsking(served);
      const [victim = 0, other = 0] = workersOf(served);

      const since = performance.now();
      sendSignal(victim, signal);
      await served.wrote(new RegExp(`"worker":${victim},.*"signal":"${signal}".*a worker died`));
      // Connections that were on their way to it are lost; those that are made from now on are not.
      await sleep(50);
      const noticed = performance.now();
      const surviving = await answered();
      t.ok(surviving.includes(true) && surviving.includes(false), 'some were with it, the others go on');
      await until('a new worker listens', () => everListened(served) === listened + 1);
      const milliseconds = Math.round(performance.now() - since);
      t.comment(`replaced after ${milliseconds} ms`);
      t.ok(isAlive(other), 'the other worker lives on');
      t.strictSame(await answered(), surviving, 'and so do its connections');

      await sleep(200);
      const later = stopAsking().filter((request) => request.since > noticed);
      t.ok(later.length > 5, 'there were new connections all the time');
      const results = await Promise.all(later.map(({ result }) => result));
      t.strictSame([...new Set(results)], [200], 'and all of them were served');
    });
  }
});

/** How many workers have opened both listeners since the start. */
function everListened(served: Served): number {
  return (served.output().match(/Server listening/g)?.length ?? 0) / 2;
}
