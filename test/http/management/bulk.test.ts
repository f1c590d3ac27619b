import http from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { linesOf, type Line } from '../../../src/ndjson.js';
import { query } from '../../fixtures/database.js';
import { managementClient } from '../../fixtures/management-client.js';
import { until } from '../../fixtures/serve.js';
import { startServer } from '../../fixtures/xcap-server.js';

type Report = Readonly<Record<string, unknown>>;

const ndjson = { 'content-type': 'application/x-ndjson' };
const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';

/** Sends lines as they are made and reads the report meanwhile. */
function send(
  port: number,
  lines: Iterable<string> | AsyncIterable<string>,
  onReport: (report: Report) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port, method: 'POST', path: '/api/v1/import', headers: ndjson };
    const request = http.request(target, (response) => {
      createInterface({ input: response })
        .on('line', (line) => onReport(JSON.parse(line) as Report))
        .on('close', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject);
    Readable.from(lines).pipe(request);
  });
}

async function reportsOf(port: number, lines: readonly (object | string)[]): Promise<Report[]> {
  const reports: Report[] = [];
  const texts = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  await send(port, texts, (report) => reports.push(report));
  return reports;
}

t.test('lines of a stream', async (t) => {
  const read = async (pieces: readonly string[], limit = 10) => {
    const lines: Line[] = [];
    for await (const line of linesOf(
      Readable.from(pieces.map((piece) => Buffer.from(piece, 'latin1'))),
      limit,
    )) {
      lines.push(line);
    }
    return lines;
  };
  t.same(await read([]), []);
  t.same(await read(['a\nb']), [
    { number: 1, text: 'a' },
    { number: 2, text: 'b' },
  ]);
  t.same(await read(['\n  \r\na\n\n']), [{ number: 3, text: 'a' }], 'blank lines count and are nothing');
  t.same(await read(['a\xc3', '\xa4b\nc', 'd\n']), [
    { number: 1, text: 'aäb' },
    { number: 2, text: 'cd' },
  ]);
  t.same(await read(['12345678', '90123456789', '0123\nok\n12345678901\n', 'end']), [
    { number: 1, text: undefined },
    { number: 2, text: 'ok' },
    { number: 3, text: undefined },
    { number: 4, text: 'end' },
  ]);
  t.same(await read(['12345678901']), [{ number: 1, text: undefined }]);
});

t.test('an import goes on behind what is wrong', async (t) => {
  const { manage, managementPort, send } = await startServer(t);
  const ask = managementClient(manage);
  await ask('POST', '/subscribers', { xui: 'sip:old@example.com' });
  const reports = await reportsOf(managementPort, [
    { xui: 'sip:a@example.com', identities: ['tel:+1'], profile: 'p', isDisabled: true },
    'not json',
    { xui: 'sip:old@example.com' },
    '',
    { xui: 'sip:b@example.com', identities: ['tel:+1'] },
    { xui: 'sip:c@example.com', nickname: 'c' },
    {
      xui: 'd@EXAMPLE.com',
      documents: [
        { auid: 'resource-lists', path: 'index', content: list },
        { auid: 'resource-lists', path: 'bad', content: '<x/>' },
        { auid: 'nothing', path: 'index', content: list },
      ],
    },
    { xui: 'sip:e@example.com', password: 'secret' },
  ]);
  t.match(reports, [
    { line: 2, code: 'invalid-input' },
    { line: 3, code: 'identity-taken' },
    { line: 5, code: 'identity-taken', error: /tel:\+1/ },
    { line: 6, errors: [{ detail: /nickname/ }] },
    { line: 7, document: 'resource-lists/bad', condition: 'schema-validation-error' },
    { line: 7, document: 'nothing/index' },
    { imported: 3 },
    { done: true, imported: 3, refused: 4, documents: 1, documentsRefused: 2 },
  ]);
  t.match(await ask('GET', '/subscribers/tel:+1'), { body: { xui: 'sip:a@example.com', isDisabled: true } });
  const read = await send('GET', '/xcap-root/resource-lists/users/sip:d@example.com/index', {
    as: 'd@example.com',
  });
  t.equal(read.body, list);
});

t.test('what is no import', async (t) => {
  const { manage, managementPort } = await startServer(t);
  t.equal(
    (await manage('POST', '/api/v1/import', { body: '{}', headers: { 'content-type': 'text/plain' } }))
      .status,
    415,
  );
  t.equal((await manage('POST', '/api/v1/import')).status, 415);
  t.same(await reportsOf(managementPort, []), [
    { done: true, imported: 0, refused: 0, documents: 0, documentsRefused: 0 },
  ]);
});

/** What the process keeps, without what it has dropped already. */
function keptBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

t.test('an import that breaks off says so, and what it did', async (t) => {
  const { managementPort, database } = await startServer(t);
  const others = { ...database, database: 'postgres' };
  const lines = Array.from(
    { length: 1000 },
    (_, i) => `${JSON.stringify({ xui: `sip:${i}@example.com` })}\n`,
  );
  async function* interrupted() {
    yield* lines.slice(0, 500);
    await until('the first batch is there', async () => {
      const [row] = await query<{ n: number }>(database, 'select count(*)::int as n from xcapd.subscribers');
      return row?.n === 500;
    });
    await query(others, `alter database ${database.database} with allow_connections false`);
    await query(
      others,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.database}'`,
    );
    yield* lines.slice(500);
  }
  const reports: Report[] = [];
  await send(managementPort, interrupted(), (report) => reports.push(report));
  t.match(reports, [{ imported: 500 }, { done: false, imported: 500, error: /not available/ }]);
  await query(others, `alter database ${database.database} with allow_connections true`);
});

t.test('20,000 lines with progress and bounded memory', async (t) => {
  const { managementPort, database } = await startServer(t);
  const count = 20_000;
  /** If the lines were kept, it would be 60 MB and more. */
  const bound = 24 * 1024 * 1024;
  function* lines(): Generator<string> {
    for (let i = 0; i < count; i++) {
      const digest = [{ realm: 'example.com', username: `u${i}`, algorithm: 'MD5', ha1: '0'.repeat(32) }];
      const line = { xui: `sip:u${i}@example.com`, identities: [`tel:+1${i}`], impi: `u${i}`, digest };
      // The blanks are what makes a line weigh something.
      yield `${JSON.stringify(line)}${' '.repeat(3000)}\n`;
    }
  }
  const before = keptBytes();
  let highest = before;
  const sample = (n: number) => {
    if (n % 2500 === 0) highest = Math.max(highest, keptBytes());
  };
  const progress: number[] = [];
  let summary: Report = {};
  const status = await send(managementPort, lines(), (report) => {
    if ('done' in report) summary = report;
    else if ('imported' in report) {
      progress.push(Number(report.imported));
      sample(Number(report.imported));
    }
  });
  t.equal(status, 200);
  t.same(summary, { done: true, imported: count, refused: 0, documents: 0, documentsRefused: 0 });
  t.equal(progress.length, count / 500, 'a line for each transaction');
  t.same(
    progress,
    progress.toSorted((one, two) => one - two),
    'and always more',
  );
  t.ok(highest - before < bound, `import: the heap grew by ${Math.round((highest - before) / 1e6)} MB`);
  t.same(await query(database, 'select count(*)::int as n from xcapd.identities'), [{ n: 2 * count }]);

  highest = before;
  t.equal(await exportedLines(managementPort, sample), count);
  t.ok(highest - before < bound, `export: the heap grew by ${Math.round((highest - before) / 1e6)} MB`);
});

/** Reads an export and counts its lines. */
function exportedLines(port: number, onLine: (n: number) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let lines = 0;
    http
      .get({ host: '127.0.0.1', port, path: '/api/v1/export?include=credentials' }, (response) => {
        createInterface({ input: response })
          .on('line', () => onLine(++lines))
          .on('close', () => resolve(lines));
      })
      .on('error', reject);
  });
}

t.test('what one server exports another one imports', async (t) => {
  const [one, two] = [await startServer(t), await startServer(t)];
  const lines = [
    {
      xui: 'sip:a@example.com',
      identities: ['tel:+1'],
      impi: 'a',
      isDisabled: true,
      profile: 'p',
      quota: { documents: 3, bytes: 4000 },
      password: 'secret',
      documents: [{ auid: 'resource-lists', path: 'a%20b', content: list }],
    },
    { xui: 'tel:+2' },
  ];
  t.match((await reportsOf(one.managementPort, lines)).at(-1), { imported: 2, documents: 1 });
  const everything = '/export?include=credentials,documents';
  const exported = String((await managementClient(one.manage)('GET', everything)).body);
  const answer = await two.manage('POST', '/api/v1/import', { body: exported, headers: ndjson });
  t.match(JSON.parse(answer.body.trimEnd().split('\n').at(-1) ?? ''), {
    done: true,
    imported: 2,
    documents: 1,
  });
  t.equal((await managementClient(two.manage)('GET', everything)).body, exported, 'the same again');
  t.match(exported, /"ha1":"[0-9a-f]{64}"/);

  const plain = String((await managementClient(one.manage)('GET', '/export')).body);
  t.notMatch(plain, /ha1|scrypt|resource-lists/, 'no secrets and no contents where nobody asks for them');
  t.equal((await managementClient(one.manage)('GET', '/export?include=all')).status, 400);
});
