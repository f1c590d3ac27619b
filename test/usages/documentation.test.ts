import { readFileSync } from 'node:fs';
import t from 'tap';
import { applicationUsagesFile, describeApplicationUsages } from '../../tools/application-usages.js';

t.test('docs/application-usages.md is what `npm run docs` writes', async (t) => {
  t.equal(readFileSync(applicationUsagesFile, 'utf8'), await describeApplicationUsages());
});
