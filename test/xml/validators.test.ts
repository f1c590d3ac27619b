/** Two versions of libxml2 judge documents: the first decides, the second words refusals. Here is where they differ. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { usageFolders } from '../../src/package-files.js';
import type { ApplicationUsage } from '../../src/xcap/usage/contract.js';
import { compileSchema, faultOf, MANY } from '../../src/xml/compiled-schema.js';
import { lineOf, sentenceOn, type Complaint } from '../../src/xml/complaint.js';
import { escapeText } from '../../src/xml/escape.js';
import { readDocument } from '../../src/xml/fence.js';
import { loadSchema, validate, withoutSecondOpinion, type Disagreement } from '../../src/xml/schema.js';
import { complaintOf, readSecondSchema } from '../../src/xml/second-opinion.js';
import type { SourceElement } from '../../src/xml/source-tree.js';
import { readSchemaSet } from '../../src/xml/vocabulary.js';
import { mutantsOf } from '../../tools/schemas-compare/mutants.js';

/** Both validators, of one schema. */
function validatorsOf(file: string) {
  const set = readSchemaSet(file);
  const compiled = compileSchema(set);
  const second = readSecondSchema(set);
  return (text: string) => [told(faultOf(text, compiled)?.first), told(complaintOf(text, second))] as const;
}

/** What a client is told; undefined where the document is valid. */
function told(complaint: Complaint | undefined): string | undefined {
  return complaint && `${sentenceOn(complaint)} (line ${String(lineOf(complaint))})`;
}

async function schemaFilesOf(auid: string): Promise<string[]> {
  const definition = join(usageFolders.definitions, auid, 'usage.js');
  if (!existsSync(definition)) return [];
  const { usage } = (await import(pathToFileURL(definition).href)) as { readonly usage: ApplicationUsage };
  return [usage.schema, usage.lenientSchema].flatMap((name) =>
    name === undefined ? [] : [join(usageFolders.sources, auid, name)],
  );
}

/** The examples of a usage, and of all mutants one of each kind at each place of a vocabulary. */
function documentsOf(auid: string): Set<string> {
  const folder = join(usageFolders.sources, auid, 'examples');
  const places = new Set<string>();
  const documents = new Set<string>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.xml'))) {
    const reading = readDocument(readFileSync(join(folder, name), 'utf8'));
    if (!reading.ok) continue;
    documents.add(reading.value.text);
    for (const { mutation, name: mutated, element, text } of mutantsOf(reading.value)) {
      const place = `${mutation} ${mutated} ${pathOf(element)}`;
      if (places.has(place)) continue;
      places.add(place);
      documents.add(text);
    }
  }
  return documents;
}

function pathOf({ localName, namespace, parent }: SourceElement): string {
  return `${parent === undefined ? '' : pathOf(parent)}/{${namespace}}${localName}`;
}

t.test('the examples of all usages, and their mutants, are judged alike and in the same words', async (t) => {
  let valid = 0;
  let refused = 0;
  for (const auid of readdirSync(usageFolders.sources)) {
    for (const file of await schemaFilesOf(auid)) {
      const judge = validatorsOf(file);
      for (const document of documentsOf(auid)) {
        const [first, second] = judge(document);
        if (first !== second) t.equal(first, second, `${file}: ${document}`);
        if (first === undefined) valid += 1;
        else refused += 1;
      }
    }
  }
  t.comment(`${String(valid)} valid documents, ${String(refused)} refused`);
  t.ok(valid > 1000 && refused > 1000, 'there are documents of both kinds');
});

/** Writes a schema of the namespace `urn:x` and gives its path. */
function written(t: Test, declarations: string): string {
  const file = join(t.testdir({}), 'schema.xsd');
  writeFileSync(
    file,
    `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x"
       elementFormDefault="qualified">${declarations}</xs:schema>`,
  );
  return file;
}

t.test(
  'values of simple types that are judged differently, each rightly by the first validator',
  async (t) => {
    const table: readonly [types: string, values: readonly string[], isValid: boolean][] = [
      // XML Schema 1.0 part 2, §4.3.6: white space around a number is collapsed before it is judged.
      ['long int short byte unsignedLong unsignedInt unsignedShort unsignedByte', ['1 ', '\n1'], true],
      // XML Schema 1.1 part 2, §3.4.21: unsigned numbers are those of nonNegativeInteger, which may have a sign.
      ['unsignedLong unsignedInt unsignedShort unsignedByte', ['+1', '-0'], true],
      // XML Schema 1.0 part 2, §3.2.3: there is no longest number; 18 digits have to be taken at least.
      ['decimal integer nonNegativeInteger positiveInteger', ['9'.repeat(25)], true],
      ['decimal', [`1.${'0'.repeat(30)}`, '3.14159265358979323846264338'], true],
      // XML 1.0, fifth edition, §2.3 has letters from U+10000 on, and the fence takes them in names as well.
      ['NMTOKEN Name NCName ID QName', ['\u{10000}'], true],
      // XML Schema 1.1 part 2, §5.4: how many years there are is a program's to limit. The second validator calculates with what
      // overflows.
      ['duration', ['P99999999999Y'], false],
      ['gYear', ['2147483648'], false],
    ];
    for (const [types, values, isValid] of table) {
      for (const type of types.split(' ')) {
        const judge = validatorsOf(written(t, `<xs:element name="r" type="xs:${type}"/>`));
        for (const value of values) {
          const [first, second] = judge(`<r xmlns="urn:x">${value}</r>`);
          t.strictSame([first === undefined, second === undefined], [isValid, !isValid], `${type}: ${value}`);
        }
      }
    }
  },
);

t.test('values of simple types that are judged alike', async (t) => {
  const values = (
    '|a| a |1|-1|0|00|1.|.1|.|+|-|1e3|1E400|INF|-INF|+INF|NaN|nan|true|TRUE|2020-02-29|2021-02-29|0000-01-01|-0001-01-01|' +
    '10000-01-01|2020-1-1|2020-01-01Z|2020-01-01+14:00|2020-01-01+14:01|2020-01-01T24:00:00|2020-01-01T24:00:01|' +
    '2020-01-01T23:59:60|2020-01-01T00:00:00.|2020-01-01T00:00:00z|2020-01-01T00:00:00Z|24:00:00|24:00:01|12:60:00|P1D|P|PT|' +
    'P1Y2M3DT4H5M6.7S|-P1D|P-1D|PT1.S|PT.5S|P1YT|P1.5D|--02-29|--02-30|--13|---31|---32|2020|0000|2020-13|ab|AB|abc|0G|YQ==|YQ=|' +
    'YQ|Y Q = =|====|a:b|a:|:a|1a|-a|_a|ä|a b|a\tb|en-US|en_US|http://a b/|http://[::1]/|sip:a@[::1]|%zz|%|a%20b|http://a/#b#c|{a}|' +
    'a^|\\|1:b|?|/../..|http://a:99999/|127|128|-129|255|256|65535|65536|2147483648|4294967296|9223372036854775808|' +
    '18446744073709551616|\u00a0|\u2028|\u{1F600}'
  ).split('|');
  const types =
    'string normalizedString token language anyURI boolean decimal integer nonPositiveInteger negativeInteger long int short byte ' +
    'float double duration dateTime time date gYearMonth gMonthDay gDay gMonth hexBinary base64Binary';
  for (const type of types.split(' ')) {
    const judge = validatorsOf(written(t, `<xs:element name="r" type="xs:${type}"/>`));
    for (const value of values) {
      const [first, second] = judge(`<r xmlns="urn:x">${escapeText(value)}</r>`);
      if (first !== second) t.equal(first, second, `${type}: ${value}`);
    }
  }
  t.pass();
});

t.test('content models are judged alike', async (t) => {
  const element = (name: string, occurs = '') => `<xs:element name="${name}" ${occurs} type="xs:string"/>`;
  const any = (occurs: string) => `<xs:any namespace="##other" processContents="lax" ${occurs}/>`;
  const [maybe, often, always] = [
    'minOccurs="0"',
    'maxOccurs="unbounded"',
    'minOccurs="0" maxOccurs="unbounded"',
  ];
  const models = [
    `<xs:sequence>${element('a', often)}${any(always)}</xs:sequence>`,
    `<xs:sequence>${element('a', always)}${any(always)}</xs:sequence>`,
    `<xs:sequence><xs:sequence>${element('a', often)}</xs:sequence>${any(always)}</xs:sequence>`,
    `<xs:sequence>${any(always)}${element('a', maybe)}</xs:sequence>`,
    `<xs:sequence>${element('a', 'minOccurs="2" maxOccurs="3"')}${any('minOccurs="0" maxOccurs="2"')}</xs:sequence>`,
    `<xs:sequence minOccurs="0" maxOccurs="2">${element('a')}${element('b', maybe)}</xs:sequence>`,
    `<xs:sequence><xs:choice ${always}>${element('a')}${element('b')}</xs:choice>${any(always)}</xs:sequence>`,
    `<xs:choice ${often}>${element('a')}${any('')}</xs:choice>`,
    `<xs:all>${element('a', maybe)}${element('b')}</xs:all>`,
  ];
  const contents = sequencesOf(['<a/>', '<b/>', '<o xmlns="urn:o"/>'], 4);
  for (const model of models) {
    const complexType = `<xs:element name="r"><xs:complexType>${model}</xs:complexType></xs:element>`;
    const judge = validatorsOf(written(t, complexType));
    for (const content of contents) {
      const [first, second] = judge(`<r xmlns="urn:x">${content}</r>`);
      if (first !== second) t.equal(first, second, `${model}: ${content}`);
    }
  }
  t.pass();
});

/** All sequences of up to that many of the parts. */
function sequencesOf(parts: readonly string[], length: number): string[] {
  if (length === 0) return [''];
  const shorter = sequencesOf(parts, length - 1);
  return [...new Set(['', ...shorter.flatMap((rest) => parts.map((part) => `${part}${rest}`))])];
}

const LIST = `<xs:element name="list"><xs:complexType mixed="false"><xs:choice minOccurs="0" maxOccurs="unbounded">
    <xs:element name="entry"><xs:complexType>
      <xs:attribute name="uri" type="xs:anyURI" use="required"/><xs:attribute name="n" type="xs:int"/>
    </xs:complexType></xs:element>
    <xs:element ref="list"/>
  </xs:choice><xs:attribute name="until" type="xs:duration"/></xs:complexType></xs:element>`;

function list(content: string, attributes = ''): string {
  return `<list xmlns="urn:x"${attributes}>\n${content}</list>`;
}

t.test('a document is judged no further than a hundred errors', async (t) => {
  const file = written(t, LIST);
  const set = readSchemaSet(file);
  const [compiled, second] = [compileSchema(set), readSecondSchema(set)];
  const schema = loadSchema(file);
  const nested = (depth: number) =>
    `${'<list>'.repeat(depth)}${'<entry/>'.repeat(500)}${'</list>'.repeat(depth)}`;
  const attributes = Array.from({ length: 60 }, (_, i) => ` a${String(i)}=""`).join('');
  const shapes: readonly [name: string, text: string][] = [
    ['flat', list('<entry/>'.repeat(20_000))],
    ['nested', list(nested(90))],
    ['one in each of many lists', list('<list><entry/></list>'.repeat(500))],
    ['behind what is valid', list(`${'<entry uri="a"/>'.repeat(500)}${'<entry/>'.repeat(500)}`)],
    ['attributes', list(`<entry uri="a"${attributes}/>`.repeat(50))],
    ['values', list('<entry uri="a" n="x"/>'.repeat(500))],
    ['text', list('<list>x<list/>y<entry/>z</list>'.repeat(500))],
    ['elements of no schema', list('<list><x><y/></x><z/></list>'.repeat(500))],
    ['the root, and everything in it', list('<entry/>'.repeat(500), ' a=""')],
    ['comments and instructions between', list('<!-- --><entry/><?a b?>'.repeat(500))],
  ];
  for (const [name, text] of shapes) {
    const fault = faultOf(text, compiled);
    const most = MANY + 100 + 64; // Levels, and attributes of one element.
    t.ok(
      fault !== undefined && fault.count >= MANY && fault.count < most,
      `${name}: ${String(fault?.count)}`,
    );
    t.equal(told(fault?.first), told(complaintOf(text, second)), `${name}: the first one is told`);
    t.same(validate(text, schema), validate(text, withoutSecondOpinion(schema)), name);
  }
  for (const count of [1, MANY - 1, MANY, MANY + 1]) {
    const text = list(`<entry uri="a"/>\n${'<entry/>'.repeat(count)}`);
    t.equal(faultOf(text, compiled)?.count, Math.min(count, MANY), `${String(count)} errors`);
    const message = "Element 'entry': The attribute 'uri' is required but missing.";
    t.same(validate(text, schema), { valid: false, line: 3, message });
  }
  t.equal(faultOf(list('<entry uri="a"/>'), compiled), undefined, 'and others are still valid');
});

t.test('what the second validator calls valid is refused all the same, and told', async (t) => {
  const file = written(t, LIST);
  const heard: Disagreement[] = [];
  const schema = loadSchema(file, (disagreement) => heard.push(disagreement));
  t.same(validate(list('', ' until="P99999999999Y"'), schema), {
    valid: false,
    line: 1,
    message:
      "Element 'list', attribute 'until': 'P99999999999Y' is not a valid value of the atomic type 'xs:duration'.",
  });
  t.same(heard, [{ schema: file, code: 1824 }]);
  validate(list('', ' until="P1Y"'), schema);
  validate(list('', ' until="a year"'), schema);
  t.equal(heard.length, 1, 'where they agree nothing is told');
});

t.test('a trap in WebAssembly ends the process', async (t) => {
  const module = new URL('../../src/xml/compiled-schema.js', import.meta.url).href;
  const program = `
    import { faultOf } from '${module}';
    try { faultOf('<a/>', { pointer: 0x7ffffff0 }); } catch { console.log('refused'); }
    setTimeout(() => console.log('still here'), 60_000);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  t.equal(status, 1);
  t.equal(stdout, 'refused\n');
  t.match(stderr, 'RuntimeError');
});
