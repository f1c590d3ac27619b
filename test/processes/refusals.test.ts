import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { runProgram, serve, temporaryDirectory, urlOf } from '../fixtures/serve.js';

/** Nothing that only a programmer understands. */
const notForUsers = /^ +at |node:|Error:|\{"/m;

t.test('a configuration that cannot be meant', async (t) => {
  const cases: readonly [environment: Record<string, string>, message: RegExp][] = [
    [{ XCAP_FOO: '1' }, /XCAP_FOO/],
    [{ PORT: 'abc' }, /PORT must be integer/],
    [{ XCAP_WORKERS: '0' }, /XCAP_WORKERS must be >= 1/],
    [
      { XCAP_TRUSTED_PROXIES: '10.0.0.0/8,proxy.example.com' },
      /XCAP_TRUSTED_PROXIES has 'proxy\.example\.com'/,
    ],
    [{ XCAP_TLS_KEY: '/etc/key.pem' }, /XCAP_TLS_KEY is set, XCAP_TLS_CERT is not/],
    [{ XCAP_TLS_CERT: '/etc/cert.pem' }, /XCAP_TLS_CERT is set, XCAP_TLS_KEY is not/],
    [{ DATABASE_URL: 'mysql://u:topsecret@h/d' }, /DATABASE_URL/],
  ];
  const results = await Promise.all(cases.map(([environment]) => runProgram(t, { environment })));
  for (const [i, [environment, message]] of cases.entries()) {
    const name = JSON.stringify(environment);
    t.equal(results[i]?.code, 1, name);
    t.match(results[i]?.output, message, name);
    t.match(results[i]?.output, /^xcapd: .*\n$/, `${name}: one line`);
    t.notMatch(results[i]?.output, notForUsers, `${name}: for the operator`);
    t.notMatch(results[i]?.output, /topsecret/, `${name}: no secrets`);
  }
});

t.test('the command line', async (t) => {
  const cases: readonly [command: string, code: number, output: RegExp][] = [
    ['--help', 0, /Usage: xcapd .*serve .*migrate .*user .*Exit codes:.*README\.md/s],
    ['--version', 0, /^\d+\.\d+\.\d+\n$/],
    ['frobnicate', 2, /^error: unknown command 'frobnicate'/],
    ['--frobnicate', 2, /^error: unknown option/],
  ];
  const results = await Promise.all(cases.map(([command]) => runProgram(t, { arguments: [command] })));
  for (const [i, [command, code, output]] of cases.entries()) {
    t.match(results[i], { code, output }, command);
    t.notMatch(results[i]?.output, notForUsers, command);
  }
});

async function occupiedPort(t: Test): Promise<string> {
  const server = createServer();
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' ? String(address?.port) : '';
}

t.test('what the machine does not give', async (t) => {
  const port = await occupiedPort(t);
  const directory = temporaryDirectory(t);
  const broken = join(directory, 'broken.pem');
  writeFileSync(broken, 'no certificate');
  const common = {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    PORT: '0',
    ADMIN_PORT: '0',
    LOG_LEVEL: 'fatal',
  };
  const cases: readonly [environment: Record<string, string>, message: RegExp][] = [
    [
      { PORT: port, XCAP_WORKERS: '2' },
      new RegExp(`127\\.0\\.0\\.1:${port} is in use by another program: .*PORT`),
    ],
    [{ ADMIN_PORT: port }, new RegExp(`127\\.0\\.0\\.1:${port} is in use by another program: .*ADMIN_PORT`)],
    [{ HOST: '192.0.2.1' }, /192\.0\.2\.1 is no address of this machine: .*HOST/],
    [{ XCAP_TLS_CERT: '/nonexistent.pem', XCAP_TLS_KEY: broken }, /XCAP_TLS_CERT .*nonexistent\.pem/],
    [{ XCAP_TLS_CERT: broken, XCAP_TLS_KEY: broken }, /XCAP_TLS_CERT and XCAP_TLS_KEY cannot be used/],
  ];
  const results = await Promise.all(
    cases.map(([environment]) => runProgram(t, { environment: { ...common, ...environment } })),
  );
  for (const [i, [environment, message]] of cases.entries()) {
    const name = JSON.stringify(environment);
    t.equal(results[i]?.code, 1, name);
    t.match(results[i]?.output, message, name);
    t.notMatch(results[i]?.output, notForUsers, `${name}: for the operator`);
  }
});

t.test('a second server on the same data directory', async (t) => {
  const data = join(temporaryDirectory(t), 'data');
  const served = await serve(t, { XCAP_DATA_DIR: data });
  const { code, output } = await runProgram(t, { environment: { XCAP_DATA_DIR: data } });
  t.equal(code, 1);
  t.match(
    output,
    new RegExp(
      `^xcapd: The data directory .* is in use by another running xcapd, process ${served.pid} .*\\n$`,
    ),
  );
  t.equal((await served.manage('GET', '/health/ready')).status, 200, 'the first one goes on');
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});

t.test('workers that cannot serve end the program with the reason', async (t) => {
  const directory = temporaryDirectory(t);
  const environment = { DATABASE_URL: urlOf(await cloneDatabase(t)), PORT: '0', ADMIN_PORT: '0' };
  const cases: readonly [name: string, preloaded: string, message: RegExp][] = [
    [
      'a native module of another Node.js',
      "process.dlopen = () => { throw new Error('The module was compiled against a different Node.js version.'); };",
      /^xcapd: The module was compiled against a different Node\.js version\.$/m,
    ],
    [
      'a crash at the start',
      "if (process.argv[1]?.endsWith('worker.js')) process.kill(process.pid, 'SIGKILL');",
      /^xcapd: The workers die before they can answer requests \(SIGKILL\)/m,
    ],
  ];
  for (const [name, preloaded, message] of cases) {
    const file = join(directory, 'preloaded.cjs');
    writeFileSync(file, preloaded);
    const { code, output } = await runProgram(t, {
      environment: { ...environment, NODE_OPTIONS: `--require ${file}` },
    });
    t.equal(code, 1, name);
    t.match(output, message, name);
  }
});
