import t from 'tap';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { usageFolders } from '../../src/package-files.js';
import { readDocument } from '../../src/xml/fence.js';
import { mutantsOf, mutations, type Mutation } from '../../tools/schemas-compare/mutants.js';
import { read } from '../fixtures/source.js';

/** Every well-formed example of every usage: documents of all vocabularies and styles. */
const examples = readdirSync(usageFolders.sources, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.xml'))
  .map((path) => ({ path, text: readFileSync(join(usageFolders.sources, path), 'utf8') }))
  .filter(({ text }) => readDocument(text).ok);

t.test('every mutant is well-formed and differs from its source', (t) => {
  const seen = new Set<Mutation>();
  for (const { path, text } of examples) {
    for (const { mutation, name, text: mutant } of mutantsOf(read(text))) {
      seen.add(mutation);
      const reading = readDocument(mutant);
      if (!reading.ok) t.fail(`${path}: ${mutation} (${name}): ${reading.refusal.message}`);
      if (mutant === text) t.fail(`${path}: ${mutation} (${name}) changes nothing`);
    }
  }
  t.ok(examples.length > 100, 'there are examples');
  t.strictSame([...seen].sort(), [...mutations].sort(), 'each kind of mutation occurs');
  t.end();
});

t.test('what each kind of mutation does', (t) => {
  const cases: readonly [mutation: Mutation, source: string, mutants: readonly string[]][] = [
    ['element removed', '<r><a/>, <b>x</b></r>', ['<r>, <b>x</b></r>', '<r><a/>, </r>']],
    ['element removed', '<r/>', []],
    ['element doubled', '<r><a> x</a> </r>', ['<r><a> x</a><a> x</a> </r>']],
    [
      'element renamed',
      '<p:r xmlns:p="urn:p"><a></a ></p:r>',
      [
        '<p:r-mutant xmlns:p="urn:p"><a></a ></p:r-mutant>',
        '<p:r xmlns:p="urn:p"><a-mutant></a-mutant ></p:r>',
      ],
    ],
    ['element renamed', "<r a='/>' />", ["<r-mutant a='/>' />"]],
    ['element swapped with the next', '<r><a/> <b/></r>', ['<r><b/> <a/></r>']],
    ['element swapped with the next', '<r><a/><a/></r>', []],
    ['element moved to the end', '<r><a/>1<b/>2<c/>3</r>', ['<r>1<b/>2<c/><a/>3</r>']],
    ['element moved to the end', '<r><a/><b/></r>', []],
    [
      'foreign element added',
      '<r>x<a b="c"/></r>',
      [
        '<r>x<a b="c"/><mutant xmlns="urn:example:mutant"/></r>',
        '<r>x<a b="c"><mutant xmlns="urn:example:mutant"/></a></r>',
      ],
    ],
    [
      'text replaced',
      '<r><a/>x<b>x<!-- --></b></r>',
      ['<r><a>mutant value</a>x<b>x<!-- --></b></r>', '<r><a/>x<b>mutant value</b></r>'],
    ],
    ['text emptied', '<r><a/><b>x</b><c></c></r>', ['<r><a/><b></b><c></c></r>']],
    ['attribute removed', `<r a = "1"\n b='2' />`, [`<r\n b='2' />`, '<r a = "1" />']],
    ['attribute removed', '<p:r xmlns:p="urn:p" p:a="1"/>', ['<p:r xmlns:p="urn:p"/>']],
    ['attribute value replaced', `<r a='1'/>`, [`<r a='mutant value'/>`]],
    ['attribute value emptied', '<r a="1" b=""/>', ['<r a="" b=""/>']],
    [
      'attribute added',
      '<r><a added="1" /></r>',
      ['<r added="0"><a added="1" /></r>', '<r><a added="1" added-too="0" /></r>'],
    ],
    [
      'foreign attribute added',
      '<r a="1">x</r>',
      ['<r a="1" xmlns:mutant="urn:example:mutant" mutant:added="0">x</r>'],
    ],
  ];
  for (const [mutation, source, expected] of cases) {
    const found = mutantsOf(read(source)).filter((mutant) => mutant.mutation === mutation);
    t.strictSame(
      found.map(({ text }) => text),
      expected,
      `${mutation}: ${source}`,
    );
  }
  const tested = new Set(cases.map(([mutation]) => mutation));
  t.strictSame([...tested].sort(), [...mutations].sort(), 'each kind has a case');
  t.end();
});

t.test('a mutant says where it differs', (t) => {
  const found = mutantsOf(read('<r>\n<a/>\n<p:b xmlns:p="urn:p" p:c="1"/></r>'));
  const place = (mutation: Mutation) =>
    found.filter((mutant) => mutant.mutation === mutation).map(({ name, element }) => [name, element.line]);
  t.strictSame(place('element removed'), [
    ['a', 2],
    ['b', 3],
  ]);
  t.strictSame(place('attribute removed'), [['c', 3]]);
  t.end();
});
