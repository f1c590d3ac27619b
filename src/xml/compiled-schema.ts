/**
 * Schemas that are compiled once, and their judgement of documents: libxml2 in WebAssembly. This is the only file that
 * imports libxml2-wasm. It calls the C functions, since the classes around them collect every error with its text and its
 * path, and a document may have as many errors as nodes. Nothing reaches them that the fence has not accepted, and no file
 * but those of the schema set can be opened.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';
import instantiate from 'libxml2-wasm/lib/libxml2raw.mjs';
import { isGrave, lineOf, sentenceOn, type Complaint } from './complaint.js';
import { SchemaLoadError, type SchemaSet } from './vocabulary.js';

const libxml2 = await instantiate();

/** An address in the memory of the instance; 0 is none. */
type Pointer = number;

export interface CompiledSchema {
  readonly pointer: Pointer;
}

/** Why a document does not comply. */
export interface Fault {
  readonly first: Complaint;
  /** How many errors were found. From {@link MANY} on there may be more: then the document was judged no further. */
  readonly count: number;
}

export const MANY = 100;

/** libxml2's parser.h: no network, no external entity. */
const PARSE_OPTIONS = (1 << 11) | (1 << 23);

/** Where in libxml2's `struct _xmlNode` (tree.h) and `struct _xmlError` (xmlerror.h) something stands, in bytes. */
const NODE = { type: 4, children: 12, parent: 20, next: 24 } as const;
const ERROR = { code: 4, message: 8, level: 12, file: 16, line: 20, value: 24, node: 48 } as const;
const DOCUMENT_NODE = 9;

type Listener = (error: Pointer) => void;
const ignore: Listener = () => undefined;
let listener = ignore;
const onError = libxml2.addFunction((_data: Pointer, error: Pointer) => listener(error), 'vii');

/** The files that libxml2 may open, by path, and those that it has open, by number. */
let offered: ReadonlyMap<string, Uint8Array> = new Map();
const opened = new Map<number, Uint8Array>();
offerFiles();

/**
 * Compiles a schema. It is kept for the life of the process.
 *
 * @throws SchemaLoadError with a sentence for the operator, also where libxml2 only warns: it skips what it cannot use.
 */
export function compileSchema({ files }: SchemaSet): CompiledSchema {
  const [{ path, text }] = files;
  offered = new Map(files.map((file) => [file.path, Buffer.from(file.text)]));
  const { document, complaint } = parse(text, pathToFileURL(path).href);
  const complaints = complaint === undefined ? [] : [`${sentenceOn(complaint)}${placeOf(complaint)}`];
  const context = libxml2._xmlSchemaNewDocParserCtxt(document);
  libxml2._xmlSchemaSetParserStructuredErrors(context, onError, 0);
  const pointer = listening(
    (error) => {
      const heard = complaintAt(error);
      complaints.push(`${sentenceOn(heard)}${placeOf(heard, fileOf(error))}`);
    },
    () => libxml2._xmlSchemaParse(context),
  );
  libxml2._xmlSchemaFreeParserCtxt(context);
  offered = new Map();
  const [first] = complaints;
  // The components of a schema point into its document, which stays with it.
  if (pointer !== 0 && first === undefined) return { pointer };
  libxml2._xmlSchemaFree(pointer);
  libxml2._xmlFreeDoc(document);
  if (pointer !== 0) throw new SchemaLoadError(`${path} cannot be used: ${first ?? ''}`);
  throw new SchemaLoadError(`${path} is not a valid XML schema: ${first ?? 'libxml2 does not say why.'}`);
}

/**
 * Why a text that has passed the fence is no valid document; undefined where it is one.
 *
 * @throws Error where libxml2 comes to no judgement.
 */
export function faultOf(text: string, schema: CompiledSchema): Fault | undefined {
  const { document, complaint } = parse(text);
  try {
    if (complaint !== undefined) return { first: complaint, count: 1 };
    if (document === 0) throw new Error('libxml2 has not parsed a document and does not say why.');
    return faultOfDocument(document, schema);
  } finally {
    libxml2._xmlFreeDoc(document);
  }
}

function faultOfDocument(document: Pointer, { pointer }: CompiledSchema): Fault | undefined {
  const context = libxml2._xmlSchemaNewValidCtxt(pointer);
  if (context === 0) throw new Error('libxml2 has no memory for a validation.');
  libxml2._xmlSchemaSetValidStructuredErrors(context, onError, 0);
  const cuts: Cut[] = [];
  let first: Complaint | undefined;
  let count = 0;
  const result = listening(
    (error) => {
      if (!isGraveAt(error)) return;
      first ??= complaintAt(error);
      count += 1;
      if (count >= MANY) cuts.push(...cutBehind(numberAt(error + ERROR.node)));
    },
    () => libxml2._xmlSchemaValidateDoc(context, document),
  );
  libxml2._xmlSchemaFreeValidCtxt(context);
  for (const { at, value } of cuts) setNumber(at, value);
  if (result === 0) return undefined;
  if (first === undefined || (result < 0 && count < MANY)) {
    throw new Error(`libxml2 comes to no judgement on a document (code ${String(first?.code)}).`);
  }
  return { first, count };
}

interface Parsed {
  readonly document: Pointer;
  /** The first one for which the text is refused. */
  readonly complaint: Complaint | undefined;
}

function parse(text: string, url = ''): Parsed {
  const [memory, size] = copied(text);
  const [urlMemory] = copied(`${url}\0`);
  const context = libxml2._xmlNewParserCtxt();
  libxml2._xmlCtxtSetErrorHandler(context, onError, 0);
  let complaint: Complaint | undefined;
  const document = listening(
    (error) => {
      if (complaint === undefined && isGraveAt(error)) complaint = complaintAt(error);
    },
    () => libxml2._xmlCtxtReadMemory(context, memory, size, urlMemory, 0, PARSE_OPTIONS),
  );
  libxml2._xmlFreeParserCtxt(context);
  libxml2._free(memory);
  libxml2._free(urlMemory);
  return { document, complaint };
}

/** A copy of a text in UTF-8 in the memory of the instance, and its size in bytes. */
function copied(text: string): [memory: Pointer, size: number] {
  const size = Buffer.byteLength(text);
  const memory = libxml2._malloc(Math.max(size, 1));
  if (memory === 0) throw new Error('libxml2 has no memory for a text.');
  new TextEncoder().encodeInto(text, libxml2.HEAPU8.subarray(memory, memory + size));
  return [memory, size];
}

/** Does something that libxml2 may complain of meanwhile. */
function listening(to: Listener, work: () => number): number {
  listener = to;
  try {
    return work();
  } catch (error) {
    // A trap has left the instance in the middle of its work. A worker that ends is replaced.
    setImmediate(() => {
      throw error;
    });
    throw error;
  } finally {
    listener = ignore;
  }
}

function isGraveAt(error: Pointer): boolean {
  return isGrave(numberAt(error + ERROR.level), numberAt(error + ERROR.code));
}

function complaintAt(error: Pointer): Complaint {
  return {
    message: textAt(numberAt(error + ERROR.message)),
    code: numberAt(error + ERROR.code),
    line: numberAt(error + ERROR.line),
    value: textAt(numberAt(error + ERROR.value)),
  };
}

function fileOf(error: Pointer): string {
  return pathOf(textAt(numberAt(error + ERROR.file))) ?? '';
}

function placeOf(complaint: Complaint, file = ''): string {
  const place = [file, ...[lineOf(complaint)].flatMap((line) => (line ? [`line ${String(line)}`] : []))];
  return place.join('') === '' ? '' : ` (${place.filter((part) => part !== '').join(', ')})`;
}

/** A number that has been written over. */
interface Cut {
  readonly at: Pointer;
  readonly value: number;
}

/**
 * Ends the walk of a validation: it goes from a node to its children and to its next sibling, and then up. What is cut off
 * has to be put back, or it would not be freed with the document. There is nothing in libxml2 to stop a validation, and an
 * exception thrown through it would leave behind what it has allocated.
 */
function cutBehind(node: Pointer): Cut[] {
  const cuts: Cut[] = [];
  for (
    let at = node;
    at !== 0 && numberAt(at + NODE.type) !== DOCUMENT_NODE;
    at = numberAt(at + NODE.parent)
  ) {
    for (const link of [at + NODE.children, at + NODE.next]) {
      const value = numberAt(link);
      if (value === 0) continue;
      cuts.push({ at: link, value });
      setNumber(link, 0);
    }
  }
  return cuts;
}

function offerFiles(): void {
  const match = libxml2.addFunction((url: Pointer) => (offeredAt(url) === undefined ? 0 : 1), 'ii');
  const open = libxml2.addFunction((url: Pointer) => {
    const file = 1 + Math.max(0, ...opened.keys());
    opened.set(file, offeredAt(url) ?? new Uint8Array());
    return file;
  }, 'ii');
  const read = libxml2.addFunction((file: number, memory: Pointer, size: number) => {
    const rest = opened.get(file) ?? new Uint8Array();
    const part = rest.subarray(0, size);
    libxml2.HEAPU8.set(part, memory);
    opened.set(file, rest.subarray(part.length));
    return part.length;
  }, 'iiii');
  const close = libxml2.addFunction((file: number) => (opened.delete(file) ? 0 : -1), 'ii');
  libxml2._xmlRegisterInputCallbacks(match, open, read, close);
}

function offeredAt(url: Pointer): Uint8Array | undefined {
  const path = pathOf(textAt(url));
  return path === undefined ? undefined : offered.get(path);
}

function pathOf(url: string): string | undefined {
  return url.startsWith('file:') && URL.canParse(url) ? fileURLToPath(url) : undefined;
}

function numberAt(at: Pointer): number {
  return libxml2.getValue(at, 'i32');
}

function setNumber(at: Pointer, value: number): void {
  libxml2.HEAP32[at / libxml2.HEAP32.BYTES_PER_ELEMENT] = value;
}

function textAt(at: Pointer): string {
  return at === 0 ? '' : libxml2.UTF8ToString(at);
}
