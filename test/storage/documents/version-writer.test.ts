/** Writes that share a commit: at the level of the store, where it can be said which of them meet. */
import pg from 'pg';
import t from 'tap';
import { openPool } from '../../../src/storage/database.js';
import { versionWriter } from '../../../src/storage/documents/version-writer.js';
import type { VersionToWrite } from '../../../src/storage/documents/write-statement.js';
import { cloneDatabase, query, type TestDatabase } from '../../fixtures/database.js';
import { deadlocks } from '../../fixtures/deadlocks.js';
import type { TestContext } from '../../fixtures/tap.js';

const options = { node: 'test', historyVersions: 5 };

function writerOn(t: TestContext, database: TestDatabase) {
  const pool = openPool(database, () => undefined);
  t.teardown(() => pool.end());
  return versionWriter(pool, options);
}

let tags = 0;

function version(
  user: string,
  more: Partial<Omit<VersionToWrite, 'key'>> & { readonly path?: string } = {},
): VersionToWrite & { readonly text: string } {
  const { path = 'index', text, ...others } = more;
  return {
    key: { xui: `sip:${user}@example.com`, auid: 'resource-lists', path },
    author: 'sip:author@example.com',
    owner: { isSubscriber: false, quota: undefined },
    expectedTag: undefined,
    newTag: `tag${++tags}`,
    claims: undefined,
    flaw: undefined,
    audit: undefined,
    ...others,
    text: text ?? `<list n="${user} \\ &quot;"/>`,
  };
}

const users = Array.from({ length: 30 }, (_, i) => `user${i}`);
const stored = (database: TestDatabase) =>
  query<{ xui: string; content: string; entity_tag: string; xmin: string }>(
    database,
    'select xui, content, entity_tag, xmin::text from xcapd.documents order by xui',
  );

t.test('writes that wait together share commits, and each has its own outcome', async (t) => {
  const database = await cloneDatabase(t);
  const write = writerOn(t, database);
  const versions = [
    ...users.map((user) => version(user)),
    version('limited', { owner: { isSubscriber: false, quota: { documents: 0, bytes: undefined } } }),
    version('erased', { owner: { isSubscriber: true, quota: undefined } }),
    version('stale', { expectedTag: 'another' }),
    version('flagged', {
      flaw: 'It has a flaw.',
      audit: { actor: 'ann', action: 'a', subject: 's', details: {} },
    }),
  ];
  const swaps = await Promise.all(versions.map(write));
  const none = { swapped: false, taken: null, exceeded: null, home: null };
  t.match(
    swaps.slice(0, 30),
    Array.from({ length: 30 }, () => ({ ...none, swapped: true })),
  );
  t.match(swaps.slice(30), [
    { ...none, exceeded: 'documents' },
    { ...none, home: 'gone' },
    none,
    { ...none, swapped: true },
  ]);
  const rows = await stored(database);
  t.strictSame(
    new Map(rows.map(({ xui, content, entity_tag }) => [xui, [content, entity_tag]])),
    new Map(
      [...versions.slice(0, 30), ...versions.slice(33)].map(({ key, text, newTag }) => [
        key.xui,
        [text, newTag],
      ]),
    ),
  );
  const commits = new Set(rows.map(({ xmin }) => xmin)).size;
  t.ok(commits <= 3, `the first two go at once, the others together (${commits} commits)`);
  t.match(await query(database, 'select reason from xcapd.flagged_documents'), [
    { reason: 'It has a flaw.' },
  ]);
  t.match(await query(database, 'select actor from xcapd.audit_records'), [{ actor: 'ann' }]);
});

t.test('a write that the database refuses leaves the others written', async (t) => {
  const database = await cloneDatabase(t);
  const write = writerOn(t, database);
  const bad = version('bad', { text: 'no text of PostgreSQL: \0' });
  const outcomes = await Promise.allSettled([...users.map((user) => version(user)), bad].map(write));
  t.ok(outcomes.slice(0, -1).every((one) => one.status === 'fulfilled' && one.value.swapped));
  t.match(outcomes.at(-1), { status: 'rejected', reason: { code: '22021' } });
  t.equal((await stored(database)).length, users.length);
});

/** Has the home of the user `locked` for itself until it commits. */
async function moverOf(t: TestContext, database: TestDatabase): Promise<pg.Client> {
  const mover = new pg.Client(database);
  await mover.connect();
  t.teardown(() => mover.end());
  await mover.query('begin');
  await mover.query("select pg_advisory_xact_lock(xcapd.home_lock('sip:locked@example.com'))");
  return mover;
}

t.test('a home that somebody keeps locked keeps no other write waiting', async (t) => {
  const database = await cloneDatabase(t);
  const write = writerOn(t, database);
  const mover = await moverOf(t, database);
  // Two that have gone ahead alone, and then one in a batch.
  const ahead = [version('ahead1'), version('ahead2')].map(write);
  const locked = write(version('locked'));
  const others = users.map((user) => write(version(user)));
  let isWritten = false;
  void locked.then(() => (isWritten = true));
  t.ok((await Promise.all([...ahead, ...others])).every(({ swapped }) => swapped));
  t.notOk(isWritten, 'only the write below it waits');
  await mover.query('commit');
  t.ok((await locked).swapped);
});

t.test('writes that were alone when they met a locked home keep no other waiting', async (t) => {
  const database = await cloneDatabase(t);
  const write = writerOn(t, database);
  const mover = await moverOf(t, database);
  // Each of them goes when nobody is before it.
  const locked = ['index', 'other', 'third'].map((path) => write(version('locked', { path })));
  let written = 0;
  for (const one of locked)
    void one.then(
      () => written++,
      () => written++,
    );
  t.ok((await write(version('other'))).swapped);
  t.equal(written, 0, 'only the writes below it wait');
  await mover.query('commit');
  t.ok((await Promise.all(locked)).every(({ swapped }) => swapped));
});

t.test('batches of four processes overlap on the same documents in any order', async (t) => {
  const database = await cloneDatabase(t);
  // Who waits crosswise is to be found out, and not to give up before.
  await query(
    database,
    "do $$ begin execute (select 'alter function ' || oid::regprocedure || ' reset lock_timeout' from pg_proc where proname = 'write_documents'); end $$",
  );
  const processes = Array.from({ length: 4 }, () => writerOn(t, database));
  const documents = 40;
  const tasks = 10_000;
  const current = new Map<string, { readonly tag: string; readonly count: number }>();
  let acknowledged = 0;
  /** What another process wrote meanwhile is read again, as the store does. */
  const add = async (write: (typeof processes)[number], user: string): Promise<void> => {
    const { tag, count } = current.get(user) ?? { tag: undefined, count: 0 };
    const next = version(user, { expectedTag: tag, text: String(count + 1) });
    const { swapped } = await write(next);
    if (!swapped) return add(write, user);
    acknowledged++;
    current.set(user, { tag: next.newTag, count: count + 1 });
  };
  const work = async (write: (typeof processes)[number], start: number, step: number) => {
    for (let i = 0; i < tasks / 80; i++) await add(write, `user${(start + i * step) % documents}`);
  };
  // Twenty writers in each process; half of them go through the documents backwards.
  await Promise.all(
    processes.flatMap((write, p) =>
      Array.from({ length: 20 }, (_, w) => work(write, p * 10 + w * 2, w % 2 === 0 ? 1 : documents - 1)),
    ),
  );
  t.equal(acknowledged, tasks);
  const [sum] = await query<{ n: number }>(
    database,
    'select sum(content::int)::int as n from xcapd.documents',
  );
  t.equal(sum?.n, tasks, 'nothing that was acknowledged is lost');
  t.equal(await deadlocks(database), 0);
});
