import t from 'tap';
import { admission } from '../../src/xcap/admission.js';
import { storedDocument } from '../../src/xcap/document/stored-document.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';

t.test('rules are judged once for each version, usage and reader', async (t) => {
  let judged = 0;
  const usage = (auid: string) => ({
    auid,
    readers: {
      rulesFor: () => [],
      admit: ({ localName }: { readonly localName: string }) => {
        judged++;
        return localName === 'everybody';
      },
    },
  });
  const admits = admission();
  const everybody = storedDocument('<everybody/>', 'first');
  const nobody = storedDocument('<nobody/>', 'second');
  const cases = [
    ['groups', everybody, [alice], true],
    ['groups', nobody, [alice], false],
    ['groups', everybody, [alice, bob], true],
    ['groups', everybody, [bob], true],
    ['watchers', everybody, [bob], true],
  ] as const;
  for (let i = 0; i < 3; i++) {
    for (const [auid, rules, xuis, verdict] of cases)
      t.equal(admits(usage(auid), rules, xuis), verdict, auid);
    t.equal(judged, cases.length);
  }
  t.equal(admission()(usage('groups'), everybody, [alice]), true);
  t.equal(judged, cases.length + 1, 'each server judges for itself');
});

t.test('a usage without readers admits nobody', async (t) => {
  t.equal(admission()({ auid: 'resource-lists' }, storedDocument('<a/>', 'tag'), [alice]), false);
});
