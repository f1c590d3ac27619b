/** What thousands of validations leave in memory: nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';

/** What the instance of a WebAssembly module exports that was compiled from C. */
interface Exports {
  malloc(size: number): number;
  free(at: number): void;
  readonly memory: { readonly buffer: ArrayBuffer };
}

interface WebAssemblyGlobal {
  instantiate(...args: unknown[]): Promise<{ readonly instance: { readonly exports: Exports } }>;
}

const { WebAssembly: webAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal };
const instantiate = webAssembly.instantiate.bind(webAssembly);
let libxml2: Exports | undefined;
webAssembly.instantiate = async (...args) => {
  const result = await instantiate(...args);
  libxml2 = result.instance.exports;
  return result;
};
const { loadSchema, SchemaLoadError, validate } = await import('../../src/xml/schema.js');
const { faultOf, compileSchema } = await import('../../src/xml/compiled-schema.js');
const { readSchemaSet } = await import('../../src/xml/vocabulary.js');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Larger than any gap, so that it comes to lie behind all that is allocated. */
const LARGE = 2 * 1024 * 1024;

function memoryInUse() {
  if (libxml2 === undefined) throw new Error('No WebAssembly module was instantiated.');
  collectGarbage();
  const end = libxml2.malloc(LARGE);
  libxml2.free(end);
  const { heapUsed, rss } = process.memoryUsage();
  return { end, size: libxml2.memory.buffer.byteLength, heapUsed, rss };
}

const MEBIBYTE = 1024 * 1024;

/** Does something often, and compares the memory after a few times with that after all. */
function checkMemory(t: Test, times: number, work: (i: number) => void): void {
  for (let i = 0; i < times / 10; i++) work(i);
  const before = memoryInUse();
  for (let i = 0; i < times; i++) work(i);
  const after = memoryInUse();
  // Each leak would take 16 bytes at least.
  t.ok(after.end - before.end < 8 * times, 'libxml2 has freed what it had allocated', { before, after });
  t.equal(after.size, before.size, 'its memory has not grown');
  t.ok(after.heapUsed - before.heapUsed < 2 * MEBIBYTE, 'nor has the heap', { before, after });
  t.ok(after.rss - before.rss < 48 * MEBIBYTE, 'nor has the process', { before, after });
}

/** Writes a schema of lists of entries, and gives its path. */
function listSchema(t: Test, more = ''): string {
  const file = join(t.testdir({}), 'list.xsd');
  writeFileSync(
    file,
    `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x" elementFormDefault="qualified">
      <xs:element name="list"><xs:complexType><xs:sequence>
        <xs:element name="entry" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
          <xs:attribute name="uri" type="xs:anyURI" use="required"/></xs:complexType></xs:element>
        <xs:element ref="list" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence><xs:attribute name="until" type="xs:duration"/></xs:complexType></xs:element>${more}
    </xs:schema>`,
  );
  return file;
}

function list(content: string, attributes = ''): string {
  return `<list xmlns="urn:x"${attributes}>\n${content}</list>`;
}

t.test('20,000 documents', (t) => {
  const schema = loadSchema(listSchema(t));
  const documents = [
    list('<entry uri="sip:somebody@example.com"/>'.repeat(60)),
    list(`${'<entry uri="sip:somebody@example.com"/>'.repeat(60)}<entry/>`),
    list(`<list>${'<entry/>'.repeat(150)}</list><list><entry/></list>`),
    list('text', ' until="P99999999999Y"'),
    list('<p:entry xmlns:p="not a URI" xml:id="1"/>'),
    '<list xmlns="urn:y"/>',
    '<list xmlns="urn:x"><p:unbound/></list>',
    '<list xmlns="urn:x">',
  ];
  checkMemory(t, 20_000, (i) => validate(documents[i % documents.length] ?? '', schema));
  t.end();
});

t.test('20,000 documents that are judged to their hundredth error', (t) => {
  const compiled = compileSchema(readSchemaSet(listSchema(t)));
  const documents = [
    list(`${'<list>'.repeat(50)}${'<entry/>'.repeat(120)}${'</list>'.repeat(50)}<list/><list/>`),
    list('<list>x<list><entry/></list>y<list/></list>'.repeat(110), ' a=""'),
  ];
  checkMemory(t, 20_000, (i) => faultOf(documents[i % documents.length] ?? '', compiled));
  t.end();
});

t.test('schemas that do not compile', (t) => {
  const files = ['<xs:element name="a" type="missing"/>', '<xs:element/>'].map((more, i) =>
    t.test(String(i), (t) => {
      const file = listSchema(t, more);
      checkMemory(t, 500, () => {
        try {
          loadSchema(file);
        } catch (error) {
          if (!(error instanceof SchemaLoadError)) throw error;
        }
      });
      t.end();
    }),
  );
  return Promise.all(files);
});
