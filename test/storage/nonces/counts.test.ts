import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { openNonceCounts } from '../../../src/storage/nonces/counts.js';
import { unusedWindow, useCount, type NonceWindow } from '../../../src/storage/nonces/window.js';
import { openPipelinedClient } from '../../../src/storage/pipelined-client.js';
import { readServerKey } from '../../../src/storage/server-keys.js';
import { cloneDatabase, query, type TestDatabase } from '../../fixtures/database.js';

async function openProcess(t: Test, database: TestDatabase, capacity?: number) {
  const reader = openPipelinedClient(database, () => undefined);
  const bound = capacity === undefined ? {} : { capacity };
  const counts = await openNonceCounts({ reader, address: database, onError: () => undefined, ...bound });
  t.teardown(async () => {
    await counts.end();
    await reader.end();
  });
  return { ...counts, reader };
}

const later = (): number => Date.now() + 60_000;

t.test('the window, against a set of used counts', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }), (counts) => {
      const used = new Set<number>();
      let window: NonceWindow = unusedWindow;
      for (const count of counts) {
        const next = useCount(window, count);
        const highest = Math.max(-1, ...used);
        const isExpected = !used.has(count) && count > highest - 64;
        if ((next !== undefined) !== isExpected) return false;
        if (next === undefined) continue;
        window = next;
        used.add(count);
      }
      return true;
    }),
  );
  t.end();
});

t.test('the window in the database is the same', async (t) => {
  const database = await cloneDatabase(t);
  const { reader, maker } = await openProcess(t, database);
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 0xffffffff })), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.nat(30),
      async (counts, inMemory) => {
        const nonce = `${maker}${number++}`;
        let window: NonceWindow = unusedWindow;
        for (const count of counts.slice(0, inMemory)) window = useCount(window, count) ?? window;
        await reader.query({
          text: "select xcapd.share_nonce($1, $2, $3, now() + interval '1 minute')",
          values: [nonce, window.highest, BigInt.asIntN(64, window.used)],
        });
        for (const count of counts.slice(inMemory)) {
          const next = useCount(window, count);
          const { rows } = await reader.query<{ used: boolean }>({
            text: 'select xcapd.use_nonce_count($1, $2) as used',
            values: [nonce, count],
          });
          if (rows[0]?.used !== (next !== undefined)) return false;
          window = next ?? window;
        }
        return true;
      },
    ),
    { numRuns: 60 },
  );
});

t.test('one process alone asks no database', async (t) => {
  const counts = await openProcess(t, await cloneDatabase(t));
  const nonce = `${counts.maker}1`;
  t.match(counts.maker, /^[0-9a-f]{12}$/);
  t.ok(await counts.use(nonce, 1, later()));
  t.notOk(await counts.use(nonce, 1, later()));
  t.ok(await counts.use(nonce, 3, later()));
  t.ok(await counts.use(nonce, 2, later()));
  t.notOk(await counts.use(nonce, 2, later()));
});

t.test('several processes', async (t) => {
  const database = await cloneDatabase(t);
  const [maker, second, third] = await Promise.all([1, 2, 3].map(() => openProcess(t, database)));
  if (maker === undefined || second === undefined || third === undefined) throw new Error('three');
  const nonce = `${maker.maker}1`;
  t.ok(await maker.use(nonce, 1, later()));
  t.notOk(await second.use(nonce, 1, later()), 'used by its maker');
  t.ok(await second.use(nonce, 2, later()));
  t.notOk(await maker.use(nonce, 2, later()), 'used by another process');
  t.notOk(await third.use(nonce, 2, later()));
  t.ok(await maker.use(nonce, 4, later()));
  t.ok(await third.use(nonce, 3, later()));
  t.notOk(await maker.use(nonce, 3, later()));

  const unused = `${maker.maker}2`;
  t.ok(await second.use(unused, 1, later()), 'its maker never saw it again');
  t.notOk(await maker.use(unused, 1, later()));
});

t.test('a race: each count is good once', async (t) => {
  const database = await cloneDatabase(t);
  const processes = await Promise.all([1, 2, 3].map(() => openProcess(t, database)));
  for (let round = 0; round < 20; round++) {
    const nonce = `${processes[0]?.maker ?? ''}${round}`;
    const counts = Array.from({ length: 20 }, (_, i) => i);
    const results = await Promise.all(
      counts.flatMap((count) =>
        processes.map(async (one, i) => {
          // The maker begins, so that the others come in the middle of it.
          await sleep(i === 0 ? count % 4 : (count + round) % 8);
          return { count, isGood: await one.use(nonce, count, later()) };
        }),
      ),
    );
    for (const count of counts) {
      const good = results.filter((result) => result.count === count && result.isGood);
      if (good.length !== 1) t.fail(`count ${count} was good ${good.length} times`);
    }
  }
  t.pass();
});

t.test('a maker that is gone', async (t) => {
  const database = await cloneDatabase(t);
  const survivor = await openProcess(t, database);
  t.notOk(await survivor.use('00112233445566', 1, later()));
});

t.test('a crash of PostgreSQL makes no count good again', async (t) => {
  const database = await cloneDatabase(t);
  const [maker, other] = [await openProcess(t, database), await openProcess(t, database)];
  const nonce = `${maker.maker}1`;
  t.ok(await other.use(nonce, 5, later()));
  // What happens to an unlogged table.
  await query(database, 'truncate xcapd.nonce_counts');
  t.notOk(await other.use(nonce, 5, later()));
  t.notOk(await maker.use(nonce, 5, later()));
  t.notOk(await maker.use(nonce, 6, later()));
});

t.test('a lost connection is made again', async (t) => {
  const database = await cloneDatabase(t);
  const [maker, other] = [await openProcess(t, database), await openProcess(t, database)];
  await query(
    database,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.database}' and query like 'listen%'`,
  );
  await sleep(100);
  t.notOk(await other.use(`${maker.maker}1`, 1, later()), 'nobody answers');
  await sleep(1500);
  t.ok(await other.use(`${maker.maker}2`, 1, later()));
});

t.test('what is forgotten is refused', async (t) => {
  const database = await cloneDatabase(t);
  const [maker, other] = [await openProcess(t, database, 2), await openProcess(t, database)];
  const at = later();
  for (const [i, nonce] of ['a', 'b', 'c'].entries()) t.ok(await maker.use(maker.maker + nonce, 1, at + i));
  t.notOk(await maker.use(`${maker.maker}a`, 1, at), 'it does not know whether it was used');
  t.notOk(await other.use(`${maker.maker}a`, 1, at), 'and gives nobody what it does not know');
  t.ok(await maker.use(`${maker.maker}b`, 2, at + 1));
  t.ok(await maker.use(`${maker.maker}d`, 1, at + 3));
});

t.test('rows that have expired are removed', async (t) => {
  const database = await cloneDatabase(t);
  const [maker, other] = [await openProcess(t, database), await openProcess(t, database)];
  await query(
    database,
    `insert into xcapd.nonce_counts select 'old' || n, 1, 1, now() - interval '1 hour' from generate_series(1, 30) n`,
  );
  const rows = async () => (await query(database, 'select from xcapd.nonce_counts')).length;
  await other.use(`${maker.maker}1`, 1, later());
  t.equal(await rows(), 11);
  await other.use(`${maker.maker}2`, 1, later());
  t.equal(await rows(), 2);
});

t.test('one key for all', async (t) => {
  const database = await cloneDatabase(t);
  const readers = [1, 2, 3].map(() => openPipelinedClient(database, () => undefined));
  t.teardown(() => Promise.all(readers.map((reader) => reader.end())));
  const keys = await Promise.all(readers.map((reader) => readServerKey(reader, 'nonce')));
  t.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 1);
  t.equal(keys[0]?.length, 32);
});
