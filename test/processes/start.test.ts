import { execFile, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { query } from '../fixtures/database.js';
import { alice, resourceList } from '../fixtures/resource-lists.js';
import {
  childrenOf,
  databaseIn,
  postmasterOf,
  programFile,
  serve,
  temporaryDirectory,
} from '../fixtures/serve.js';

const run = promisify(execFile);

t.test('a first start with nothing but a place for the data', async (t) => {
  const directory = temporaryDirectory(t);
  const data = join(directory, 'below', 'data');
  const served = await serve(t, { XCAP_DATA_DIR: data }, { directory });

  t.match(
    served.output(),
    /"usages":\[.*"pres-rules".*"resource-lists".*"xcap-caps"/,
    'it says what it serves',
  );
  const [banner] = await served.wrote(/^.*"msg":"xcapd listens".*$/m);
  const line = (JSON.parse(banner) as { example: string }).example;
  t.match(
    (await run('/bin/sh', ['-c', line])).stdout,
    /<xcap-caps/,
    'the line to try works as it is printed',
  );
  const status = await run('/bin/sh', ['-c', `${line} -sS -o /dev/null -w '%{http_code}'`]);
  t.equal(status.stdout, '200');
  t.equal(
    (await served.manage('GET', '/health/ready')).status,
    200,
    'the management listener is where it says',
  );

  t.ok(existsSync(join(data, 'postgres', 'PG_VERSION')), 'the data are where XCAP_DATA_DIR says');
  t.strictSame(readdirSync(directory), ['below'], 'and nowhere else');

  const body = resourceList('friends');
  const put = await served.send('PUT', `${alice}/index`, { body });
  t.equal(put.status, 201, put.body);
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });

  const again = await serve(t, { XCAP_DATA_DIR: data });
  const got = await again.send('GET', `${alice}/index`);
  t.match(
    got,
    { status: 200, body, headers: { etag: put.headers.etag } },
    'the document is there after a restart',
  );
  t.notMatch(again.output(), /Making a PostgreSQL cluster|brought up to date/, 'nothing is made twice');

  await t.test('PostgreSQL listens on no TCP port', async (t) => {
    const shown = await query<{ listen_addresses: string }>(databaseIn(data), 'show listen_addresses');
    t.strictSame(shown, [{ listen_addresses: '' }]);
    if (!existsSync('/proc/net/tcp')) return;
    const postmaster = postmasterOf(data) ?? 0;
    const processes = [postmaster, ...childrenOf(postmaster).map(({ pid }) => pid)];
    t.ok(processes.length > 3, 'its processes are found');
    const own = processes.flatMap(socketsOf);
    t.ok(own.length > 0, 'and their sockets');
    const tcp = ['/proc/net/tcp', '/proc/net/tcp6'].filter(existsSync).flatMap(inodesOf);
    t.strictSame(
      own.filter((inode) => tcp.includes(inode)),
      [],
    );
  });
});

/** The inodes of the sockets that a process has open. */
function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, name)))?.[1] ?? [];
    } catch {
      return []; // Closed since.
    }
  });
}

/** proc(5): the tenth field of each line but the first. */
function inodesOf(table: string): string[] {
  const lines = readFileSync(table, 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => line.trim().split(/\s+/)[9] ?? '');
}

const nobody = accountOf('nobody');
const canBecomeNobody =
  process.getuid?.() === 0 &&
  nobody !== undefined &&
  spawnSync(process.execPath, ['--check', programFile], nobody).status === 0;

t.test(
  'an ordinary user',
  { skip: canBecomeNobody ? false : 'not root (then all tests show it), or nobody cannot read the program' },
  async (t) => {
    if (nobody === undefined) return;
    const directory = temporaryDirectory(t);
    const data = join(directory, 'data');
    mkdirSync(data);
    chownSync(data, nobody.uid, nobody.gid);
    chmodSync(data, 0o700);
    const served = await serve(t, { XCAP_DATA_DIR: data }, { directory, identity: nobody });
    t.equal((await served.send('PUT', `${alice}/index`, { body: resourceList('a') })).status, 201);
    t.strictSame(await served.kill('SIGINT'), { code: 0, signal: null });
  },
);

function accountOf(name: string): { uid: number; gid: number } | undefined {
  const entry = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8'));
  return entry === null ? undefined : { uid: Number(entry[1]), gid: Number(entry[2]) };
}
