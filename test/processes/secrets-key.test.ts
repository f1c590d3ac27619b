/** The key of the digest secrets: one that does not fit, and one that is given later. */
import pg from 'pg';
import t from 'tap';
import { cloneDatabase, query } from '../fixtures/database.js';
import {
  addSecrets,
  alice,
  auditedActions,
  boxes,
  keepLoggingIn,
  keys,
  openAll,
  plainSecrets,
  recordedKeys,
} from '../fixtures/sealed-secrets.js';
import { runProgram, sendSignal, serve, until, urlOf, workersOf } from '../fixtures/serve.js';
import { addSubscriber } from '../fixtures/subscribers.js';

const withFirst = { XCAP_SECRETS_KEY: keys.first.toString('hex') };
const firstId = boxes.first.keyId ?? '';

t.test('a server whose key does not fit does not start, and ends', async (t) => {
  const database = await cloneDatabase(t);
  await addSubscriber(database, { xui: alice, password: 'secret', key: keys.first });
  await query(database, `insert into xcapd.secrets_keys (id, is_current) values ('${firstId}', true)`);
  const environment = { DATABASE_URL: urlOf(database) };
  const secondKey = keys.second.toString('hex');
  const [unset, wrong, served] = await Promise.all([
    runProgram(t, { environment }),
    runProgram(t, { environment: { ...environment, XCAP_SECRETS_KEY: secondKey } }),
    serve(t, { ...environment, ...withFirst }),
  ]);
  t.equal(unset.code, 1);
  t.match(unset.output, /^xcapd: The digest secrets .*, and XCAP_SECRETS_KEY is not set: set it to .*\.\n$/);
  t.equal(wrong.code, 1);
  t.match(wrong.output, /^xcapd: XCAP_SECRETS_KEY is not the key that .*: set it to that key\.\n$/);
  t.notOk(wrong.output.includes(secondKey));

  // As if somebody had put another database in its place.
  await query(database, `update xcapd.secrets_keys set id = '${boxes.second.keyId}'`);
  for (const worker of workersOf(served)) sendSignal(worker, 'SIGKILL');
  t.same(await served.ended, { code: 1, signal: null });
  t.match(served.output(), /^xcapd: XCAP_SECRETS_KEY is not the key that .*\.$/m);
});

t.test('a key that is given later encrypts what is there, whoever is killed', async (t) => {
  const database = await cloneDatabase(t);
  await addSubscriber(database, { xui: alice, password: 'secret' });
  await addSecrets(database, 1500);
  const before = await openAll(database, boxes.none);
  // Somebody has a row locked, so that nobody gets to the end.
  const locker = new pg.Client(database);
  await locker.connect();
  t.teardown(() => locker.end());
  await locker.query("begin; select from xcapd.digest_secrets where username = 'user 1000' for update");
  const start = () => serve(t, { DATABASE_URL: urlOf(database), XCAP_WORKERS: '2', ...withFirst });

  const killed = await start();
  await until('all others are encrypted', async () => (await plainSecrets(database)) === 1);
  await killed.kill('SIGKILL');
  await locker.query('rollback');
  t.equal(await plainSecrets(database), 1, 'nobody has done the last one');

  const servers = await Promise.all([start(), start()]);
  const logins = servers.map(({ send }) => keepLoggingIn(send));
  await until('all are encrypted', async () => (await plainSecrets(database)) === 0);
  for (const { stop } of logins) t.same(await stop(), new Set([404]), 'people log in meanwhile');
  const after = await openAll(database, boxes.first);
  t.equal(after.size, before.size);
  for (const [name, secret] of before) {
    if (after.get(name)?.ha1 !== secret?.ha1) t.fail(`${name} is another secret`);
  }
  t.same(await recordedKeys(database), { [firstId]: true });
  for (const server of servers) t.same(await server.kill('SIGTERM'), { code: 0, signal: null });
  t.same(await auditedActions(database), ['secrets.encrypt', 'secrets.encrypted']);
});
