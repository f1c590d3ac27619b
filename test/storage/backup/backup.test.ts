/** Backup and restore of a database with something in each of its tables. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import t from 'tap';
import { migrationsFolder } from '../../../src/package-files.js';
import { backUp } from '../../../src/storage/backup/backup.js';
import { restore } from '../../../src/storage/backup/restore.js';
import { tablesIn } from '../../../src/storage/backup/catalog.js';
import { applyMigrations } from '../../../src/storage/migrations.js';
import { runCommand } from '../../fixtures/command-line.js';
import { cloneDatabase, emptyDatabase, query, type TestDatabase } from '../../fixtures/database.js';
import { managementClient } from '../../fixtures/management-client.js';
import { programFile, serve, temporaryDirectory, until, urlOf } from '../../fixtures/serve.js';
import type { TestContext } from '../../fixtures/tap.js';
import { startServer } from '../../fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const lists = (content: string) =>
  `<?xml version="1.0"?>\r\n<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">${content}</resource-lists>\n`;
/** What COPY escapes, and what ends it. */
const odd = lists('<!-- \t \\N \\\n\\.\n\\\\. -->');
const services =
  '<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="sip:alice-team@example.com">' +
  '<list/></service></rls-services>';

const key = Buffer.alloc(32, 5);
const keys = { secretsKey: key };
const withKey = { XCAP_SECRETS_KEY: key.toString('base64') };

/** A database in which each table has something. */
async function filledDatabase(t: TestContext): Promise<TestDatabase> {
  const server = await startServer(t, { environment: withKey });
  const ask = managementClient(server.manage);
  await ask('POST', '/subscribers', { xui: alice, identities: ['tel:+15550100001'], password: 'secret' });
  await ask('POST', '/subscribers', { xui: bob });
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  await ask('POST', `/subscribers/${alice}/grants`, { grantee: bob, access: 'read', expiresAt: tomorrow });
  await ask('PUT', `/roles/${bob}`, { role: 'support' });
  const documents = `/api/v1/documents`;
  for (const body of [lists(''), odd]) {
    await server.manage('PUT', `${documents}/resource-lists/users/${alice}/index`, { body });
  }
  await server.manage('PUT', `${documents}/resource-lists/users/${alice}/gone`, { body: lists('') });
  await server.manage('DELETE', `${documents}/resource-lists/users/${alice}/gone`);
  const kept = `${documents}/resource-lists/users/${alice}/kept?keepInvalid=true`;
  await server.manage('PUT', kept, { body: lists('<wrong/>') });
  const served = await server.manage('PUT', `${documents}/rls-services/users/${alice}/index`, {
    body: services,
  });
  if (served.status !== 201) throw new Error(served.body);
  await query(
    server.database,
    "insert into xcapd.kept_spellings (kind, spelling, canonical) values ('identity', 'sip:A@x', 'sip:a@x')",
  );
  return server.database;
}

function runBackup(database: TestDatabase, file: string) {
  return runCommand(['backup', file], { environment: { DATABASE_URL: urlOf(database) } });
}

function runRestore(database: TestDatabase, ...words: string[]) {
  return runRestoreWith(withKey, database, ...words);
}

function runRestoreWith(keys: Record<string, string>, database: TestDatabase, ...words: string[]) {
  return runCommand(['restore', ...words], { environment: { ...keys, DATABASE_URL: urlOf(database) } });
}

/** Without the time at which it was made. */
async function contentsOf(database: TestDatabase): Promise<string> {
  const pieces: Uint8Array[] = [];
  const write = async (bytes: Uint8Array) => void pieces.push(bytes);
  await backUp({ database, programVersion: '1.2.3', write });
  return withoutTime(Buffer.concat(pieces).toString());
}

function withoutTime(text: string): string {
  return text.replace(/^-- made by .*$/m, '-- made by xcapd 1.2.3 at 2027-01-31');
}

async function onClient<Result>(database: TestDatabase, action: (client: pg.Client) => Promise<Result>) {
  const client = new pg.Client(database);
  await client.connect();
  return action(client).finally(() => client.end());
}

const filled = await filledDatabase(t);
const whole = await contentsOf(filled);

t.test('a backup has all tables, and a restore brings all of it back', async (t) => {
  const directory = temporaryDirectory(t);
  const database = filled;
  const tables = (await onClient(database, tablesIn)).filter(({ isUnlogged }) => !isUnlogged);
  t.ok(tables.length >= 12);
  for (const { name } of tables) {
    const rows = await query(database, `select from xcapd.${name}`);
    t.ok(rows.length > 0, `the test has something in ${name}`);
  }

  const file = join(directory, 'all.sql.gz');
  const backup = await runBackup(database, file);
  t.match(backup, {
    code: 0,
    stdout: /^\d+ rows of \d+ tables were written to .*all\.sql\.gz\.\n$/,
    stderr: '',
  });
  const text = gunzipSync(readFileSync(file)).toString();
  for (const { name } of tables) t.match(text, `COPY xcapd.${name} (`);

  const target = await emptyDatabase(t);
  t.match(await runRestore(target, file), { code: 0, stdout: /^\d+ rows of \d+ tables were restored\.\n$/ });
  t.equal(await contentsOf(target), withoutTime(text), 'byte for byte');

  const restored = await startServer(t, { database: target, environment: withKey });
  const ask = managementClient(restored.manage);
  const found = await restored.manage('GET', `/api/v1/documents/resource-lists/users/${alice}/index`);
  t.equal(found.body, odd);
  t.equal((await ask('DELETE', `/subscribers/${bob}`)).status, 204, 'the audit trail goes on');
  t.match(
    await runRestore(target, '--replace', file),
    { code: 1, stderr: /^xcapd: Servers are connected to the database .*: stop them first\.\n$/ },
    'not while a server runs',
  );
});

t.test('whoever has a key of secrets has that of the backup', async (t) => {
  const file = join(temporaryDirectory(t), 'backup.sql');
  writeFileSync(file, whole);
  const target = await emptyDatabase(t);
  const another = { XCAP_SECRETS_KEY: Buffer.alloc(32, 6).toString('hex') };
  t.match(await runRestoreWith(another, target, file), {
    code: 1,
    stderr: /^xcapd: XCAP_SECRETS_KEY is not the key that .* are encrypted with: set it to that key\.\n$/,
  });
  t.same(await query(target, "select from pg_namespace where nspname = 'xcapd'"), [], 'nothing was restored');
  t.match(await runRestoreWith({}, target, file), {
    code: 0,
    stderr: /^The digest secrets in the database are encrypted, and XCAP_SECRETS_KEY is not set: .*\.\n$/,
  });
  t.equal(await contentsOf(target), whole);
});

t.test('psql reads it as well', async (t) => {
  const target = await cloneDatabase(t);
  const psql = spawn('psql', ['-q', '-v', 'ON_ERROR_STOP=1', urlOf(target)], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const started = await once(psql, 'spawn').then(
    () => true,
    () => false,
  );
  if (!started) {
    t.pass('# there is no psql here');
    return;
  }
  psql.stdin.end(whole);
  t.strictSame(await once(psql, 'close'), [0, null]);
  t.equal(await contentsOf(target), whole);
});

t.test('data is deleted on request only', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'backup.sql');
  const source = await cloneDatabase(t);
  await query(source, `insert into xcapd.subscribers (xui) values ('${alice}')`);
  await runBackup(source, file);
  const target = await cloneDatabase(t);
  await query(target, `insert into xcapd.subscribers (xui) values ('${bob}')`);
  t.match(await runRestore(target, file), { code: 1, stderr: /The database has data: --replace deletes/ });
  t.same(await query(target, 'select xui from xcapd.subscribers'), [{ xui: bob }]);
  t.equal((await runRestore(target, '--replace', file)).code, 0);
  t.equal(await contentsOf(target), await contentsOf(source));
});

t.test('what is no whole backup changes nothing', async (t) => {
  const directory = temporaryDirectory(t);
  const target = await cloneDatabase(t);
  await query(target, `insert into xcapd.audit_records (actor, action, subject) values ('a', 'b', 'c')`);
  const before = await contentsOf(target);
  const cuts = [
    1,
    100,
    whole.indexOf('\\.\n') + 1,
    Math.floor(whole.length / 2),
    whole.lastIndexOf('COMMIT'),
  ];
  const cases: [what: string, text: string, message: RegExp][] = [
    ...cuts.map((at): [string, string, RegExp] => [
      `cut at ${at}`,
      whole.slice(0, at),
      /cut short|no backup|no place for: COPY/,
    ]),
    ['a line less', whole.slice(0, whole.lastIndexOf('-- end')), /cut short/],
    ['a line more', `${whole}-- and more\n`, /was changed/],
    ['nothing', '', /no backup/],
    ['another file', 'x'.repeat(100_000), /no backup/],
    [
      'another table',
      whole.replace('COPY xcapd.roles', 'COPY xcapd.rolls'),
      /has no place for: COPY xcapd\.rolls/,
    ],
    ['SQL', whole.replace('COMMIT;', 'DROP SCHEMA xcapd;\nCOMMIT;'), /has no place for: DROP SCHEMA/],
    ['a row less', whole.replace(/^sip:bob@example\.com\tsupport\n/m, ''), /says that it has \d+ rows/],
    [
      'newer',
      whole.replace(/^-- schema version .*$/m, '-- schema version 9999'),
      /schema version 9999.* at most/,
    ],
  ];
  for (const [what, text, message] of cases) {
    // In pieces that end anywhere.
    const source = Readable.from(piecesOf(Buffer.from(text), 7));
    const options = { database: target, source, migrationsFolder, keys, replace: true };
    await t.rejects(restore(options), { message }, what);
    t.equal(await contentsOf(target), before, `${what}: as before`);
  }
  const file = join(directory, 'cut.gz');
  const compressed = gzipSync(whole);
  writeFileSync(file, compressed.subarray(0, compressed.length - 10));
  t.match(await runRestore(target, '--replace', file), { code: 1, stderr: /cut short or damaged/ });
  t.equal(await contentsOf(target), before);
  await restore({
    database: target,
    source: Readable.from(piecesOf(Buffer.from(whole), 7)),
    migrationsFolder,
    keys,
    replace: true,
  });
  t.equal(await contentsOf(target), whole, 'the whole one does');
});

function* piecesOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

t.test('a restore that is killed changes nothing', async (t) => {
  const target = await cloneDatabase(t);
  await query(target, `insert into xcapd.subscribers (xui) values ('${bob}')`);
  const before = await contentsOf(target);
  const program = spawn(process.execPath, [programFile, 'restore', '--replace', '-'], {
    env: { PATH: process.env.PATH, DATABASE_URL: urlOf(target) },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(program, 'exit');
  // All but the last line: it waits for that.
  program.stdin.write(whole.slice(0, whole.lastIndexOf('COMMIT')));
  const restoring = () =>
    query<{ query: string; state: string }>(
      target,
      "select query, state from pg_stat_activity where datname = current_database() and application_name = 'xcapd restore'",
    );
  await until('all rows are in', async () =>
    (await restoring()).some(({ query, state }) => state !== 'active' && query.startsWith('ALTER SEQUENCE')),
  );
  program.kill('SIGKILL');
  await exited;
  await until('its transaction is gone', async () => (await restoring()).length === 0);
  t.equal(await contentsOf(target), before);
  await query(target, "insert into xcapd.audit_records (actor, action, subject) values ('a', 'b', 'c')");
});

t.test('a backup with an older schema gets the migrations that it lacks', async (t) => {
  const directory = temporaryDirectory(t);
  const older = await emptyDatabase(t);
  await onClient(older, (client) => applyMigrations(client, migrationsFolder, 6));
  const misspelt = 'sip:%61lice@EXAMPLE.com';
  await query(
    older,
    `insert into xcapd.subscribers (xui) values ('${misspelt}'); ` +
      `insert into xcapd.identities (identity, xui) values ('${misspelt}', '${misspelt}')`,
  );
  const file = join(directory, 'older.sql');
  t.equal((await runBackup(older, file)).code, 0);
  t.match(readFileSync(file, 'utf8'), /^-- schema version 6$/m);
  const target = await cloneDatabase(t);
  t.match(await runRestore(target, file), {
    code: 0,
    stdout: /^Applied: 7 compatible-programs, 8 one-spelling/m,
  });
  t.same(await query(target, 'select xui from xcapd.subscribers'), [{ xui: alice }], 'also what is no SQL');
});

t.test('a server that starts meanwhile waits', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-migrations-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(migrationsFolder, folder, { recursive: true });
  const database = await cloneDatabase(t);
  const program = spawn(process.execPath, [programFile, 'restore', '-'], {
    env: { PATH: process.env.PATH, DATABASE_URL: urlOf(database) },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(program, 'exit');
  program.stdin.write(whole.slice(0, -30));
  const waiting =
    "select from pg_stat_activity where datname = current_database() and application_name = 'xcapd restore'";
  await until('it is at work', async () => (await query(database, waiting)).length > 0);
  const server = serve(t, { ...withKey, DATABASE_URL: urlOf(database) });
  program.stdin.end(whole.slice(-30));
  t.strictSame(await exited, [0, null]);
  t.equal((await (await server).manage('GET', '/health/ready')).status, 200);
});
