import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openPool } from '../../../src/storage/database.js';
import { openPipelinedClient, type PipelinedClient } from '../../../src/storage/pipelined-client.js';
import { openSubscriberDirectory } from '../../../src/storage/subscribers/directory.js';
import { secretBox } from '../../../src/subscribers/secret-box.js';
import { openSubscriberRegister } from '../../../src/storage/subscribers/postgres-register.js';
import { cloneDatabase, query } from '../../fixtures/database.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const subscriber = {
  xui: alice,
  identities: [alice, 'tel:+1'],
  impi: 'a',
  isDisabled: false,
  profile: undefined,
  quota: { documents: undefined, bytes: 5_000_000_000 },
};
const secret = { xui: alice, realm: 'r', username: 'u', algorithm: 'MD5', ha1: 'x' } as const;

/** A directory with one subscriber, and how many questions went to the database. */
async function open(t: Test) {
  const database = await cloneDatabase(t);
  const pool = openPool(database, () => undefined);
  const client = openPipelinedClient(database, () => undefined);
  t.teardown(() => Promise.all([pool.end(), client.end()]));
  let questions = 0;
  const reader: PipelinedClient = {
    ...client,
    query(statement) {
      questions++;
      return client.query(statement);
    },
  };
  const register = openSubscriberRegister(pool, secretBox({ secretsKey: undefined }));
  const credentials = { digest: [secret], passwordHash: 'h' };
  await register.create([{ ...subscriber, otherIdentities: ['tel:+1'], credentials }], 'test');
  return { directory: openSubscriberDirectory(reader), register, database, questions: () => questions };
}

t.test('answers', async (t) => {
  const { directory, register } = await open(t);
  t.same(await directory.withIdentity('tel:+1'), subscriber);
  t.same(await directory.withIdentity(alice), subscriber);
  t.equal(await directory.withIdentity(bob), undefined);
  t.same(await directory.withImpi('a'), subscriber);
  t.equal(await directory.withImpi('b'), undefined);
  t.same(await directory.digestSecret('r', 'u', 'MD5'), secret);
  t.equal(await directory.digestSecret('r', 'u', 'SHA-256'), undefined);
  t.equal(await directory.passwordHash(alice), 'h');
  t.equal(await directory.passwordHash(bob), undefined);
  await register.setRole({ xui: bob, role: 'support' }, 'test');
  t.equal(await directory.roleOf(bob), 'support');
  t.equal(await directory.roleOf(alice), undefined);
});

t.test('in the steady state nobody is asked', async (t) => {
  const { directory, questions } = await open(t);
  const askAll = () =>
    Promise.all([
      directory.withIdentity(alice),
      directory.withIdentity(bob),
      directory.withImpi('a'),
      directory.digestSecret('r', 'u', 'MD5'),
      directory.digestSecret('r', 'nobody', 'MD5'),
      directory.passwordHash(alice),
      directory.roleOf(alice),
      directory.grants(alice, [bob]),
    ]);
  await Promise.all([askAll(), askAll()]);
  t.equal(questions(), 8, 'one question each, though two ask at the same time');
  for (let i = 0; i < 100; i++) await askAll();
  t.equal(questions(), 8, 'also for what is not there');
});

t.test('an answer is two seconds old at most', async (t) => {
  const { directory, database } = await open(t);
  t.match(await directory.withIdentity(alice), { isDisabled: false });
  t.equal(await directory.roleOf(alice), undefined);
  await query(database, 'update xcapd.subscribers set is_disabled = true');
  await query(database, `insert into xcapd.roles values ('${alice}', 'support')`);
  t.match(await directory.withIdentity(alice), { isDisabled: false }, 'kept');
  await sleep(2050);
  t.match(await directory.withIdentity(alice), { isDisabled: true });
  t.equal(await directory.roleOf(alice), 'support', 'also what was not there');
});

t.test('forget', async (t) => {
  const { directory, register } = await open(t);
  await directory.withIdentity(alice);
  await directory.passwordHash(alice);
  await register.erase(alice, 'test');
  t.match(await directory.withIdentity(alice), { xui: alice });
  directory.forget();
  t.equal(await directory.withIdentity(alice), undefined);
  t.equal(await directory.passwordHash(alice), undefined);
});

t.test('grants end when they expire, kept or not', async (t) => {
  const { directory, register } = await open(t);
  const grant = { owner: alice, grantee: bob, auid: undefined, path: undefined, access: 'read' } as const;
  const expiresAt = new Date(Date.now() + 700).toISOString();
  const created = await register.createGrant({ ...grant, expiresAt }, 'test');
  t.same(await directory.grants(alice, ['tel:+9', bob]), [created]);
  t.same(await directory.grants(alice, ['tel:+9']), []);
  t.same(await directory.grants(bob, [alice]), []);
  await sleep(750);
  t.same(await directory.grants(alice, ['tel:+9', bob]), []);
});

t.test('a failure is not kept', async (t) => {
  const { directory, database } = await open(t);
  const others = { ...database, database: 'postgres' };
  await query(others, `alter database ${database.database} with allow_connections false`);
  await t.rejects(
    async () => {
      await query(
        others,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.database}'`,
      );
      await directory.withIdentity(alice);
    },
    { name: 'StoreUnavailable' },
  );
  await query(others, `alter database ${database.database} with allow_connections true`);
  t.match(await directory.withIdentity(alice), { xui: alice });
});
