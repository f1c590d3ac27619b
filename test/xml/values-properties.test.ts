/** What constraints judge is what readers see: the values that the source tree gives are those of libxml2. */
import fc from 'fast-check';
import { parseXml, type Element, type Text } from 'libxmljs2';
import t from 'tap';
import { readDocument } from '../../src/xml/fence.js';
import type { SourceElement, SourceTree } from '../../src/xml/source-tree.js';
import { textOf } from '../../src/xml/text-content.js';
import { parseNodeSelector } from '../../src/xcap/uri/node-selector.js';
import { selectNode } from '../../src/xcap/document/locate.js';

const runs = { seed: 4825, numRuns: 4000 };

/** Counts texts that pass the fence, and judges them. */
function whereAccepted(text: string, judge: (tree: SourceTree, root: Element) => void): boolean {
  const reading = readDocument(text);
  if (!reading.ok) return false;
  const root = parseXml(text, { nonet: true }).root();
  if (root === null) throw new Error('libxml2 sees no element');
  judge(reading.value, root);
  return true;
}

function same(ours: string, theirs: string, text: string): void {
  if (ours === theirs) return;
  throw new Error(`${JSON.stringify(ours)} and not ${JSON.stringify(theirs)} in ${JSON.stringify(text)}`);
}

t.test('the text of an element', async (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(content(), (inside) => {
      const text = `<a>${inside}</a>`;
      const isAccepted = whereAccepted(text, (tree, root) => {
        same(textOf(text, tree.root), textInside(root), text);
        const ours = tree.root.children.map((child) => textOf(text, child));
        const theirs = root.childNodes().filter(isElement).map(textInside);
        same(ours.join('|'), theirs.join('|'), text);
      });
      if (isAccepted) accepted += 1;
    }),
    runs,
  );
  t.ok(accepted > 2000, `${accepted} were well-formed`);
});

t.test('the values of attributes', async (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(attributeValue(), fc.constantFrom('"', "'"), (value, quote) => {
      const text = `<a b=${quote}${value}${quote} p:c=${quote}${value}${quote} xmlns:p="urn:p"/>`;
      const isAccepted = whereAccepted(text, ({ root }, theirs) => {
        same(
          valuesOf(root).join('|'),
          theirs
            .attrs()
            .map((attribute) => attribute.value())
            .join('|'),
          text,
        );
      });
      if (isAccepted) accepted += 1;
    }),
    runs,
  );
  t.ok(accepted > 2000, `${accepted} were well-formed`);
});

t.test('namespaces', async (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(attributeValue(), (value) => {
      const text = `<p:a xmlns:p="urn:${value}x"/>`;
      const isAccepted = whereAccepted(text, ({ root }, theirs) => {
        same(root.namespace, theirs.namespace()?.href() ?? '', text);
      });
      if (isAccepted) accepted += 1;
    }),
    runs,
  );
  t.ok(accepted > 1500, `${accepted} were well-formed`);
});

t.test('a predicate with the literal of an attribute selects its element', async (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(attributeValue(), (value) => {
      // A line end of two characters is one in a document only (XML 1.0 §2.11).
      fc.pre(!value.includes('\r\n'));
      const text = `<a b="${value}"/>`;
      const isAccepted = whereAccepted(text, ({ root }) => {
        const selector = encodeURIComponent(`a[@b="${value}"]`);
        const node = selectNode(root, parseNodeSelector({ selector, query: '' }, () => '').selector);
        same(String(node?.kind), 'element', text);
      });
      if (isAccepted) accepted += 1;
    }),
    runs,
  );
  t.ok(accepted > 1500, `${accepted} were well-formed`);
});

function valuesOf({ attributes }: SourceElement): string[] {
  return attributes.map(({ value }) => value);
}

function isText(node: { type: () => string }): node is Text {
  return ['text', 'cdata'].includes(node.type());
}

function isElement(node: { type: () => string }): node is Element {
  return node.type() === 'element';
}

function textInside(element: Element): string {
  return element
    .childNodes()
    .filter(isText)
    .map((node) => node.text())
    .join('');
}

function content(): fc.Arbitrary<string> {
  const markup = fc.constantFrom(
    ...['<!-->-->', '<!---->', '<!-- &amp; <b> ]]> -->', '<!--\r\n-->'],
    ...['<?p?>', '<?p >?>', '<?p ? -->?>', '<?p <![CDATA[?>'],
    ...[
      '<![CDATA[]]>',
      '<![CDATA[]]]]>',
      '<![CDATA[>]]>',
      '<![CDATA[&#47;&amp;]]>',
      '<![CDATA[\r\n\r]]>',
      '<![CDATA[<!--]]>',
    ],
    ...['<c/>', '<c>&#x2F;</c>', '<c a=">"></c>', '<c\r\n>\r</c >', '<c><!-- x -->y</c>'],
  );
  return joined(fc.oneof(characters(), reference(), markup));
}

function attributeValue(): fc.Arbitrary<string> {
  return joined(fc.oneof(characters(), reference()));
}

function joined(piece: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
}

function characters(): fc.Arbitrary<string> {
  return fc.constantFrom(
    ...[
      'a',
      '/',
      ' ',
      '  ',
      '\t',
      '\n',
      '\r',
      '\r\n',
      '\n\r',
      '\u0085',
      '\u00a0',
      '\u2028',
      '\uFEFF',
      'é',
      '\u{1F600}',
    ],
    ...['>', ']', ']]', '-', '--', '?', ';', '#', '"', "'"],
  );
}

/** XML 1.0 §4.1: characters by number, with any number of zeros before it, and by name. */
function reference(): fc.Arbitrary<string> {
  const number = fc.constantFrom(
    0x9,
    0xa,
    0xd,
    0x20,
    0x22,
    0x26,
    0x27,
    0x2f,
    0x3c,
    0x3e,
    0x5d,
    0x85,
    0xe9,
    0xfffd,
    0x1f600,
    0x10ffff,
  );
  const zeros = fc.constantFrom(0, 0, 1, 4, 8, 12, 20).map((count) => '0'.repeat(count));
  const hexadecimal = fc
    .tuple(zeros, number, fc.boolean())
    .map(([z, n, isUpper]) => `&#x${z}${isUpper ? n.toString(16).toUpperCase() : n.toString(16)};`);
  const decimal = fc.tuple(zeros, number).map(([z, n]) => `&#${z}${n};`);
  return fc.oneof(hexadecimal, decimal, fc.constantFrom('&amp;', '&lt;', '&gt;', '&quot;', '&apos;'));
}
