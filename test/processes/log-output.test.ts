import { join } from 'node:path';
import t from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { freePort } from '../fixtures/free-port.js';
import { client } from '../fixtures/http-client.js';
import { programFile, startProgram, temporaryDirectory, until, urlOf, workersOf } from '../fixtures/serve.js';

/** Where standard output goes is no file that takes lines: the script starts the program in its place. */
const outputs = [
  { what: 'a full disk', script: 'exec "$0" "$@" > /dev/full' },
  { what: 'a reader that has gone', script: 'mkfifo out; true < out & exec "$0" "$@" > out' },
];

for (const { what, script } of outputs) {
  t.test(`a log that goes to ${what} stops nobody`, async (t) => {
    const [port, managementPort] = await Promise.all([freePort(), freePort()]);
    const program = startProgram(t, {
      command: ['/bin/sh', '-c', script, process.execPath, programFile],
      directory: temporaryDirectory(t),
      environment: {
        DATABASE_URL: urlOf(await cloneDatabase(t)),
        PORT: String(port),
        ADMIN_PORT: String(managementPort),
        LOG_LEVEL: 'info',
        XCAP_DATA_DIR: join(temporaryDirectory(t), 'data'),
      },
    });
    const statusOf = (port: number, path: string) =>
      client(port, false)('GET', path).then(({ status }) => status, String);
    await until('the server is ready', async () => (await statusOf(managementPort, '/health/ready')) === 200);
    // The supervisor writes its own lines when workers are ready, on a signal and at the end.
    const workers = workersOf(program);
    for (let i = 0; i < 20; i++) t.equal(await statusOf(port, '/xcap-root/xcap-caps/global/index'), 200);
    process.kill(program.pid, 'SIGHUP');
    t.equal(await statusOf(managementPort, '/metrics'), 200);
    t.strictSame(workersOf(program), workers, 'the workers are the same');
    t.strictSame(await program.kill('SIGTERM'), { code: 0, signal: null }, 'it stops in order');
    t.equal(program.output(), '', 'there is no stack trace');
  });
}
