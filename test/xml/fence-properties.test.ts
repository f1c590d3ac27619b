import fc from 'fast-check';
import { parseXml, type Attribute, type Element } from 'libxmljs2';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { readDocument, readFragment } from '../../src/xml/fence.js';
import { loadSchema, validate } from '../../src/xml/schema.js';
import { descendantsOrSelf, type SourceElement } from '../../src/xml/source-tree.js';

/** The tree of a text that has to pass. */
function accepted(text: string): SourceElement {
  const result = readDocument(text);
  if (!result.ok) throw new Error(`${JSON.stringify(text)} was refused: ${result.refusal.message}`);
  return result.value.root;
}

t.test('every element stands where the tree says', async (t) => {
  fc.assert(
    fc.property(documents(), (text) => {
      const root = accepted(text);
      t.equal(text.slice(0, root.start) + pieces(text, root) + text.slice(root.end), text);
      for (const element of descendantsOrSelf(root)) {
        const fragment = readFragment(text.slice(element.start, element.end));
        t.strictSame(fragment, { ok: true, value: { start: 0, end: element.end - element.start } });
      }
    }),
    { seed: 4825, numRuns: 200 },
  );
});

t.test('libxml2 accepts what the fence accepts, and sees the same', async (t) => {
  const tolerated = new Set([99, 513, 539]); // not a URI; xml:id: repeated, not a name
  const schema = loadSchema(join(packageFolder, 'schemas/xcap-error.xsd'), () =>
    t.fail('the second validator calls it valid'),
  );
  let passed = 0;
  fc.assert(
    fc.property(mutatedDocuments(), (text) => {
      const result = readDocument(text);
      if (!result.ok) return;
      passed += 1;
      const validity = validate(text, schema);
      // Not before it is parsed.
      if (validity.valid || !validity.message.includes('has no such element at the top')) {
        throw new Error(JSON.stringify(validity));
      }
      const document = parseXml(text, { nonet: true });
      const grave = document.errors.filter((e) => (e.level ?? 0) >= 2 && !tolerated.has(e.code ?? 0));
      if (grave.length > 0) throw new Error(grave[0]?.message);
      const names = document.find<Element>('//*').map((e) => [e.namespace()?.href() ?? '', e.name()]);
      const seen = [...descendantsOrSelf(result.value.root)].map((e) => [e.namespace, e.localName]);
      if (JSON.stringify(names) !== JSON.stringify(seen)) throw new Error('another tree');
      const values = document.find<Attribute>('//@*').map((a) => [a.name(), a.value()]);
      const seenValues = [...descendantsOrSelf(result.value.root)].flatMap((e) =>
        e.attributes.map((a) => [a.localName, a.value]),
      );
      if (JSON.stringify(values) !== JSON.stringify(seenValues)) throw new Error('other attributes');
    }),
    { seed: 4825, numRuns: 8000 },
  );
  t.ok(passed > 300, `${String(passed)} of 8000 documents passed the fence`);
});

/** The text of an element, put together from its tags, its children and what lies between them. */
function pieces(text: string, element: SourceElement): string {
  let at = element.startTagEnd;
  let whole = text.slice(element.start, at);
  for (const child of element.children) {
    whole += text.slice(at, child.start) + pieces(text, child);
    at = child.end;
  }
  return whole + text.slice(at, element.contentEnd) + text.slice(element.contentEnd, element.end);
}

function documents(): fc.Arbitrary<string> {
  const space = fc.constantFrom('', ' ', '\n', '\r\n', '\r', '\t ');
  const name = fc.constantFrom('a', 'p:b', 'list', 'é', '\u{10000}');
  const value = fc.constantFrom(
    '',
    '>',
    '/>',
    '&lt;',
    'a\r\nb',
    '\u{1F600}',
    '&#10;',
    '<'.replace('<', '&#60;'),
  );
  const attribute = fc
    .constantFrom('', ' c="', ' p:d="', ' xmlns="')
    .chain((start) =>
      start === '' ? fc.constant('') : value.map((v) => `${start}${start.includes('xmlns') ? 'urn:y' : v}"`),
    );
  const filler = fc.constantFrom(
    '',
    'text',
    '\r\n',
    '<!-- <a> -->',
    '<?pi </a>?>',
    '<![CDATA[</a>]]>',
    '\u{1F600}',
    '&amp;',
  );
  const { element } = fc.letrec<{ element: string; children: string[] }>((tie) => ({
    element: fc
      .tuple(name, attribute, space, tie('children'), filler, fc.boolean())
      .map(([n, a, s, children, f, empty]) =>
        empty ? `<${n}${a}${s}/>` : `<${n}${a}${s}>${f}${children.join(f)}</${n}${s}>`,
      ),
    children: fc.oneof(
      { depthSize: 'medium' },
      fc.constant<string[]>([]),
      fc.array(tie('element'), { maxLength: 4 }),
    ),
  }));
  const prolog = fc.constantFrom('', '\uFEFF', '<?xml version="1.0"?>\r\n', '<!-- <x> -->\n');
  return fc.tuple(prolog, element, space).map(([p, e, s]) => `${p}<p:root xmlns:p="urn:p">${e}</p:root>${s}`);
}

function mutatedDocuments(): fc.Arbitrary<string> {
  const original = fc.constantFrom(
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<r xmlns="urn:x" xmlns:p="urn:p" a="1\t2&#10;3&amp;"><!-- c < > --><p:e p:a=\'"\' b="&lt;>"/>t\u{1F600}<![CDATA[<x>]]><?pi a?><e\r\n  q="1"\n>x</e ></r>\n',
    '\uFEFF<a xml:lang="en" xmlns=""><b xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:space="preserve"/>&#x41;</a>',
    '<p:a xmlns:p="urn:1"><p:a xmlns:p="urn:2" p:b="" b=""/><q:b xmlns:q="urn:2" q:a="x"/></p:a>',
  );
  const piece = fc.constantFrom(
    ...'< > / & " \' = : - ! ? [ ; # % 1 . p: q: é · xmlns <!-- --> <? ?> ]]> <![CDATA[ &amp; &#0; &#xD; <a/> </a>'.split(
      ' ',
    ),
    ...[
      '',
      ' ',
      '\n',
      '\r',
      '\t',
      '\0',
      '\u0085',
      '\u2028',
      '\uFEFF',
      '\uFFFE',
      '\u0300',
      '\u{10000}',
      ' a=""',
      ' p:a=""',
    ],
    ...[
      'xmlns:p=""',
      'xmlns:q="urn:p" ',
      ' xmlns=" urn:x"',
      ' xml:id="1"',
      '<?xml version="1.0"?>',
      '<!DOCTYPE a>',
    ],
    ...['http://www.w3.org/XML/1998/namespace', 'http://www.w3.org/2000/xmlns/'],
  );
  const mutation = fc.tuple(
    fc.noBias(fc.integer({ min: 0, max: 9999 })),
    fc.constantFrom(0, 0, 1, 2, 5),
    piece,
  );
  return fc.tuple(original, fc.array(mutation, { minLength: 1, maxLength: 3 })).map(([text, mutations]) =>
    mutations.reduce<string>((mutated, [where, removed, inserted]) => {
      const at = Math.floor((where / 10_000) * (mutated.length + 1));
      return mutated.slice(0, at) + inserted + mutated.slice(at + removed);
    }, text),
  );
}
