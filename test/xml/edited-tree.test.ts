/** The tree that is made of the tree before an edit is the one that a fresh reading of the text gives. */
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import {
  insertElement,
  putAttribute,
  removeAttribute,
  removeElement,
  replaceElement,
} from '../../src/xcap/document/splice.js';
import { readEdited, type Splice } from '../../src/xml/edited-tree.js';
import { LIMITS, readDocument, UNLIMITED, type Result } from '../../src/xml/fence.js';
import { descendantsOrSelf, type SourceTree } from '../../src/xml/source-tree.js';
import { read } from '../fixtures/source.js';

const space = fc.constantFrom(' ', '\n\t', '  ', '\r\n', '\r');
const filler = fc.constantFrom(
  ...[
    '',
    '',
    ' ',
    '\n  ',
    '\r\n',
    '\r',
    '\n',
    'text',
    ']',
    ']]',
    '>',
    ']>',
    'é',
    '\u{1F600}',
    '&amp;',
    '&#13;',
  ],
  ...[
    '<!-- <a> -->',
    '<?pi </a>?>',
    '<![CDATA[</a>\r\n]]>',
    '<![CDATA[]]]]>',
    '<!--&#x00000000041;\r\n\r-->',
    '<?p\n?>',
  ],
);
const name = fc.constantFrom('a', 'a', 'list', 'p:b', 'q:b', 'p:list', 'é', '\u{10000}x', 'constructor');
const value = fc.constantFrom(
  ...[
    '',
    'x',
    'x',
    '>',
    '/>',
    '&lt;',
    'a\r\nb\tc',
    '\u{1F600}é',
    '&#10;',
    "it's",
    'sip:somebody@example.com',
  ],
);
const namespace = fc.constantFrom('urn:1', 'urn:2', 'urn:é');
const ordinaryAttribute = fc.tuple(
  fc.constantFrom('id', 'c', 'p:x', 'q:x', 'xml:lang', 'xml:id', '__proto__', 'toString'),
  value,
);
const declaration = fc.oneof(
  fc.tuple(fc.constantFrom('xmlns', 'xmlns:p', 'xmlns:q', 'xmlns:__proto__'), namespace),
  fc.constant(['xmlns', ''] as [string, string]),
);
const attribute = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: ordinaryAttribute }, { weight: 1, arbitrary: declaration }),
    fc.tuple(space, fc.constantFrom('', ' ', '\n'), fc.constantFrom('"', "'")),
  )
  .map(([[key, v], [before, around, quote]]) => {
    const q = v.includes("'") ? '"' : quote;
    return [key, `${before}${key}${around}=${around}${q}${v}${q}`] as const;
  });
/** Most of them have no attribute twice. */
const attributes = fc
  .uniqueArray(attribute, { maxLength: 3, selector: ([key]) => key })
  .map((list) => list.map(([, text]) => text).join(''));

const { element } = fc.letrec<{ element: string; content: string[] }>((tie) => ({
  element: fc
    .tuple(name, attributes, fc.constantFrom('', '', ' ', '\r\n'), fc.boolean(), tie('content'))
    .map(([n, a, s, short, content]) => {
      const inner = content.join('');
      return inner === '' && short ? `<${n}${a}${s}/>` : `<${n}${a}${s}>${inner}</${n}${s}>`;
    }),
  content: fc.oneof(
    { depthSize: 'medium' },
    filler.map((f) => [f]),
    fc
      .tuple(fc.array(fc.tuple(filler, filler, tie('element')), { maxLength: 4 }), filler)
      .map(([parts, last]) => [...parts.flat(), last]),
  ),
}));

const documents = fc
  .tuple(
    fc.constantFrom('', '\uFEFF', '<?xml version="1.0"?>\r\n', '<!-- <x> -->\n<?pi?>', '\n'),
    fc.constantFrom('', ' xmlns="urn:1"'),
    fc.array(fc.tuple(filler, element, filler), { maxLength: 4 }),
    fc.constantFrom('', '\n', '<!-- end -->'),
  )
  .map(([prolog, declared, parts, epilog]) => {
    const start = `${prolog}<p:root xmlns:p="urn:1" xmlns:q="urn:2"${declared}`;
    return parts.length === 0 ? `${start}/>${epilog}` : `${start}>${parts.flat().join('')}</p:root>${epilog}`;
  });

/** What no client can put by way of the fence is among them. */
const fragments = fc.oneof(
  { weight: 12, arbitrary: element },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['<r:a/>', '<a r:b=""/>', '<a/><b/>', '<!-- c --><a/>', '<a/>\n', '<a><?xml version="1.0"?></a>'],
      ...['<a', 'x', '<a>]]></a>', '<a \u{1}=""/>', '<xmlns:a/>', '<a b="&#x00000000041;"/>', '\uFEFF<a/>'],
      ...['<a xmlns:p=""/>', '<a p:x="" xmlns:r="urn:1" r:x=""/>', '<a xmlns=" urn:1"/>', '<!DOCTYPE a><a/>'],
    ),
  },
);
/** What is put anywhere. */
const pieces = fc.constantFrom(
  ...[
    '',
    ' ',
    'x',
    '"',
    "'",
    '<',
    '>',
    '/',
    '/>',
    '</a>',
    '<a/>',
    '&',
    ']]>',
    '\r',
    '\n',
    ' c="1"',
    ' q:x="2"',
  ],
  ...[' xmlns:p="urn:2"', ' xmlns="urn:2"', ' xmlns=""', ' xmlns:r="urn:3"', '<!--', '-->', '\uD83D', '="'],
);
const attributeNames = fc.constantFrom(
  { namespace: '', localName: 'id', prefix: '' },
  { namespace: '', localName: '__proto__', prefix: '' },
  { namespace: 'urn:1', localName: 'x', prefix: 'p' },
  { namespace: 'urn:2', localName: 'x', prefix: 'p' },
  { namespace: 'http://www.w3.org/XML/1998/namespace', localName: 'lang', prefix: 'xml' },
);
const kinds = ['insert', 'replace', 'remove', 'put attribute', 'remove attribute', 'anything'] as const;
const edits = fc.record({
  kind: fc.constantFrom(...kinds),
  which: fc.nat(10_000),
  at: fc.nat(10_000),
  length: fc.constantFrom(0, 0, 1, 2, 5),
  fragment: fragments,
  piece: pieces,
  attribute: attributeNames,
  value: fc.constantFrom(
    '',
    'x',
    'a &amp; b',
    '"',
    "'",
    '\r\n',
    '\u{1F600}',
    '&#x41;',
    '\n\n',
    '&#x00000000041;',
  ),
});
type RandomEdit = typeof edits extends fc.Arbitrary<infer T> ? T : never;

function chosen<T>(among: readonly T[], choice: number): T | undefined {
  return among[choice % among.length];
}

/** The splice of a random edit; undefined where the tree has nothing to which it could be done. */
function spliceOf(tree: SourceTree, edit: RandomEdit): Splice | undefined {
  const elements = descendantsOrSelf(tree.root);
  const element = chosen(elements, edit.which) ?? tree.root;
  switch (edit.kind) {
    case 'insert': {
      const sibling = chosen([...element.children, undefined], edit.at);
      const place = sibling && {
        kind: edit.length === 0 ? ('before' as const) : ('after' as const),
        sibling,
      };
      return insertElement(tree, element, place ?? { kind: 'last' }, edit.fragment).splice;
    }
    case 'replace':
      return replaceElement(element, edit.fragment).splice;
    case 'remove':
      return removeElement(chosen(elements.slice(1), edit.which) ?? tree.root);
    case 'put attribute':
      try {
        return putAttribute(tree, element, edit.attribute, edit.value).splice;
      } catch {
        return undefined; // no prefix for its namespace
      }
    case 'remove attribute': {
      const owner = chosen(
        elements.filter((candidate) => candidate.attributes.length > 0),
        edit.which,
      );
      const removed = owner && chosen(owner.attributes, edit.at);
      return owner && removed && removeAttribute(tree, owner, removed);
    }
    case 'anything': {
      const start = element.start + (edit.at % (element.end - element.start));
      return {
        within: edit.length === 1 ? element.parent : element,
        start,
        end: Math.min(start + edit.length, tree.text.length),
        replacement: edit.at % 3 === 0 ? edit.fragment : edit.piece,
      };
    }
  }
}

function after({ text }: SourceTree, { start, end, replacement }: Splice): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** Whoever holds the tree goes on reading it: nothing of it may change. */
function frozen(tree: SourceTree): SourceTree {
  for (const element of descendantsOrSelf(tree.root)) {
    for (const part of [element, element.children, element.attributes, ...element.attributes])
      Object.freeze(part);
  }
  return tree;
}

function isMadeOfTheTreeBefore(reading: Result<SourceTree>): boolean {
  return reading.ok && reading.value.earlierText > 0;
}

/** Edits a tree and compares with a fresh reading of the text. */
function edited(tree: SourceTree, splice: Splice): Result<SourceTree> {
  const reading = readEdited(frozen(tree), splice);
  const fresh = readDocument(after(tree, splice));
  const compared = reading.ok ? { ok: true, value: { ...reading.value, earlierText: 0 } } : reading;
  if (!isDeepStrictEqual(compared, fresh)) {
    throw new Error(
      `${JSON.stringify(tree.text)} became another than ${JSON.stringify(after(tree, splice))}`,
    );
  }
  if (reading.ok && reading.value.earlierText > 2 * reading.value.text.length)
    throw new Error('too much is kept');
  return reading;
}

t.test('the tree after an edit is that of a fresh reading, and so is a refusal', async (t) => {
  const done = new Map(kinds.map((kind) => [kind, { all: 0, made: 0, refused: 0 }]));
  fc.assert(
    fc.property(documents, fc.array(edits, { minLength: 1, maxLength: 4 }), (text, list) => {
      const reading = readDocument(text);
      if (!reading.ok) return;
      let tree = reading.value;
      for (const edit of list) {
        const splice = spliceOf(tree, edit);
        if (splice === undefined) continue;
        const result = edited(tree, splice);
        const count = done.get(edit.kind);
        if (count !== undefined) {
          count.all += 1;
          if (isMadeOfTheTreeBefore(result)) count.made += 1;
          if (!result.ok) count.refused += 1;
        }
        if (result.ok) tree = result.value;
      }
    }),
    { seed: 4825, numRuns: 8000 },
  );
  for (const [kind, { all, made, refused }] of done) {
    t.comment(`${kind}: ${String(all)}, ${String(made)} made of the tree before, ${String(refused)} refused`);
    t.ok(made > (kind === 'anything' ? 0.02 : 0.4) * all, `${kind}: made of the tree before`);
    if (kind !== 'remove attribute') t.ok(refused > 10, `${kind}: refused`);
  }
});

/** A document with one child `here`, and what is put in its place, or into its start tag. */
const place = '<here/>';
function replacing(text: string, replacement: string, size?: typeof UNLIMITED): Result<SourceTree> {
  const reading = readDocument(text, size);
  if (!reading.ok) throw new Error(reading.refusal.message);
  const here = descendantsOrSelf(reading.value.root).find(({ localName }) => localName === 'here');
  if (here === undefined) throw new Error('the text has no place');
  return edited(reading.value, replaceElement(here, replacement).splice);
}

function nested(levels: number, inner: string): string {
  return '<a>'.repeat(levels) + inner + '</a>'.repeat(levels);
}

function declarations(count: number, name: string): string {
  return Array.from({ length: count }, (_, i) => ` xmlns:${name}${String(i)}="urn:${String(i)}"`).join('');
}

function attributeList(count: number): string {
  return Array.from({ length: count }, (_, i) => ` a${String(i)}=""`).join('');
}

const scopes = (inner: string): string =>
  `<a${declarations(60, 'a')}><a${declarations(60, 'b')}><a${declarations(60, 'c')}><a${declarations(60, 'd')}>${inner}</a></a></a></a>`;

/** A root with a place and so many nodes in all. */
const nodesInAll = (count: number): string => `<r>${place}${'<!---->'.repeat(count - 2)}</r>`;

t.test('the limits of the fence are those of the text after the edit', async (t) => {
  const cases: [
    what: string,
    text: string,
    replacement: string,
    accepted: boolean,
    size?: typeof UNLIMITED,
  ][] = [
    ['as deep as allowed', nested(LIMITS.depth - 1, place), '<b/>', true],
    ['deeper', nested(LIMITS.depth - 1, place), '<b><c/></b>', false],
    ['as many nodes as allowed', nodesInAll(LIMITS.nodes - 3), '<b c="" d=""><!----></b>', true],
    ['more nodes', nodesInAll(LIMITS.nodes - 2), '<b c="" d=""><!----></b>', false],
    ['as many nodes as before', nodesInAll(LIMITS.nodes), '<b/>', true],
    ['too many nodes before, which the server made', nodesInAll(LIMITS.nodes + 1), '<b/>', false, UNLIMITED],
    ['as many declarations as allowed', scopes(place), `<b${declarations(16, 'e')}/>`, true],
    ['more declarations', scopes(place), `<b${declarations(17, 'e')}/>`, false],
    ['as long as allowed', `<r>${place}${'x'.repeat(LIMITS.length - 14)}</r>`, place, true],
    ['longer', `<r>${place}${'x'.repeat(LIMITS.length - 14)}</r>`, '<longer/>', false],
    ['as many attributes as allowed', `<r>${place}</r>`, `<b${attributeList(LIMITS.attributes)}/>`, true],
    ['more attributes', `<r>${place}</r>`, `<b${attributeList(LIMITS.attributes + 1)}/>`, false],
    ['a prefix of the place', `<r xmlns:p="urn:p">${place}</r>`, '<p:b p:c=""/>', true],
    ['a prefix of a sibling', `<r><s xmlns:p="urn:p"/>${place}</r>`, '<p:b/>', false],
    [
      'one attribute twice there',
      `<r xmlns:p="urn:p" xmlns:q="urn:p">${place}</r>`,
      '<b p:c="" q:c=""/>',
      false,
    ],
    ['no default namespace', `<r xmlns="urn:r"><s xmlns="">${place}</s></r>`, '<b/>', true],
    ['text that ends CDATA', `<r>]]${place}></r>`, '', false],
    ['text that looks like it', `<r>]${place}></r>`, '', true],
    ['a reference that is too long', `<r>${place}</r>`, '<b>&#x00000000041;</b>', false],
    ['what is none in a comment', `<r>${place}</r>`, '<b><!--&#x00000000041;--></b>', true],
    ['half a line end on each side', `<r>\r${place}\n<b/></r>`, '', true],
  ];
  for (const [what, text, replacement, accepted, size] of cases) {
    t.equal(replacing(text, replacement, size).ok, accepted, what);
  }
});

t.test('what the text after the edit hardly has is not kept', async (t) => {
  const text = `<r>${place}<a b="${'x'.repeat(1000)}"/></r>`;
  const tree = read(text);
  const [, large] = tree.root.children;
  if (large === undefined) throw new Error('it has two children');
  const kept = edited(tree, replaceElement(large, `<a b="${'y'.repeat(1000)}"/>`).splice);
  t.ok(isMadeOfTheTreeBefore(kept));
  const small = edited(tree, removeElement(large));
  t.equal(small.ok && small.value.earlierText, 0);
});

t.test('what is put behind an empty-element tag is not in it', async (t) => {
  const tree = read('<r><a/></r>');
  const [a] = tree.root.children;
  if (a === undefined) throw new Error('it has a child');
  const result = edited(tree, { within: a, start: a.end, end: a.end, replacement: '<b/>' });
  t.equal(result.ok && result.value.root.children.length, 2);
});

t.test('a namespace declaration put into a start tag gives its names to all below', async (t) => {
  const tree = read('<p:r xmlns:p="urn:1"><p:a><p:b/></p:a></p:r>');
  const [a] = tree.root.children;
  if (a === undefined) throw new Error('it has a child');
  const at = a.startTagEnd - 1;
  const result = edited(tree, { within: a, start: at, end: at, replacement: ' xmlns:p="urn:2"' });
  t.equal(result.ok && result.value.root.children[0]?.children[0]?.namespace, 'urn:2');
});
