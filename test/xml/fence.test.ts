import t from 'tap';
import { decodeUtf8, LIMITS, readDocument, readFragment, type FenceRefusal } from '../../src/xml/fence.js';
import { descendantsOrSelf, type SourceElement } from '../../src/xml/source-tree.js';

type Reason = FenceRefusal['reason'];

/** The tree of a text that has to pass. */
function accepted(text: string): SourceElement {
  const result = readDocument(text);
  if (!result.ok) throw new Error(`${JSON.stringify(text)} was refused: ${result.refusal.message}`);
  return result.value.root;
}

function reasonOf(result: ReturnType<typeof readDocument | typeof readFragment>): Reason | 'accepted' {
  return result.ok ? 'accepted' : result.refusal.reason;
}

t.test('bytes are UTF-8 or refused', async (t) => {
  const utf16 = Buffer.from('\uFEFF<a/>', 'utf16le');
  const table: [name: string, bytes: Uint8Array, expected: string | undefined][] = [
    ['plain', Buffer.from('<a>é\u{1F600}</a>'), '<a>é\u{1F600}</a>'],
    ['with a byte order mark, which stays', Buffer.from('\uFEFF<a/>'), '\uFEFF<a/>'],
    ['empty', new Uint8Array(), ''],
    ['UTF-16, little endian', utf16, undefined],
    ['UTF-16, big endian', Buffer.from(utf16).swap16(), undefined],
    ['UTF-16 without a byte order mark', Buffer.from('<a/>', 'utf16le'), undefined],
    ['Latin 1', Buffer.from('<a>é</a>', 'latin1'), undefined],
    ['overlong', Uint8Array.of(0xc0, 0xbc), undefined],
    ['a surrogate', Uint8Array.of(0xed, 0xa0, 0x80), undefined],
    ['cut off', Uint8Array.of(0x3c, 0x61, 0xe2, 0x82), undefined],
  ];
  for (const [name, bytes, expected] of table) {
    const result = decodeUtf8(bytes);
    t.equal(result.ok ? result.value : undefined, expected, name);
    if (!result.ok) t.equal(result.refusal.reason, 'not-utf-8', name);
  }
});

t.test('what a document may not be', async (t) => {
  const table: [reason: Reason, text: string][] = [
    ['not-utf-8', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>'],
    ['not-utf-8', '<a>\uD800<b/></a>'],
    ['not-well-formed', ''],
    ['not-well-formed', ' \n'],
    ['not-well-formed', 'text'],
    ['not-well-formed', '<a>'],
    ['not-well-formed', '<a></b>'],
    ['not-well-formed', '<a/><b/>'],
    ['not-well-formed', '<a/>x'],
    ['not-well-formed', '<a/><'],
    ['not-well-formed', ' <?xml version="1.0"?><a/>'],
    ['not-well-formed', '<?xml version="1.1"?><a/>'],
    ['not-well-formed', '<?xml encoding="UTF-8"?><a/>'],
    ['not-well-formed', '<a b="1" b="2"/>'],
    ['not-well-formed', '<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>'],
    ['not-well-formed', '<a b=1/>'],
    ['not-well-formed', '<a b="<"/>'],
    ['not-well-formed', '<a>&nbsp;</a>'],
    ['not-well-formed', '<a>&#0;</a>'],
    ['not-well-formed', '<a>]]></a>'],
    ['not-well-formed', '<a>\0</a>'],
    ['not-well-formed', '<a>\uFFFE</a>'],
    ['not-well-formed', '<a><!-- -- --></a>'],
    ['not-well-formed', '<a><!-- &#x0000000002F;</a>'],
    ['not-well-formed', '<a:b:c/>'],
    ['not-well-formed', '<:a/>'],
    ['not-well-formed', '<p:-b xmlns:p="u"/>'],
    ['not-well-formed', '<a xmlns:p="u" p:1=""/>'],
    ['not-well-formed', '<a xmlns:1="u"/>'],
    ['not-well-formed', '<a xmlns:p=""/>'],
    ['not-well-formed', '<a xmlns:xml="u"/>'],
    ['not-well-formed', '<a xmlns:xmlns="u"/>'],
    ['not-well-formed', '<a><?p:q?></a>'],
    ['unbound-prefix', '<p:a/>'],
    ['unbound-prefix', '<a p:b=""/>'],
    ['unbound-prefix', '<a><b xmlns:p="u"/><p:c/></a>'],
    ['forbidden', '<!DOCTYPE a><a/>'],
    ['forbidden', '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
    ['forbidden', '<a xmlns="u&amp;v"/>'],
    ['forbidden', '<a xmlns:p=" u"/>'],
    ['forbidden', '<a>&#x0000000002F;</a>'],
    ['forbidden', '<a b="&#x0000000002F;"/>'],
    ['forbidden', '<a><!-- <![CDATA[ --><?p <!-- ?><![CDATA[ <? ]]>&#x0000000002F;<!-- --></a>'],
    ['forbidden', '<a>'.repeat(LIMITS.depth + 1) + '</a>'.repeat(LIMITS.depth + 1)],
    ['forbidden', `<a ${attributes(LIMITS.attributes + 1)}/>`],
    ['forbidden', `<a>${'<b/>'.repeat(LIMITS.nodes)}</a>`],
    ['forbidden', `<a>${'<!---->'.repeat(LIMITS.nodes)}</a>`],
    ['forbidden', `<${'a'.repeat(LIMITS.name + 1)}/>`],
    ['forbidden', `<a><?${'a'.repeat(LIMITS.name + 1)}?></a>`],
    ['forbidden', `<a>${'x'.repeat(LIMITS.length)}</a>`],
    ['forbidden', nestedDeclarations(5, 60)],
  ];
  for (const [reason, text] of table) {
    const result = readDocument(text);
    t.equal(reasonOf(result), reason, JSON.stringify(text.slice(0, 60)));
    if (!result.ok) {
      t.match(result.refusal.message, /^[A-Z'].*\.$/s);
      t.ok(result.refusal.message.length <= 300);
    }
  }
});

t.test('what a document may be', async (t) => {
  const table: string[] = [
    '\uFEFF<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<!-- c --><?p?><a/>\n<!-- c -->',
    '<a>'.repeat(LIMITS.depth) + '</a>'.repeat(LIMITS.depth),
    `<a ${attributes(LIMITS.attributes)}/>`,
    `<${'a'.repeat(LIMITS.name)}/>`,
    nestedDeclarations(4, 60),
    '<a xmlns="not a URI"/>',
    '<a xml:lang="en"/>',
    '<a xmlns="u"><b xmlns=""/></a>',
    '<élément·2/>',
    '<a b="&#x000000002F;">&#x000000002F;</a>',
    '<!-- &#x0000000002F; --><?p &#x0000000002F;?><a><!--&#x0000000002F;--><![CDATA[&#x0000000002F;]]></a>',
  ];
  for (const text of table)
    t.equal(reasonOf(readDocument(text)), 'accepted', JSON.stringify(text.slice(0, 60)));
});

t.test('a refusal tells the line and no namespace, and keeps what it quotes short', async (t) => {
  const refusals: [text: string, line: number, message: string][] = [
    ['<a>\r\n\r<b>\n</c></a>', 4, 'An end tag does not match the start tag before it (line 4).'],
    ['<a>\n<p:b/></a>', 2, "The prefix 'p' is not declared (line 2)."],
    [
      '<a xmlns:p="urn:x" p:b=""\n p:b=""/>',
      2,
      'The text is not well-formed XML: duplicate attribute: b (line 2).',
    ],
    [`<${'p'.repeat(200)}:a/>`, 1, `The prefix '${'p'.repeat(60)}…' is not declared (line 1).`],
  ];
  for (const [text, line, message] of refusals) {
    t.strictSame(readDocument(text), {
      ok: false,
      refusal: { reason: message.includes('prefix') ? 'unbound-prefix' : 'not-well-formed', message, line },
    });
  }
});

t.test('positions', async (t) => {
  const table: [name: string, text: string, tags: [start: string, content: string, line: number][]][] = [
    [
      'plain',
      '<a><b>x</b></a>',
      [
        ['<a>', '<b>x</b>', 1],
        ['<b>', 'x', 1],
      ],
    ],
    ['a byte order mark', '\uFEFF<a>x</a>', [['<a>', 'x', 1]]],
    [
      'CRLF',
      '<a\r\n>\r\n<b\r\nc="d"\r\n/>\r\n</a\r\n>',
      [
        ['<a\r\n>', '\r\n<b\r\nc="d"\r\n/>\r\n', 1],
        ['<b\r\nc="d"\r\n/>', '', 3],
      ],
    ],
    ['CR', '\r<a\r>\r</a\r>\r', [['<a\r>', '\r', 2]]],
    [
      'astral characters',
      '<!--\u{1F600}--><a b="\u{1F600}">\u{1F600}<\u{10000}/></a>',
      [
        ['<a b="\u{1F600}">', '\u{1F600}<\u{10000}/>', 1],
        ['<\u{10000}/>', '', 1],
      ],
    ],
    [
      'CDATA',
      '<a><![CDATA[<b></a>]]><c/></a>',
      [
        ['<a>', '<![CDATA[<b></a>]]><c/>', 1],
        ['<c/>', '', 1],
      ],
    ],
    ['comments', '<!--<x>--><a><!-- < </a> > --></a><!--</a>-->', [['<a>', '<!-- < </a> > -->', 1]]],
    ['processing instructions', '<?p <a>?><a><?pi </a>?></a>', [['<a>', '<?pi </a>?>', 1]]],
    ['> and / in values', '<a b="/>" c=\'>\'>x</a >', [['<a b="/>" c=\'>\'>', 'x', 1]]],
    [
      'empty tags',
      '<a><b/><c /><d></d></a>',
      [
        ['<a>', '<b/><c /><d></d>', 1],
        ['<b/>', '', 1],
        ['<c />', '', 1],
        ['<d>', '', 1],
      ],
    ],
  ];
  for (const [name, text, tags] of table) {
    const found = [...descendantsOrSelf(accepted(text))].map((e) => [
      text.slice(e.start, e.startTagEnd),
      text.slice(e.startTagEnd, e.contentEnd),
      e.line,
    ]);
    t.strictSame(found, tags, name);
  }
});

t.test('attribute values as XML 1.0 §3.3.3 has them', async (t) => {
  const table: [written: string, value: string][] = [
    ['a\tb\nc\rd\r\ne', 'a b c d e'],
    ['&#9;&#10;&#13;', '\t\n\r'],
    ['&lt;&gt;&amp;&quot;&apos;', '<>&"\''],
    ['&#x1F600;&#38;lt;', '\u{1F600}&lt;'],
    ['  a  b ', '  a  b '],
    ["'>]]>", "'>]]>"],
  ];
  for (const [written, value] of table) {
    t.equal(accepted(`<a b="${written}"/>`).attributes[0]?.value, value, JSON.stringify(written));
  }
});

t.test('namespaces', async (t) => {
  const root = accepted('<a xmlns="u" xmlns:p="v" b="1" p:c="2" xml:lang="en"><p:d/><e xmlns=""/></a>');
  t.match(root, { namespace: 'u', localName: 'a', prefix: '', parent: undefined });
  t.strictSame({ ...root.namespaceDeclarations }, { '': 'u', p: 'v' });
  t.strictSame(root.attributes, [
    { namespace: '', localName: 'b', prefix: '', value: '1' },
    { namespace: 'v', localName: 'c', prefix: 'p', value: '2' },
    { namespace: 'http://www.w3.org/XML/1998/namespace', localName: 'lang', prefix: 'xml', value: 'en' },
  ]);
  t.strictSame(
    root.children.map((c) => [c.namespace, c.localName, c.prefix]),
    [
      ['v', 'd', 'p'],
      ['', 'e', ''],
    ],
  );
  t.equal(root.children[0]?.parent, root);
});

t.test('names that JavaScript objects have', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  for (const name of names) {
    const root = accepted(`<${name}:a xmlns:${name}="u" ${name}="1" ${name}:${name}="2"/>`);
    t.equal(root.namespace, 'u', name);
    t.strictSame(Object.entries(root.namespaceDeclarations), [[name, 'u']]);
    t.strictSame(
      root.attributes.map((a) => [a.namespace, a.localName, a.value]),
      [
        ['', name, '1'],
        ['u', name, '2'],
      ],
    );
    t.equal(reasonOf(readDocument(`<${name}:a/>`)), 'unbound-prefix');
    t.equal(reasonOf(readDocument(`<a>&${name};</a>`)), 'not-well-formed');
  }
});

t.test('fragments (RFC 4825 §8.2.2)', async (t) => {
  const accepts: [body: string, element: string][] = [
    ['<a/>', '<a/>'],
    [' \r\n<a>x</a>\n', '<a>x</a>'],
    ['<p:a q:b="" p:b=""><r:c/></p:a>', '<p:a q:b="" p:b=""><r:c/></p:a>'],
    ['<?xml version="1.0" encoding="UTF-8"?>\n<a/>', '<a/>'],
    ["<?xml\nencoding='utf-8'?><a/>", '<a/>'],
    ['\uFEFF<a/>', '<a/>'],
    ['\uFEFF<?xml encoding="UTF-8"?><a/>', '<a/>'],
    ['<a><!-- c --><?p?><![CDATA[x]]></a>', '<a><!-- c --><?p?><![CDATA[x]]></a>'],
  ];
  for (const [body, element] of accepts) {
    const result = readFragment(body);
    t.equal(result.ok && body.slice(result.value.start, result.value.end), element, JSON.stringify(body));
  }
  const refuses: [reason: Reason, body: string][] = [
    ['not-well-formed', ''],
    ['not-well-formed', 'text'],
    ['not-well-formed', 'x<a/>'],
    ['not-well-formed', '<a/>x'],
    ['not-well-formed', '<a/><b/>'],
    ['not-well-formed', '<![CDATA[ ]]><a/>'],
    ['not-well-formed', '<a/><![CDATA[ ]]>'],
    ['not-well-formed', '&#32;<a/>'],
    ['not-well-formed', '</a><a>'],
    ['not-well-formed', '<a p:b="" p:b=""/>'],
    ['not-well-formed', '<a:b:c/>'],
    ['not-well-formed', '<p:-a/>'],
    ['forbidden', '<!-- c --><a/>'],
    ['forbidden', '<a/><?p?>'],
    ['forbidden', '<!DOCTYPE a><a/>'],
    ['not-utf-8', '<?xml encoding="UTF-16"?><a/>'],
    ['not-utf-8', '<?xml version="1.0" encoding="UTF-16"?><a/>'],
  ];
  for (const [reason, body] of refuses) t.equal(reasonOf(readFragment(body)), reason, JSON.stringify(body));
});

function attributes(count: number): string {
  return Array.from({ length: count }, (_, i) => `a${String(i)}=""`).join(' ');
}

function nestedDeclarations(depth: number, each: number): string {
  const declarations = (level: number) =>
    Array.from({ length: each }, (_, i) => `xmlns:p${String(level)}_${String(i)}="u"`).join(' ');
  const levels = Array.from({ length: depth }, (_, level) => `<a ${declarations(level)}>`);
  return levels.join('') + '</a>'.repeat(depth);
}
