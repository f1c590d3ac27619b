/** `xcapd rekey`: a new key of the digest secrets while two servers run and people log in. */
import pg from 'pg';
import t from 'tap';
import { beginUpkeep } from '../../src/storage/secrets/upkeep.js';
import { secretBox } from '../../src/subscribers/secret-box.js';
import { runCommand } from '../fixtures/command-line.js';
import { cloneDatabase, query } from '../fixtures/database.js';
import { managementClient } from '../fixtures/management-client.js';
import {
  addSecrets,
  alice,
  auditedActions,
  boxes,
  keepLoggingIn,
  keys,
  openAll,
  recordedKeys,
} from '../fixtures/sealed-secrets.js';
import { startProgram, until, urlOf } from '../fixtures/serve.js';
import { addSubscriber } from '../fixtures/subscribers.js';
import { startServer } from '../fixtures/xcap-server.js';

const [first, second] = [keys.first, keys.second].map((key) => key.toString('hex'));
const [firstId = '', secondId = ''] = [boxes.first.keyId, boxes.second.keyId];
const common = { XCAP_TRUSTED_PROXIES: '192.0.2.1', XCAP_OPEN_PROVISIONING: 'true' };
const withFirst = { ...common, XCAP_SECRETS_KEY: first };
const withSecond = { ...common, XCAP_SECRETS_KEY: second };
const withBoth = { ...common, XCAP_SECRETS_KEY: first, XCAP_NEW_SECRETS_KEY: second };

const both = secretBox({ secretsKey: keys.first, newSecretsKey: keys.second });

t.test('a new key while two servers run', async (t) => {
  const database = await cloneDatabase(t);
  await addSubscriber(database, { xui: alice, password: 'secret', key: keys.first });
  await query(database, `insert into xcapd.secrets_keys (id, is_current) values ('${firstId}', true)`);
  await addSecrets(database, 1200);
  const before = await openAll(database, boxes.first);
  const environment = { DATABASE_URL: urlOf(database), XCAP_SECRETS_KEY: String(first) };
  const rekeying = { ...environment, XCAP_NEW_SECRETS_KEY: String(second) };

  const old = await startServer(t, { database, environment: withFirst });
  t.match(
    await runCommand(['rekey'], { environment }),
    { code: 1, stderr: /^xcapd: XCAP_NEW_SECRETS_KEY is not set: .*\.\n$/ },
    'a new key has to be given',
  );
  t.match(
    await runCommand(['rekey'], { environment: rekeying }),
    {
      code: 1,
      stderr: /^xcapd: Servers without the new key are connected .* as XCAP_NEW_SECRETS_KEY first\.\n$/,
    },
    'all servers have to have both',
  );
  t.same(await recordedKeys(database), { [firstId]: true });
  await old.stop();

  const servers = [
    await startServer(t, { database, environment: withBoth }),
    await startServer(t, { database, environment: withBoth }),
  ];
  const logins = servers.map(({ send }) => keepLoggingIn(send));
  // Somebody has a row locked, so that it does not get to the end.
  const locker = new pg.Client(database);
  await locker.connect();
  t.teardown(() => locker.end());
  await locker.query("begin; select from xcapd.digest_secrets where username = 'user 1000' for update");
  const killed = startProgram(t, { arguments: ['rekey', '--progress'], environment: rekeying });
  const withKey = async (id: string) =>
    [...(await openAll(database, both)).values()].filter((secret) => secret?.keyId === id).length;
  await until('all others have the new key', async () => (await withKey(secondId)) === before.size - 1);
  await killed.wrote(/\d+ digest secrets have the new key/);
  await killed.kill('SIGKILL');
  await locker.query('rollback');
  t.equal((await openAll(database, both)).get('r user 1000 MD5')?.keyId, undefined, 'one is left');

  t.same(await recordedKeys(database), { [firstId]: false, [secondId]: true });
  const ask = managementClient(servers[0]?.manage ?? (() => Promise.reject(new Error())));
  const bob = {
    xui: 'sip:bob@example.com',
    digest: [{ realm: 'b', username: 'bob', algorithm: 'MD5', ha1: '0'.repeat(32) }],
  };
  t.equal((await ask('POST', '/subscribers', bob)).status, 201);
  t.equal(
    (await openAll(database, both)).get('b bob MD5')?.keyId,
    secondId,
    'what is written has the new key',
  );
  for (const [what, one, message] of [
    ['the old one alone', withFirst, /getting a new key by `xcapd rekey`: set XCAP_NEW_SECRETS_KEY to it\.$/],
    ['the new one alone', withSecond, /have the key of before still: finish `xcapd rekey` first, or set /],
  ] as const) {
    await t.rejects(
      startServer(t, { database, environment: one }),
      { name: 'SecretsKeyError', message },
      what,
    );
  }

  const done = await runCommand(['rekey'], { environment: rekeying });
  t.match(done, { code: 0, stdout: /^\d+ digest secrets got the new key, .* as XCAP_SECRETS_KEY, / });
  for (const { stop } of logins) t.same(await stop(), new Set([404]), 'people logged in all the time');
  const after = await openAll(database, boxes.second);
  t.equal(after.size, before.size + 1);
  for (const [name, secret] of before) {
    if (after.get(name)?.ha1 !== secret?.ha1) t.fail(`${name} is another secret`);
  }
  t.same(await recordedKeys(database), { [secondId]: true });
  t.match(
    await runCommand(['rekey'], { environment: rekeying }),
    { code: 0, stdout: /^0 digest secrets/ },
    'again',
  );
  t.same(await auditedActions(database), ['secrets.rekey', 'secrets.encrypted']);
  t.notMatch(done.stdout + done.stderr, /(01|02){8}/, 'no key is told');

  await Promise.all(servers.map(({ stop }) => stop()));
  const next = await startServer(t, { database, environment: withSecond });
  t.same(await keepLoggingIn(next.send).stop(), new Set([404]), 'with the new key alone');
  await t.rejects(startServer(t, { database, environment: withFirst }), { name: 'SecretsKeyError' });
});

t.test('a server that has both keys finishes what was broken off', async (t) => {
  const database = await cloneDatabase(t);
  await addSubscriber(database, { xui: alice, password: 'secret', key: keys.first });
  await query(
    database,
    `insert into xcapd.secrets_keys (id, is_current) values ('${firstId}', false), ('${secondId}', true)`,
  );
  const sentences: string[] = [];
  const tell = (_facts: object, sentence: string) => void sentences.push(sentence);
  const upkeep = await beginUpkeep({
    database,
    keys: { secretsKey: keys.first, newSecretsKey: keys.second },
    log: { info: tell, warn: tell },
  });
  t.teardown(upkeep.stop);
  await until('it is done', async () => Object.keys(await recordedKeys(database)).length === 1);
  for (const [name, secret] of await openAll(database, boxes.second)) t.equal(secret?.keyId, secondId, name);
  t.match(sentences[0], /^digest secrets have the key of XCAP_NEW_SECRETS_KEY: make it XCAP_SECRETS_KEY$/);
});
