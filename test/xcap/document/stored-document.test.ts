/** The cache of documents is bounded by what they take, so the estimate has to be no less than that. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { replaceElement } from '../../../src/xcap/document/splice.js';
import { memoryOf, storedDocument, type StoredDocument } from '../../../src/xcap/document/stored-document.js';
import { readEdited } from '../../../src/xml/edited-tree.js';
import { read } from '../../fixtures/source.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function bytesInUse(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    await sleep(5);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function repeated(count: number, text: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => text(i)).join('');
}

function contacts(i: number): string {
  return repeated(
    2_000,
    (k) => `<entry uri="sip:u${String(k)}x${String(i)}@a"><display-name>N</display-name></entry>`,
  );
}

const shapes: Readonly<Record<string, (i: number) => string>> = {
  contacts,
  'empty elements': (i) => '<list/>'.repeat(8_000 + i),
  'prefixed names': (i) => '<p:b c="d" e="f"/>'.repeat(3_000 + i),
  declarations: (i) => repeated(3_000 + i, (k) => `<b xmlns:p="urn:${String(k)}"/>`),
  depth: (i) => repeated(60 + i, () => '<a>'.repeat(90) + '</a>'.repeat(90)),
  attributes: (i) => repeated(150 + i, () => `<b ${repeated(60, (k) => `a${String(k)}="vvvv" `)}/>`),
  text: (i) => 'é€'.repeat(100_000 + i),
};

/** A version whose tree was read from its text. */
function asRead(body: Buffer): StoredDocument {
  const document = storedDocument(body.toString('utf8'), 'tag');
  document.tree();
  return document;
}

/** A version after edits, each of which puts an element that is a part of a large body. */
function asEdited(body: Buffer): StoredDocument {
  let tree = read(body.toString('utf8'));
  for (let k = 0; k < 50; k++) {
    const request = Buffer.from(
      `${' '.repeat(200_000)}<entry uri="sip:somebody-else-${String(k)}@example.com"/>`,
    );
    const [, ...others] = tree.root.children;
    const old = others[k];
    if (old === undefined) throw new Error('there are more elements than edits');
    const reading = readEdited(tree, replaceElement(old, request.toString('utf8').trim()).splice);
    if (!reading.ok) throw new Error(reading.refusal.message);
    tree = reading.value;
  }
  return storedDocument(tree.text, 'tag', { tree });
}

/** In a function of its own, so that nothing of it is left when the next one is measured. */
async function measure(
  content: (i: number) => string,
  made: (body: Buffer) => StoredDocument,
): Promise<{ taken: number; estimated: number }> {
  // Bytes first, so that no text is a part of one that is kept.
  const bodies = Array.from({ length: 8 }, (_, i) => Buffer.from(`<x xmlns:p="urn:p">${content(i)}</x>`));
  const before = await bytesInUse();
  const documents = bodies.map(made);
  const taken = (await bytesInUse()) - before;
  return { taken, estimated: documents.reduce((sum, document) => sum + memoryOf(document), 0) };
}

t.test('the estimate is what a version with its tree takes, or more', async (t) => {
  const cases = Object.entries(shapes).map(([name, content]) => ({ name, content, made: asRead }));
  cases.push({ name: 'edited contacts', content: contacts, made: asEdited });
  for (const { name, content, made } of cases) {
    const { taken, estimated } = await measure(content, made);
    t.comment(`${name}: ${String(taken)} bytes, estimated ${String(estimated)}`);
    t.ok(taken < 1.25 * estimated, name);
    t.ok(taken > 0.1 * estimated, `${name}: of the same kind`);
  }
});
