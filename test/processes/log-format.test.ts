/** What the program writes: JSON and nothing else, or lines for people. */
import t, { type Test } from 'tap';
import { readableLine } from '../../src/processes/log-lines.js';
import { jsonLines } from '../fixtures/command-line.js';
import { cloneDatabase } from '../fixtures/database.js';
import { client } from '../fixtures/http-client.js';
import { needs, peerProgram } from '../fixtures/peers.js';
import {
  childrenOf,
  programFile,
  sendSignal,
  serve,
  startProgram,
  until,
  urlOf,
  type Program,
} from '../fixtures/serve.js';

const caps = '/xcap-root/xcap-caps/global/index';

t.test('a stream of JSON has nothing else in it', async (t) => {
  const served = await serve(t, { DATABASE_URL: urlOf(await cloneDatabase(t)) });
  t.equal((await served.send('GET', caps)).status, 200);
  t.equal((await served.send('GET', '/elsewhere')).status, 404);
  sendSignal(served.pid, 'SIGHUP');
  await served.wrote(/the certificate was read again/);
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
  const lines = jsonLines(served.output()) as { msg: string }[];
  t.match(
    lines.find(({ msg }) => msg === 'xcapd listens'),
    { level: 30, url: /^http:.*\/xcap-root\/$/, management: /\/docs$/, usages: Array, example: /^curl / },
  );
  t.ok(lines.some(({ msg }) => msg === 'request'));
  t.equal(lines.at(-1)?.msg, 'stopped');
});

/** One request, and what there is to read of it. */
async function checkText(t: Test, program: Program): Promise<void> {
  const [, port] = await program.wrote(/^xcapd listens on http:\/\/127\.0\.0\.1:(\d+)\/xcap-root\//m);
  await program.wrote(/^ {2}try: +curl /m);
  t.equal((await client(Number(port), false)('GET', caps)).status, 200);
  const [line] = await program.wrote(/^.* request .*$/m);
  t.match(
    line,
    /^\d\d:\d\d:\d\d info {2}request resource=document status=200 asker=sip:alice@example.com .*method=GET/,
  );
}

async function environment(t: Test) {
  const database = urlOf(await cloneDatabase(t));
  return { PORT: '0', ADMIN_PORT: '0', XCAP_OPEN_PROVISIONING: 'true', DATABASE_URL: database };
}

t.test('LOG_FORMAT=text', async (t) => {
  const program = startProgram(t, { environment: { ...(await environment(t)), LOG_FORMAT: 'text' } });
  await checkText(t, program);
  t.strictSame(await program.kill('SIGTERM'), { code: 0, signal: null });
  t.match(program.output(), /info {2}stopped\n$/);
});

t.test('on a terminal', needs('script'), async (t) => {
  // It is in a session of its own there, and must not outlive a test that is cut short.
  const command = `exec timeout -k 1 120 ${process.execPath} ${programFile} serve`;
  const terminal = startProgram(t, {
    command: [peerProgram('script'), '-qec', command, '/dev/null'],
    arguments: [],
    environment: await environment(t),
  });
  await checkText(t, terminal);
  const [timeout] = childrenOf(terminal.pid);
  sendSignal(timeout?.pid ?? 0, 'SIGTERM');
  await until('it ends', () => /info {2}stopped/.test(terminal.output()));
});

t.test('lines for people', (t) => {
  const time = new Date(2026, 10, 27, 9, 5, 7).getTime();
  const line = (facts: object) => readableLine(`${JSON.stringify({ level: 30, time, pid: 1, ...facts })}\n`);
  t.equal(
    line({ msg: 'request', status: 404, sentence: 'There is none.' }),
    '09:05:07 info  request status=404 sentence="There is none."\n',
  );
  t.equal(line({ level: 50, msg: 'x', a: { b: 1 } }), '09:05:07 error x a={"b":1}\n');
  t.equal(
    line({ msg: 'x', err: { stack: 'Error: y\n  at z' } }),
    '09:05:07 info  x\n    Error: y\n      at z\n',
  );
  t.equal(
    line({ msg: 'move \u009b2J', name: '\u202eabc' }),
    '09:05:07 info  move \\u009b2J name=\\u202eabc\n',
  );
  t.equal(readableLine('as it is\n'), 'as it is\n');
  t.end();
});
