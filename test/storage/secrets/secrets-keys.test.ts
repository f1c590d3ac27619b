/** Servers agree on the key of the secrets, and seal what is there. */
import pg from 'pg';
import t, { type Test } from 'tap';
import { onOwnConnection, inOneTransaction } from '../../../src/storage/database.js';
import { reseal } from '../../../src/storage/secrets/resealing.js';
import { agreeOnKey } from '../../../src/storage/secrets/secrets-keys.js';
import { beginUpkeep } from '../../../src/storage/secrets/upkeep.js';
import type { SecretBox } from '../../../src/subscribers/secret-box.js';
import { cloneDatabase, query, type TestDatabase } from '../../fixtures/database.js';
import { managementClient } from '../../fixtures/management-client.js';
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
} from '../../fixtures/sealed-secrets.js';
import { until } from '../../fixtures/serve.js';
import { addSubscriber } from '../../fixtures/subscribers.js';
import { startServer } from '../../fixtures/xcap-server.js';

const { none, first, second } = boxes;
const firstId = first.keyId ?? '';
const environment = { XCAP_TRUSTED_PROXIES: '192.0.2.1', XCAP_OPEN_PROVISIONING: 'true' };
const withFirst = { ...environment, XCAP_SECRETS_KEY: keys.first.toString('hex') };

function agree(database: TestDatabase, box: SecretBox) {
  return onOwnConnection(database, 'test', (client) =>
    agreeOnKey((action) => inOneTransaction(client, action), box),
  );
}

/** A database with a secret that is sealed with the first key, and what is recorded of keys. */
async function sealedDatabase(t: Test, ...recorded: readonly string[]): Promise<TestDatabase> {
  const database = await cloneDatabase(t);
  await addSubscriber(database, { xui: alice, password: 'secret', key: keys.first });
  for (const [i, id] of recorded.entries()) {
    await query(database, `insert into xcapd.secrets_keys (id, is_current) values ('${id}', ${i === 0})`);
  }
  return database;
}

const notSet =
  /are encrypted, and XCAP_SECRETS_KEY is not set: set it to the key that they are encrypted with\.$/;
const isAnother = /^XCAP_SECRETS_KEY is not the key that .* are encrypted with: set it to that key\.$/;

t.test('a key that does not fit is refused', async (t) => {
  for (const [what, recorded] of [
    ['recorded', firstId],
    ['of older programs', ''],
  ] as const) {
    const database = await sealedDatabase(t, recorded);
    for (const [box, message] of [
      [none, notSet],
      [second, isAnother],
    ] as const) {
      await t.rejects(agree(database, box), { name: 'SecretsKeyError', message }, what);
      t.same(await recordedKeys(database), { [recorded]: true }, 'nothing changes');
    }
    t.same(await agree(database, first), { kind: 'sealed', keyId: firstId }, what);
    t.same(await recordedKeys(database), { [firstId]: true }, what);
  }
  const server = startServer(t, { database: await sealedDatabase(t, firstId) });
  await t.rejects(server, { name: 'SecretsKeyError', message: notSet }, 'neither does a worker start');
});

t.test('what older programs have sealed since migration 11 has the key of that server', async (t) => {
  const database = await sealedDatabase(t);
  await t.rejects(agree(database, second), { name: 'SecretsKeyError', message: isAnother });
  t.same(await recordedKeys(database), {}, 'nothing changes');
  t.same(await agree(database, first), { kind: 'sealed', keyId: firstId });
});

t.test('any key will do where nothing is sealed and nobody has the other one', async (t) => {
  const cases: readonly [box: SecretBox, recorded: Record<string, boolean>][] = [
    [none, {}],
    [second, { [second.keyId ?? '']: true }],
  ];
  for (const [box, recorded] of cases) {
    const database = await sealedDatabase(t, firstId);
    await query(database, 'delete from xcapd.digest_secrets');
    const server = await startServer(t, { database, environment: withFirst });
    await t.rejects(agree(database, box), { name: 'SecretsKeyError' }, 'a server with the key runs');
    await server.stop();
    await until('it is gone', async () => {
      const agreed = await agree(database, box).catch(() => undefined);
      return agreed !== undefined;
    });
    t.same(await recordedKeys(database), recorded);
  }
});

t.test('nothing is encrypted while servers run that have no key', async (t) => {
  const database = await cloneDatabase(t);
  await addSubscriber(database, { xui: alice, password: 'secret' });
  await addSecrets(database, 1200);
  const before = await openAll(database, none);
  const old = await startServer(t, { database, environment });
  const sentences: string[] = [];
  const log = {
    info: (_facts: object, sentence: string) => void sentences.push(sentence),
    warn: (_facts: object, sentence: string) => void sentences.push(sentence),
  };
  const server = await startServer(t, { database, environment: withFirst });
  const begin = () => beginUpkeep({ database, keys: { secretsKey: keys.first }, log });
  const upkeeps = await Promise.all([begin(), begin()]);
  t.teardown(() => Promise.all(upkeeps.map(({ stop }) => stop())));
  const ask = managementClient(server.manage);
  t.equal(
    (await ask('POST', '/subscribers', { xui: 'sip:bob@example.com', password: 'secret' })).status,
    201,
  );
  t.equal(await plainSecrets(database), (await openAll(database, none)).size);
  t.match(
    sentences[0],
    /^digest secrets are not encrypted yet: servers without XCAP_SECRETS_KEY are connected/,
  );

  const logins = [old, server].map(({ send }) => keepLoggingIn(send));
  for (const { stop } of logins) t.same(await stop(), new Set([404]));
  const more = keepLoggingIn(server.send);
  await old.stop();
  await until('all are encrypted', async () => (await plainSecrets(database)) === 0);
  t.same(await more.stop(), new Set([404]), 'people log in meanwhile');
  const after = await openAll(database, first);
  for (const [name, secret] of before) {
    const { ha1, keyId } = after.get(name) ?? {};
    if (ha1 !== secret?.ha1 || keyId !== firstId) t.fail(`${name} is another secret`);
  }
  await Promise.all(upkeeps.map(({ stop }) => stop()));
  t.same(await auditedActions(database), ['secrets.encrypt', 'secrets.encrypted'], 'once, whoever it was');
  await t.rejects(agree(database, none), { message: notSet }, 'none without the key starts any more');
});

t.test('a server that does not have the key writes no secrets', async (t) => {
  const server = await startServer(t, { environment: withFirst });
  await query(server.database, `update xcapd.secrets_keys set id = '${String(second.keyId)}'`);
  const ask = managementClient(server.manage);
  const refused = await ask('POST', '/subscribers', { xui: alice, password: 'secret' });
  t.match(refused, { status: 503, body: { detail: /restart it with that key in XCAP_SECRETS_KEY\.$/ } });
  t.equal((await ask('POST', '/subscribers', { xui: alice })).status, 201, 'but what is no secret');
});

t.test('a row that somebody has locked is sealed later', async (t) => {
  const database = await cloneDatabase(t);
  await addSecrets(database, 1200);
  await agree(database, first);
  const locker = new pg.Client(database);
  await locker.connect();
  t.teardown(() => locker.end());
  await locker.query(
    "begin; select from xcapd.digest_secrets where username in ('user 7', 'user 8') for update",
  );
  const running = onOwnConnection(database, 'test', (client) => reseal(client, first, () => undefined));
  await until('all others are sealed', async () => (await plainSecrets(database)) === 2);
  await locker.query("delete from xcapd.digest_secrets where username = 'user 8'; commit");
  t.same(await running, { sealed: 1199, unreadable: 0 });
});

t.test('what no key opens is counted and stays', async (t) => {
  const database = await sealedDatabase(t, firstId);
  const sealed = (await openAll(database, first)).size;
  await addSecrets(database, 1);
  const lost = "update xcapd.digest_secrets set ha1 = 'gcm:AAAA' where username = 'alice'";
  await query(database, lost);
  const done = await onOwnConnection(database, 'test', (client) => reseal(client, first, () => undefined));
  t.same(done, { sealed: 1, unreadable: 2 });
  t.equal((await openAll(database, first)).size, sealed + 1);
  const again = await onOwnConnection(database, 'test', (client) => reseal(client, first, () => undefined));
  t.same(again, { sealed: 0, unreadable: 0 }, 'when there is nothing to do, nothing is read');
});
