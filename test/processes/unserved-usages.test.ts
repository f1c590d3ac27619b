import t from 'tap';
import { cloneDatabase, query } from '../fixtures/database.js';
import { serve, urlOf } from '../fixtures/serve.js';

t.test('of several workers one tells which documents nobody serves', async (t) => {
  const database = await cloneDatabase(t);
  await query(
    database,
    "insert into xcapd.documents values ('sip:alice@example.com', 'gone', 'index', 'tag', 1, '<a/>', now())",
  );
  const served = await serve(t, { DATABASE_URL: urlOf(database), XCAP_WORKERS: '2' });
  // A worker that has something to tell does so before it ends.
  t.same(await served.kill('SIGTERM'), { code: 0, signal: null });
  t.equal(served.output().match(/"auid":"gone","documents":1/g)?.length, 1);
});
