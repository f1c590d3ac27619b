/** docs/rfc-support.md names tests that exist, and every section that the code cites. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../src/package-files.js';
import { simpleConditions } from '../src/xcap/conflict.js';

const document = readFileSync(join(packageFolder, 'docs/rfc-support.md'), 'utf8');
const rows = [...document.matchAll(/^\| §([0-9.]+) ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)].map(
  ([, section = '', , support = '', tests = '']) => ({ section, support, tests }),
);

t.test('every section has a verdict and tests that exist', (t) => {
  t.ok(rows.length > 35);
  for (const { section, support, tests } of rows) {
    t.match(support, /^(yes|partial|no)\b/, `§${section}`);
    const files = [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
    t.ok(files.length > 0, `§${section} has a test`);
    for (const file of files) {
      const path = file.startsWith('transcripts/') ? `test/conformance/${file}` : `test/${file}`;
      t.ok(existsSync(join(packageFolder, path)), `§${section}: ${path}`);
    }
  }
  t.end();
});

t.test('every transcript is listed', (t) => {
  for (const file of readdirSync(join(packageFolder, 'test/conformance/transcripts'))) {
    t.ok(document.includes(`transcripts/${file}`), file);
  }
  t.end();
});

t.test('the table of conditions is the one of the code', (t) => {
  const listed = [...document.matchAll(/^\| `([a-z0-9-]+)` \| /gm)].map(([, condition]) => condition);
  t.same(listed.toSorted(), [...simpleConditions, 'no-parent', 'uniqueness-failure', 'extension'].toSorted());
  t.end();
});

t.test('every section of RFC 4825 that the core cites is listed', (t) => {
  const listed = new Set(rows.map(({ section }) => section));
  const folder = join(packageFolder, 'src/xcap');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    // A section number behind the name of another document is not one of RFC 4825.
    const own = text.replace(/(RFC (?!4825)\d+|XML 1\.0|XML \d\.\d|TS [\d.]+|framework|1\.0) §[\d.]+/g, '');
    for (const [, section = ''] of own.matchAll(/§(\d+(?:\.\d+)*)/g))
      t.ok(listed.has(section), `${file} cites §${section}`);
  }
  t.end();
});
