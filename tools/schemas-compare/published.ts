/**
 * Makes one schema of published files. They refer to each other by URLs, by the names of other editions or not at all, so
 * copies are put into a temporary folder where every import leads to the copy that has the namespace. The location in an
 * import is no more than a hint (XML Schema 1.0 part 1, §4.2.3), so the copies mean the same.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { escapeAttribute } from '../../src/xml/escape.js';
import { decodeUtf8, readDocument } from '../../src/xml/fence.js';
import { loadSchema, SchemaLoadError, type Schema } from '../../src/xml/schema.js';
import { attributeOf, type SourceElement, type SourceTree } from '../../src/xml/source-tree.js';
import { attributesEnd, attributeSpan } from '../../src/xml/start-tag.js';
import type { PublishedSchemas, Repair } from './published-schemas.js';

const xsdNamespace = 'http://www.w3.org/2001/XMLSchema';
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';

/** A schema that stays usable until it is disposed of, since libxml2 reads its files at each validation. */
export interface PublishedSchema {
  readonly schema: Schema;
  /** Sentences on what had to be changed in the copies so that they compile. */
  readonly repairs: readonly string[];
  readonly dispose: () => void;
}

/** Published files that make no schema. The message says why, with the paths of the files. */
export class PublishedSchemaError extends Error {
  override readonly name = 'PublishedSchemaError';
}

interface PublishedFile extends SourceTree {
  /** Relative to the folder of published schemas, and in the temporary folder likewise. */
  readonly path: string;
  readonly targetNamespace: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Compiles the published schema of one usage.
 *
 * @throws PublishedSchemaError where a file is missing, is no schema, or does not compile.
 */
export function loadPublishedSchema(
  folder: string,
  { files, repairs = [] }: PublishedSchemas,
): PublishedSchema {
  const notes: string[] = [];
  const published = withIncludes(folder, files, repairs, notes);
  const stage = mkdtempSync(join(tmpdir(), 'xcapd-published-'));
  const dispose = () => rmSync(stage, { recursive: true, force: true });
  try {
    const locations = writeEntries(stage, published);
    for (const file of published) write(stage, file.path, withImports(file, locations, notes));
    return { schema: loadSchema(join(stage, entryName(0))), repairs: notes, dispose };
  } catch (error) {
    dispose();
    if (!(error instanceof SchemaLoadError)) throw error;
    throw new PublishedSchemaError(error.message.replaceAll(`${stage}/`, ''), { cause: error });
  }
}

/** The files that are asked for, and those that they include. */
function withIncludes(
  folder: string,
  paths: readonly string[],
  repairs: readonly Repair[],
  notes: string[],
): PublishedFile[] {
  const pending = [...paths];
  const files = new Map<string, PublishedFile>();
  // `pending` grows while the loop walks it.
  for (const path of pending) {
    if (files.has(path)) continue;
    const file = readPublished(folder, path, repairs, notes);
    files.set(path, file);
    for (const include of childrenNamed(file.root, 'include')) {
      const location = attributeOf(include, 'schemaLocation')?.value ?? '';
      pending.push(posix.join(posix.dirname(path), location));
    }
  }
  return [...files.values()];
}

function readPublished(
  folder: string,
  path: string,
  repairs: readonly Repair[],
  notes: string[],
): PublishedFile {
  const decoded = decodeUtf8(readBytes(folder, path));
  if (!decoded.ok) throw new PublishedSchemaError(`${path}: ${decoded.refusal.message}`);
  let text = decoded.value;
  for (const { file, find, replacement, why } of repairs) {
    if (file !== path || !text.includes(find)) continue;
    text = text.replace(find, () => replacement);
    notes.push(`${path}: ${why}`);
  }
  const reading = readDocument(text);
  if (!reading.ok) throw new PublishedSchemaError(`${path}: ${reading.refusal.message}`);
  const targetNamespace = attributeOf(reading.value.root, 'targetNamespace')?.value ?? '';
  return { ...reading.value, path, targetNamespace };
}

function readBytes(folder: string, path: string): Uint8Array {
  try {
    return readFileSync(join(folder, path));
  } catch (error) {
    throw new PublishedSchemaError(`${path} cannot be read`, { cause: error });
  }
}

/**
 * Writes one file that imports every namespace, and for each namespace with parts in several files one that includes
 * these. Returns where to import each namespace from.
 */
function writeEntries(stage: string, files: readonly PublishedFile[]): ReadonlyMap<string, string> {
  const locations = new Map<string, string>();
  const namespaces = new Set(files.map((file) => file.targetNamespace));
  namespaces.delete('');
  for (const namespace of namespaces) {
    const paths = files.filter((file) => file.targetNamespace === namespace).map(({ path }) => path);
    const [first = '', ...others] = paths;
    const entry = others.length === 0 ? first : entryName(locations.size + 1);
    if (others.length > 0) {
      const includes = paths.map((path) => `<xs:include schemaLocation="${escapeAttribute(path)}"/>`);
      write(stage, entry, schemaText(` targetNamespace="${escapeAttribute(namespace)}"`, includes));
    }
    locations.set(namespace, pathToFileURL(join(stage, entry)).href);
  }
  const imports = [...locations].map(([namespace, location]) => importText('xs:', namespace, location));
  write(stage, entryName(0), schemaText('', imports));
  return locations;
}

function entryName(number: number): string {
  return `entry-${number}.xsd`;
}

function schemaText(attributes: string, children: readonly string[]): string {
  return `<xs:schema xmlns:xs="${xsdNamespace}"${attributes}>\n${children.join('\n')}\n</xs:schema>\n`;
}

function importText(prefix: string, namespace: string, location: string): string {
  return `<${prefix}import namespace="${escapeAttribute(namespace)}" schemaLocation="${escapeAttribute(location)}"/>`;
}

function write(stage: string, path: string, text: string): void {
  const file = join(stage, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** The text of a file with imports that lead to the copies, also where the file has forgotten one. */
function withImports(file: PublishedFile, locations: ReadonlyMap<string, string>, notes: string[]): string {
  const imports = childrenNamed(file.root, 'import');
  const imported = new Set(imports.map((element) => attributeOf(element, 'namespace')?.value ?? ''));
  const edits = imports.flatMap((element) => relocation(file.text, element, locations));
  const at = file.root.startTagEnd;
  for (const namespace of namespacesUsed(file)) {
    const location = locations.get(namespace);
    if (location === undefined || imported.has(namespace) || namespace === file.targetNamespace) continue;
    notes.push(`${file.path}: the import of ${namespace} is missing`);
    edits.push({ start: at, end: at, text: importText(prefixOf(file.root), namespace, location) });
  }
  return applied(file.text, edits);
}

function relocation(text: string, element: SourceElement, locations: ReadonlyMap<string, string>): Edit[] {
  const location = locations.get(attributeOf(element, 'namespace')?.value ?? '');
  if (location === undefined) return [];
  const attribute = attributeOf(element, 'schemaLocation');
  const span = attribute && attributeSpan(text, element, attribute);
  if (span !== undefined) return [{ start: span.valueStart, end: span.valueEnd, text: location }];
  const end = attributesEnd(text, element);
  return [{ start: end, end, text: ` schemaLocation="${location}"` }];
}

/** The namespaces of the prefixes with which the file refers to declarations. */
function namespacesUsed({ root }: PublishedFile): Set<string> {
  const used = new Set<string>();
  const visit = (element: SourceElement): void => {
    for (const name of ['ref', 'type', 'base', 'substitutionGroup']) {
      const [prefix, localName] = (attributeOf(element, name)?.value ?? '').split(':');
      if (prefix === undefined || localName === undefined) continue;
      used.add(prefix === 'xml' ? xmlNamespace : (root.namespaceDeclarations[prefix] ?? ''));
    }
    element.children.forEach(visit);
  };
  visit(root);
  return used;
}

function childrenNamed(root: SourceElement, localName: string): SourceElement[] {
  return root.children.filter((child) => child.namespace === xsdNamespace && child.localName === localName);
}

function prefixOf({ prefix }: SourceElement): string {
  return prefix === '' ? '' : `${prefix}:`;
}

/** The last edit first, so that the offsets of the others hold. */
function applied(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((edited, edit) => edited.slice(0, edit.start) + edit.text + edited.slice(edit.end), text);
}
