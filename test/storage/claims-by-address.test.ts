/** Migration 10 on a database that was filled before it. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { migrationsFolder } from '../../src/package-files.js';
import { migrate } from '../../src/storage/migrations.js';
import { emptyDatabase, query, type TestDatabase } from '../fixtures/database.js';
import { startServer } from '../fixtures/xcap-server.js';

async function databaseBefore(t: Test): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-before-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(migrationsFolder, folder, { recursive: true, filter: (name) => !/00[1-9]\d\.do/.test(name) });
  const database = await emptyDatabase(t);
  t.equal((await migrate(database, folder)).length, 9);
  return database;
}

const services = (...uris: readonly string[]) =>
  `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services">${uris.map((uri) => `<service uri="${uri}"><list/></service>`).join('')}</rls-services>`;

function document(xui: string, ...uris: readonly string[]): string {
  const text = services(...uris);
  const claims = uris.map(
    (uri) => `insert into xcapd.claims values ('${uri}', '${xui}', 'rls-services', 'index', '<x/>');`,
  );
  return (
    `insert into xcapd.documents values ('${xui}', 'rls-services', 'index', 'tag', 1, '${text}', now());` +
    claims.join('')
  );
}

function subscriber(xui: string, ...others: readonly string[]): string {
  const identities = [xui, ...others].map(
    (identity) => `insert into xcapd.identities values ('${identity}', '${xui}');`,
  );
  return `insert into xcapd.subscribers (xui) values ('${xui}'); ${identities.join('')}`;
}

t.test('to whom URIs lead', async (t) => {
  const { database } = await startServer(t);
  const cases: [uri: string, address: string][] = [
    ['sip:dora@example.com', 'sip:dora@example.com'],
    ['sips:dora@example.com:5061;a=b?c=d', 'sip:dora@example.com'],
    ['pres:dora@example.com', 'sip:dora@example.com'],
    ['sip:dora;a=@[2001:db8::1]:5060;a=b', 'sip:dora@[2001:db8::1]'],
    ['sip:;a@example.com', 'sip:;a@example.com'],
    ['sip:d%3Ba@example.com', 'sip:d%3Ba@example.com'],
    ['sip:do-ra.(1)@example.com', 'sip:do-ra.(1)@example.com'],
    ['sip:example.com:5060;a', 'sip:example.com'],
    ['sip:a@b;c=d@example.com/e', 'sip:a@b@example.com'],
    ['sip:+1-555.(01)00;ext=1@example.com', 'tel:+15550100'],
    ['sip:555-0100@example.com', 'sip:5550100@example.com'],
    ['sip:*21%23@example.com', 'sip:*21%23@example.com'],
    ['sip:+@example.com', 'sip:+@example.com'],
    ['tel:+15550100;ext=1', 'tel:+15550100'],
    ['tel:*21#;ext=1;phone-context=example.com', 'sip:*21%23@example.com'],
    ['tel:0100;phone-context=+1555;x', 'tel:0100;phone-context=+1555'],
    ['tel:0100;ext=1', 'tel:0100'],
    ['urn:a:b;c', 'urn:a:b;c'],
    ['http://a@example.com/', 'http://a@example.com/'],
    ['device-1', 'device-1'],
    ['', ''],
  ];
  const rows = await query<{ uri: string; address: string }>(
    database,
    `select uri, xcapd.address_of(uri) as address from unnest(array[${cases.map(([uri]) => `'${uri}'`).join()}]) as given (uri)`,
  );
  t.same(
    rows.map(({ uri, address }) => [uri, address]),
    cases,
  );
});

t.test('claims that lead to somebody else stay, are reported, and go with the next change', async (t) => {
  const [alice, bob, dora, erin] = ['alice', 'bob', 'dora', 'erin'].map((name) => `sip:${name}@example.com`);
  const database = await databaseBefore(t);
  const rows = [
    subscriber(dora ?? '', 'tel:+15550100'),
    subscriber(alice ?? ''),
    document(alice ?? '', 'sip:team@example.com', 'sip:alice@example.com;pres-list=rcs'),
    document(bob ?? '', 'sip:dora@example.com;x=1', 'sip:team@example.com;x=1', 'sip:own@example.com'),
    document(erin ?? '', 'sip:+15550100@example.com', 'sips:bob@example.com', 'sip:erin@example.com;x=1'),
  ];
  await query(database, rows.join('\n'));
  const contents = 'select xui, content, array(select uri from xcapd.claims order by 1) from xcapd.documents';
  const before = await query(database, contents);
  const sentences: string[] = [];
  await migrate(database, migrationsFolder, (sentence) => sentences.push(sentence));
  t.same(await query(database, contents), before, 'nothing is lost');
  const kept: [claim: string, other: string][] = [
    ['sip:+15550100@example.com', 'tel:+15550100'],
    ['sip:dora@example.com;x=1', 'sip:dora@example.com'],
    ['sip:team@example.com;x=1', 'sip:team@example.com'],
    ['sips:bob@example.com', 'sip:bob@example.com'],
  ];
  t.same(
    sentences,
    kept.map(
      ([claim, other]) =>
        `The claim '${claim}' stays as it is, though '${other}', which leads to the same user, belongs to another one.`,
    ),
  );
  const again: string[] = [];
  await migrate(database, migrationsFolder, (sentence) => again.push(sentence));
  t.same(again, [], 'it is told once');

  const { send } = await startServer(t, { database });
  const put = async (xui: string | undefined, ...uris: readonly string[]) => {
    const body = services(...uris);
    return (await send('PUT', `/xcap-root/rls-services/users/${xui ?? ''}/index`, { as: xui ?? '', body }))
      .status;
  };
  const team = 'sip:team@example.com';
  t.equal(await put(alice, team, 'sip:new@example.com'), 200, 'the first one goes on with what it has');
  t.equal(await put(bob, 'sip:dora@example.com;x=1', 'sip:own@example.com'), 409);
  t.equal(await put(bob, `${team};x=1`, 'sip:own@example.com'), 409);
  t.equal(await put(bob, 'sip:own@example.com'), 200);
  t.equal(await put(erin, 'sip:erin@example.com;x=1', 'sip:more@example.com'), 200);
});
