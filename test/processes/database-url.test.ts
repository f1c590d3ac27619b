import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { cloneDatabase, query, testCluster, type TestDatabase } from '../fixtures/database.js';
import { alice, resourceList } from '../fixtures/resource-lists.js';
import {
  childrenOf,
  runProgram,
  sendSignal,
  serve,
  startProgram,
  temporaryDirectory,
  urlOf,
} from '../fixtures/serve.js';

/** A database without a schema; it is dropped when the test ends. */
async function emptyDatabase(t: Test): Promise<TestDatabase> {
  const cluster = testCluster();
  const database = `test_${randomBytes(6).toString('hex')}`;
  await query(cluster, `create database ${database} template template0 encoding utf8`);
  t.teardown(() => query(cluster, `drop database ${database} with (force)`));
  return { ...cluster, database };
}

t.test('two servers that start at once on an empty database', async (t) => {
  const database = await emptyDatabase(t);
  const data = join(temporaryDirectory(t), 'data');
  const environment = { DATABASE_URL: urlOf(database), XCAP_DATA_DIR: data };
  const [one, two] = await Promise.all([serve(t, environment), serve(t, environment)]);
  const migrations = [one, two].filter((served) => served.output().includes('schema was brought up to date'));
  t.equal(migrations.length, 1, 'one of them makes the schema');
  t.notOk(existsSync(data), 'no data directory is made');
  t.notOk(
    [one, two].some(({ pid }) => childrenOf(pid).some(({ command }) => command.includes('postgres'))),
    'no PostgreSQL is started',
  );
  const body = resourceList('shared');
  t.equal((await one.send('PUT', `${alice}/index`, { body })).status, 201);
  t.match(await two.send('GET', `${alice}/index`), { status: 200, body }, 'they share the documents');
  t.strictSame(await query(database, 'select path, content from xcapd.documents'), [
    { path: 'index', content: body },
  ]);
});

t.test('the command migrate', async (t) => {
  const environment = { DATABASE_URL: urlOf(await emptyDatabase(t)) };
  const run = () => runProgram(t, { arguments: ['migrate'], environment });
  t.match(await run(), { code: 0, output: /^Applied: 1 / });
  t.strictSame(await run(), { code: 0, output: 'The schema is up to date.\n' });
  t.strictSame(await runProgram(t, { arguments: ['migrate'] }), {
    code: 1,
    output: 'xcapd: DATABASE_URL is not set.\n',
  });
});

t.test('a database that is newer than the program', async (t) => {
  const database = await cloneDatabase(t);
  await query(database, "insert into xcapd.schema_version (version, name, md5) values (9999, 'later', '')");
  const { code, output } = await runProgram(t, { environment: { DATABASE_URL: urlOf(database) } });
  t.equal(code, 1);
  t.match(
    output,
    /^xcapd: The database has schema version 9999, .* Run a newer xcapd, or restore a backup from before the upgrade\.\n$/,
  );
});

t.test('a database that does not exist', async (t) => {
  const environment = { DATABASE_URL: urlOf({ ...testCluster(), database: 'test_none' }) };
  const { code, output } = await runProgram(t, { environment });
  t.equal(code, 1);
  t.equal(output, 'xcapd: database "test_none" does not exist\n');
});

t.test('a database that is away', async (t) => {
  const database = await cloneDatabase(t);
  const host = temporaryDirectory(t);
  const environment = { DATABASE_URL: urlOf({ ...database, host }), PORT: '0', ADMIN_PORT: '0' };
  const program = startProgram(t, { environment });
  const stopped = startProgram(t, { environment });
  await Promise.all([program.wrote(/waiting for the database/), stopped.wrote(/waiting for the database/)]);

  sendSignal(program.pid, 'SIGHUP');
  t.strictSame(await stopped.kill('SIGTERM'), { code: 0, signal: null }, 'a signal ends the wait');
  t.notMatch(program.output(), /xcapd listens/, 'it does not serve yet');
  await proxy(t, join(host, '.s.PGSQL.5432'), join(database.host, `.s.PGSQL.${database.port}`));
  await program.wrote(/"msg":"xcapd listens"/);
  t.pass('it serves when the database comes, also where somebody had it read its files again');
  t.strictSame(await program.kill('SIGTERM'), { code: 0, signal: null });
});

/** Lets the cluster of the run appear at another socket. */
async function proxy(t: Test, path: string, target: string): Promise<void> {
  const server = createServer((incoming) => {
    const outgoing = connect(target);
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on('error', () => outgoing.destroy());
    outgoing.on('error', () => incoming.destroy());
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
}
