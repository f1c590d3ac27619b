import { thrown } from '../../fixtures/thrown.js';
import t from 'tap';
import {
  checkWriteConditions,
  isNotModified,
  parseEntityTagList,
  type Conditions,
} from '../../../src/xcap/document/conditions.js';

t.test('entity tag lists', (t) => {
  const cases: [header: string | undefined, list: ReturnType<typeof parseEntityTagList>][] = [
    [undefined, undefined],
    ['', undefined],
    [' ', undefined],
    ['*', '*'],
    ['"a"', [{ tag: 'a', weak: false }]],
    ['W/"a"', [{ tag: 'a', weak: true }]],
    [
      '"a", W/"b" ,"c"',
      [
        { tag: 'a', weak: false },
        { tag: 'b', weak: true },
        { tag: 'c', weak: false },
      ],
    ],
    ['"a,b"', [{ tag: 'a,b', weak: false }]],
    // From the field: no quotes, doubled quotes.
    ['a', [{ tag: 'a', weak: false }]],
    ['""a""', [{ tag: 'a', weak: false }]],
    ['""', [{ tag: '', weak: false }]],
  ];
  for (const [header, list] of cases) t.same(parseEntityTagList(header), list, String(header));
  t.equal(parseEntityTagList('"a",'.repeat(100))?.length, 100);
  t.match(
    thrown(() => parseEntityTagList('"a",'.repeat(101))),
    { status: 400 },
  );
  t.end();
});

function conditions(ifMatch?: string, ifNoneMatch?: string): Conditions {
  const match = parseEntityTagList(ifMatch);
  const noneMatch = parseEntityTagList(ifNoneMatch);
  return {
    ...(match === undefined ? {} : { ifMatch: match }),
    ...(noneMatch === undefined ? {} : { ifNoneMatch: noneMatch }),
  };
}

t.test('RFC 9110 §13.1: writes', (t) => {
  const cases: [
    ifMatch: string | undefined,
    ifNoneMatch: string | undefined,
    current: string | undefined,
    ok: boolean,
  ][] = [
    [undefined, undefined, 'x', true],
    [undefined, undefined, undefined, true],
    ['"x"', undefined, 'x', true],
    ['"y", "x"', undefined, 'x', true],
    ['W/"x"', undefined, 'x', false],
    ['"y"', undefined, 'x', false],
    ['*', undefined, 'x', true],
    ['*', undefined, undefined, false],
    ['"x"', undefined, undefined, false],
    [undefined, '*', 'x', false],
    [undefined, '*', undefined, true],
    [undefined, '"x"', 'x', false],
    [undefined, 'W/"x"', 'x', false],
    [undefined, '"y"', 'x', true],
    ['"x"', '"x"', 'x', false],
  ];
  for (const [ifMatch, ifNoneMatch, current, ok] of cases) {
    const check = () => checkWriteConditions(conditions(ifMatch, ifNoneMatch), current);
    const name = `If-Match: ${ifMatch ?? '-'}, If-None-Match: ${ifNoneMatch ?? '-'}, current ${current ?? '-'}`;
    if (ok) t.doesNotThrow(check, name);
    else t.match(thrown(check), { status: 412 }, name);
  }
  t.end();
});

t.test('RFC 9110 §13.1: reads', (t) => {
  t.equal(isNotModified(conditions(undefined, '"x"'), 'x'), true);
  t.equal(isNotModified(conditions(undefined, 'W/"x"'), 'x'), true, 'weak comparison');
  t.equal(isNotModified(conditions(undefined, '*'), 'x'), true);
  t.equal(isNotModified(conditions(undefined, '"y"'), 'x'), false);
  t.equal(isNotModified(conditions(), 'x'), false);
  t.match(
    thrown(() => isNotModified(conditions('"y"'), 'x')),
    { status: 412 },
  );
  t.match(
    thrown(() => isNotModified(conditions('"y"', '"x"'), 'x')),
    { status: 412 },
    'If-Match is judged first',
  );
  t.end();
});
