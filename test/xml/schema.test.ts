import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { loadSchema, SchemaLoadError, validate } from '../../src/xml/schema.js';
import { vocabularies } from '../../src/xml/vocabulary.js';

const HEAD = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x"';

const LIST = `<xs:schema ${HEAD} elementFormDefault="qualified">
  <xs:element name="list">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="entry" minOccurs="0" maxOccurs="unbounded" type="entryType"/>
        <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:attribute name="name" type="xs:string"/>
    </xs:complexType>
  </xs:element>
  <xs:complexType name="entryType">
    <xs:attribute name="uri" type="xs:anyURI" use="required"/>
    <xs:attribute name="id" type="xs:ID"/>
    <xs:attribute name="kind">
      <xs:simpleType>
        <xs:restriction base="xs:string">
          <xs:enumeration value="friend"/>
          <xs:enumeration value="foe"/>
        </xs:restriction>
      </xs:simpleType>
    </xs:attribute>
  </xs:complexType>
</xs:schema>`;

/** Writes the files into a directory of the test's own and gives the path of the first. */
function written(t: Test, files: Record<string, string>): string {
  const directory = t.testdir({});
  const paths = Object.entries(files).map(([name, content]) => {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  });
  return paths[0] ?? directory;
}

t.test('validity', async (t) => {
  const schema = loadSchema(written(t, { 'list.xsd': LIST }));
  const table: [text: string, line: number, message: string | RegExp][] = [
    [
      '<list xmlns="urn:x">\n<entry/></list>',
      2,
      "Element 'entry': The attribute 'uri' is required but missing.",
    ],
    [
      '<list xmlns="urn:x" foo="1"/>',
      1,
      "Element 'list', attribute 'foo': The attribute 'foo' is not allowed.",
    ],
    [
      '<list xmlns="urn:x">\n\n<bar/></list>',
      3,
      "Element 'bar': This element is not expected. Expected is one of ( entry, an element of another namespace ).",
    ],
    [
      '<list xmlns="urn:x"><entry uri="a" kind="{x}y"/></list>',
      1,
      /^Element 'entry', attribute 'kind': The value '.*y' is not an element of the set \{'friend', 'foe'\}\.$/,
    ],
    [
      `<list xmlns="urn:x"><entry uri="a" kind="${'k'.repeat(5000)}"/></list>`,
      1,
      `Element 'entry', attribute 'kind': The value '${'k'.repeat(60)}…' is not an element of the set {'friend', 'foe'}.`,
    ],
    [
      '<list xmlns="urn:x"><entry uri="a" id="i"/>\n<entry uri="b" id="i"/></list>',
      2,
      "Element 'entry', attribute 'id': 'i' is not a name, or another element has it.",
    ],
    [
      '<list/>',
      1,
      "Element 'list': The schema has no such element at the top; its name or its namespace is wrong.",
    ],
    [
      '<list xmlns="urn:x"><entry xmlns=""/></list>',
      1,
      "Element 'entry': This element is not expected in this namespace.",
    ],
    [
      '<list xmlns="urn:x">text</list>',
      1,
      /^Element 'list': Character content other than whitespace is not allowed/,
    ],
    [`<list xmlns="urn:x"><${'e'.repeat(900)}/></list>`, 1, /^Element 'e{280,}…$/],
  ];
  for (const [text, line, message] of table) {
    const validity = validate(text, schema);
    t.match(validity, { valid: false, line, message }, text.slice(0, 80));
    t.ok(!validity.valid && validity.message.length <= 300);
  }
  const valid = [
    '\uFEFF<?xml version="1.0" encoding="utf-8"?><list xmlns="urn:x"/>',
    '<list xmlns="urn:x"><entry uri="\u{1F600}"/><x:any xmlns:x="not a URI" x:a=""/></list>',
    '<x:list xmlns:x="urn:x"><x:entry uri="a" kind="foe"/><any xmlns="urn:z" xml:id="1"/></x:list>',
  ];
  for (const text of valid) t.strictSame(validate(text, schema), { valid: true }, text.slice(0, 80));
});

t.test('a text that has not passed the fence is no valid document', async (t) => {
  const schema = loadSchema(written(t, { 'list.xsd': LIST }));
  for (const text of [
    '',
    '<list',
    '<p:list/>',
    '<list xmlns="urn:x" xmlns:p="urn:p" xmlns:q="urn:p" p:a="" q:a=""/>',
  ]) {
    t.match(validate(text, schema), { valid: false, message: /./ }, text);
  }
});

t.test('a line that libxml2 cannot count is left out', async (t) => {
  const schema = loadSchema(written(t, { 'list.xsd': LIST }));
  const validity = validate(`<list xmlns="urn:x">${'\n'.repeat(70_000)}<bar/></list>`, schema);
  t.notOk('line' in validity);
});

t.test('imports and includes', async (t) => {
  const files = {
    'main file%20.xsd': `<xs:schema ${HEAD} xmlns:y="urn:y">
      <xs:include schemaLocation="parts/chameleon.xsd"/>
      <xs:import namespace="urn:y" schemaLocation="./parts/imported.xsd"/>
      <xs:element name="a"><xs:complexType><xs:sequence>
        <xs:element ref="y:b"/><xs:element name="local" type="t"/>
      </xs:sequence><xs:attribute ref="y:c"/></xs:complexType></xs:element>
    </xs:schema>`,
    'parts/chameleon.xsd': `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:simpleType name="t"><xs:restriction base="xs:boolean"/></xs:simpleType><xs:element name="included"/>
    </xs:schema>`,
    'parts/imported.xsd': `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:x="urn:x" targetNamespace="urn:y">
      <xs:annotation><xs:documentation><xs:element name="example"/></xs:documentation></xs:annotation>
      <xs:import namespace="urn:x" schemaLocation="../main%20file%2520.xsd"/>
      <xs:element name="b"><xs:complexType><xs:sequence>
        <xs:element name="inner" form="qualified"/></xs:sequence><xs:attribute name="__proto__"/></xs:complexType></xs:element>
      <xs:attribute name="c"/>
    </xs:schema>`,
  };
  const schema = loadSchema(written(t, files));
  const document = (local: string) =>
    `<a xmlns="urn:x" xmlns:y="urn:y" y:c=""><y:b><y:inner/></y:b><local xmlns="">${local}</local></a>`;
  t.strictSame(validate(document('true'), schema), { valid: true });
  t.match(validate(document('maybe'), schema), {
    valid: false,
    message: /^Element 'local': 'maybe' is not a valid/,
  });

  const names = [...vocabularies(schema)].map(([namespace, { elements, attributes }]) => [
    namespace,
    [...elements],
    [...attributes],
  ]);
  t.strictSame(names, [
    ['urn:x', ['a', 'included'], []],
    ['urn:y', ['b', 'inner'], ['__proto__', 'c']],
  ]);
});

t.test('schemas that cannot be used', async (t) => {
  const body = (content: string) => ({ 'a.xsd': `<xs:schema ${HEAD}>${content}</xs:schema>` });
  const constraint = (name: string) =>
    body(
      `<xs:element name="a"><xs:${name} name="k"><xs:selector xpath="b"/><xs:field xpath="@c"/></xs:${name}></xs:element>`,
    );
  const table: [files: Record<string, string>, message: RegExp][] = [
    [{}, /cannot be read\.$/],
    [{ 'a.xsd': '<xs:schema' }, /cannot be used\. .*line 1\)\.$/],
    [{ 'a.xsd': `<!DOCTYPE xs:schema><xs:schema ${HEAD}/>` }, /document type declaration is not allowed/],
    [{ 'a.xsd': '<schema/>' }, /is not an XML schema\.$/],
    [
      body('\n<xs:element name="a" type="missing"/>'),
      /a\.xsd is not a valid XML schema: .*'missing' does not resolve to a\(n\) type definition\. \(.*a\.xsd, line 2\)$/,
    ],
    [
      {
        ...body('<xs:include schemaLocation="b.xsd"/>'),
        'b.xsd': `<xs:schema ${HEAD}>\n<xs:element/></xs:schema>`,
      },
      /a\.xsd is not a valid XML schema: .*attribute 'name' is required but missing\. \(.*b\.xsd, line 2\)$/,
    ],
    [body('<xs:include schemaLocation="b.xsd"/>'), /b\.xsd cannot be read\.$/],
    [body('<xs:import namespace="urn:y" schemaLocation="b.xsd"/>'), /b\.xsd cannot be read\.$/],
    [body('<xs:import namespace="urn:y" schemaLocation="http://127.0.0.1/b.xsd"/>'), /not a local file\.$/],
    [body('<xs:import namespace="urn:y" schemaLocation="http://["/>'), /not a local file\.$/],
    [body('<xs:import namespace="urn:y"/>'), /imports urn:y \(line 1\), which no file brings\.$/],
    [constraint('key'), /contains xs:key \(line 1\)/],
    [constraint('unique'), /contains xs:unique/],
    [constraint('keyref'), /contains xs:keyref/],
    [
      {
        ...body(
          '<xs:import namespace="urn:y" schemaLocation="b.xsd"/><xs:import namespace="urn:y" schemaLocation="c.xsd"/>',
        ),
        'b.xsd': '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:y"/>',
        'c.xsd': '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:y"/>',
      },
      /cannot be used: .*Skipping/,
    ],
  ];
  const good = loadSchema(written(t, { 'list.xsd': LIST }));
  for (const [files, message] of table) {
    t.throws(() => loadSchema(written(t, files)), { name: 'SchemaLoadError', message }, String(message));
    t.throws(() => loadSchema(written(t, files)), SchemaLoadError);
    t.strictSame(validate('<list xmlns="urn:x"/>', good), { valid: true }, 'others still validate');
    t.match(validate('<list/>', good), { valid: false }, 'others still refuse');
  }
});
