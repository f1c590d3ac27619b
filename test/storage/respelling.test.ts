/** Migration 8 on a database that was filled before it. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { migrationsFolder } from '../../src/package-files.js';
import { migrate } from '../../src/storage/migrations.js';
import { emptyDatabase, query, type TestDatabase } from '../fixtures/database.js';
import { managementClient } from '../fixtures/management-client.js';
import { startServer } from '../fixtures/xcap-server.js';

const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';

async function databaseBefore(t: Test, rows: string): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-before-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(migrationsFolder, folder, {
    recursive: true,
    filter: (name) => !/00(0[89]|[1-9]\d)\.do/.test(name),
  });
  const database = await emptyDatabase(t);
  t.equal((await migrate(database, folder)).length, 7);
  await query(database, rows);
  return database;
}

function document(xui: string, path = 'index', auid = 'resource-lists'): string {
  return (
    `insert into xcapd.documents values ('${xui}', '${auid}', '${path}', 'tag', 1, '${list}', now());` +
    `insert into xcapd.document_versions values ('${xui}', '${auid}', '${path}', 1, null, 'tag', '${list}', '${xui}', '', now());`
  );
}

function subscriber(xui: string, ...others: string[]): string {
  const identities = [xui, ...others].map(
    (identity) => `insert into xcapd.identities values ('${identity}', '${xui}');`,
  );
  return `insert into xcapd.subscribers (xui) values ('${xui}'); ${identities.join('')}`;
}

function claim(uri: string, xui: string): string {
  return `insert into xcapd.claims values ('${uri}', '${xui}', 'resource-lists', 'index', '<x/>');`;
}

async function migrated(database: TestDatabase): Promise<string[]> {
  const warnings: string[] = [];
  await migrate(database, migrationsFolder, (sentence) => warnings.push(sentence));
  return warnings;
}

async function column(database: TestDatabase, sql: string): Promise<string[]> {
  const rows = await query<{ text: string }>(database, sql);
  return rows.map(({ text }) => text);
}

t.test('what is nobody else’s gets its one form, with all that belongs to it', async (t) => {
  const old = 'sip:%64ora@example.com';
  const database = await databaseBefore(
    t,
    [
      subscriber(old, 'sip:dora@example.com', 'sip:d.ora@example.com.', 'tel:+1555;phone-context=A.example'),
      `insert into xcapd.digest_secrets values ('example.com', 'dora', 'MD5', '${old}', 'secret');`,
      `insert into xcapd.password_hashes values ('${old}', 'hash');`,
      `insert into xcapd.grants (xui, grantee, access, expires_at, created_by) values ('${old}', 'sip:%62ob@example.com', 'read', now(), 'x');`,
      `insert into xcapd.roles values ('sip:rls@example%2ecom', 'support');`,
      `insert into xcapd.audit_records (actor, action, subject, details) values ('a%', 'identity.add', '${old}', '{"identity": "sip:d.ora@example.com.", "n": 1}');`,
      document(old),
      document('sip:erin@example.com.', 'one'),
      document('sip:erin@example%2Ecom', 'two'),
      document('0a1b2c3d'),
      document(''),
      `insert into xcapd.flagged_documents values ('${old}', 'resource-lists', 'index', 'tag', 'reason');`,
      claim('sip:te%61m@example.com', old),
      claim('sip%3Aother%40example.com', 'sip:erin@example%2Ecom').replace("'index'", "'two'"),
      `insert into xcapd.listed_claims_revisions values ('resource-lists', 'before');`,
      `insert into xcapd.document_versions values ('sip:gone@example.com.', 'a', 'b', 1, null, 't', null, 'operator:100%', '', now());`,
    ].join('\n'),
  );
  t.same(await migrated(database), [], 'nothing is in the way');
  const dora = 'sip:dora@example.com';
  t.same(await column(database, 'select xui as text from xcapd.subscribers'), [dora]);
  t.same(await column(database, 'select identity as text from xcapd.identities order by 1'), [
    'sip:d.ora@example.com',
    dora,
    'tel:+1555;phone-context=a.example',
  ]);
  for (const table of ['identities', 'digest_secrets', 'password_hashes', 'grants', 'flagged_documents']) {
    t.same(await column(database, `select distinct xui as text from xcapd.${table}`), [dora], table);
  }
  t.same(await column(database, 'select grantee as text from xcapd.grants'), ['sip:bob@example.com']);
  t.same(await column(database, 'select xui as text from xcapd.roles'), ['sip:rls@example.com']);
  const audit =
    "select subject || ' ' || (details->>'identity') || (details->>'n') as text from xcapd.audit_records";
  t.same(await column(database, audit), [`${dora} sip:d.ora@example.com1`]);
  const erin = 'sip:erin@example.com';
  t.same(await column(database, "select xui || ' ' || path as text from xcapd.documents order by 1"), [
    ' index',
    '0a1b2c3d index',
    `${dora} index`,
    `${erin} one`,
    `${erin} two`,
  ]);
  t.same(
    await column(database, "select xui || ' ' || author as text from xcapd.document_versions order by 1"),
    [
      ' ',
      '0a1b2c3d 0a1b2c3d',
      `${dora} ${dora}`,
      `${erin} ${erin}`,
      `${erin} ${erin}`,
      'sip:gone@example.com operator:100%',
    ],
  );
  t.same(await column(database, "select uri || ' ' || xui as text from xcapd.claims order by 1"), [
    `sip:other@example.com ${erin}`,
    `sip:team@example.com ${dora}`,
  ]);
  t.strictNotSame(await column(database, 'select revision as text from xcapd.listed_claims_revisions'), [
    'before',
  ]);
  t.same(
    await column(database, 'select distinct content as text from xcapd.documents'),
    [list],
    'bytes stay',
  );
  t.same(await migrated(database), [], 'it is done once');
});

t.test(
  'what is somebody else’s stays, is reported, and can be read and removed by the operator',
  async (t) => {
    const dora = 'sip:dora@example.com';
    const other = 'sip:%64ora@example.com';
    const database = await databaseBefore(
      t,
      [
        subscriber(dora),
        subscriber(other, 'sip:doris@example.com.'),
        subscriber('sip:frank@example.com', 'sip:DORA@example.com', 'sip:d%6Fra@example.com'),
        document(dora),
        document(other),
        document('sip:erin@example.com'),
        document('sip:erin@example.com.'),
        document('sip:erin@example.com.', 'free'),
        document('sip:carl@example.com'),
        document('sip:hans@example.com.'),
        claim('sip:team@example.com', dora),
        claim('sip:te%61m@example.com', 'sip:erin@example.com'),
        claim('sip:hans@example.com', 'sip:carl@example.com'),
        claim('sip%3Adora%40example.com', 'sip:carl@example.com'),
        `insert into xcapd.roles values ('sip:rls@example.com', 'support'), ('sip:rls@example.com.', 'administrator');`,
        `insert into xcapd.grants (xui, grantee, access, expires_at, created_by) values ('sip:frank@example.com', '${other}', 'read', now() + interval '1 day', 'x');`,
      ].join('\n'),
    );
    const rows =
      "select (select count(*) from xcapd.documents) || ' ' || (select count(*) from xcapd.identities) || ' ' || (select count(*) from xcapd.claims) || ' ' || (select count(*) from xcapd.roles) as text";
    const before = await column(database, rows);
    const warnings = await migrated(database);
    t.same(await column(database, rows), before, 'nothing is lost');
    const kept = [
      ['claim', 'sip%3Adora%40example.com', dora],
      ['claim', 'sip:te%61m@example.com', 'sip:team@example.com'],
      ['home', 'sip:erin@example.com.', 'sip:erin@example.com'],
      ['home', 'sip:hans@example.com.', 'sip:hans@example.com'],
      ['identity', 'sip:d%6Fra@example.com', dora],
      ['role', 'sip:rls@example.com.', 'sip:rls@example.com'],
      ['subscriber', other, dora],
    ];
    const listed = `select kind || ' ' || spelling || ' ' || canonical as text from xcapd.kept_spellings order by kind collate "C", spelling collate "C"`;
    t.same(
      await column(database, listed),
      kept.map((row) => row.join(' ')),
    );
    t.equal(warnings.length, kept.length);
    t.ok(
      warnings.includes(
        `The subscriber '${other}' stays as it is, though '${dora}', which leads to the same user, belongs to another one.`,
      ),
    );
    t.same(
      await column(
        database,
        "select xui || ' ' || path as text from xcapd.documents where xui like 'sip:erin%' order by 1",
      ),
      ['sip:erin@example.com free', 'sip:erin@example.com index', 'sip:erin@example.com. index'],
    );
    t.same(
      await column(database, 'select grantee as text from xcapd.grants'),
      [other],
      'a grant means whom it meant',
    );

    const { manage } = await startServer(t, { database });
    const ask = managementClient(manage);
    const path = (xui: string) => `/documents/resource-lists/users/${encodeURIComponent(xui)}/index`;
    for (const xui of [other, 'sip:erin@example.com.', 'sip:erin@example.com']) {
      t.equal((await manage('GET', `/api/v1${path(xui)}`)).body, list, `the operator reads ${xui}`);
    }
    t.match((await ask('GET', `/subscribers/${encodeURIComponent(other)}`)).body, {
      xui: other,
      identities: [other, 'sip:doris@example.com'],
    });
    t.match((await ask('GET', '/subscribers/sip%3Ad%256Fr%61%40example.com')).body, {
      xui: 'sip:frank@example.com',
    });
    t.equal((await ask('DELETE', `/subscribers/${encodeURIComponent(other)}`)).status, 204, 'and removes it');
    t.match((await ask('GET', `/subscribers/${dora}`)).body, { xui: dora }, 'without the other one');
    t.equal((await manage('GET', `/api/v1${path(dora)}`)).body, list);
    t.match(
      (await ask('GET', `/subscribers/${encodeURIComponent(other)}`)).body,
      { xui: dora },
      'now it means her',
    );
    t.equal((await manage('DELETE', `/api/v1${path('sip:erin@example.com.')}`)).status, 204);
    t.same(await column(database, "select xui as text from xcapd.documents where xui like 'sip:erin%.'"), []);
    t.equal((await ask('DELETE', '/roles/sip:rls@example.com.')).status, 204);
    t.same(await column(database, 'select xui as text from xcapd.roles'), ['sip:rls@example.com']);
  },
);
