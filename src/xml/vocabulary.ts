/**
 * The files of an XML schema, followed through its imports and includes, and the names that they declare. XSD files are
 * read with the fence, like all XML here.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { decodeUtf8, readDocument, type Result } from './fence.js';
import { attributeOf, type SourceElement } from './source-tree.js';

const XSD_NAMESPACE = 'http://www.w3.org/2001/XMLSchema';

/** A schema that cannot be used. The message is a sentence for the operator, with the file's path. */
export class SchemaLoadError extends Error {
  override readonly name = 'SchemaLoadError';
}

export interface SchemaFile {
  readonly path: string;
  readonly text: string;
  /** '' where there is none. A file that is included without one takes that of the file which includes it. */
  readonly targetNamespace: string;
  readonly root: SourceElement;
}

/** A schema with everything it imports and includes. The first file is the one that was asked for. */
export interface SchemaSet {
  readonly files: readonly [SchemaFile, ...SchemaFile[]];
}

/** The local names that a schema set declares for one namespace, whether global or local. */
export interface Vocabulary {
  readonly elements: ReadonlySet<string>;
  /** Those without a prefix, which belong to elements of the namespace, are among them. */
  readonly attributes: ReadonlySet<string>;
}

/**
 * Reads a schema and all that it refers to. libxml2 skips silently what it does not find and then calls everything
 * valid, and its identity constraints have memory errors (CVE-2024-56171): both are refused here.
 *
 * @throws {@link SchemaLoadError}
 */
export function readSchemaSet(path: string): SchemaSet {
  const first = readSchemaFile(path, '');
  const files: [SchemaFile, ...SchemaFile[]] = [first];
  const seen = new Set([identity(first)]);
  // `files` grows while the loop walks it.
  for (const file of files) {
    for (const reference of referencesOf(file)) {
      const next = readSchemaFile(...reference);
      if (seen.has(identity(next))) continue;
      seen.add(identity(next));
      files.push(next);
    }
  }
  files.forEach(({ path, root }) => checkIdentityConstraints(path, root));
  checkImportsWithoutLocation(files);
  return { files };
}

/**
 * The names that the schema set declares, by target namespace. A document that uses other names of these namespaces has
 * elements or attributes that the server claims to understand and has no schema for (RFC 4825 §8.2.5).
 */
export function vocabularies({ files }: SchemaSet): ReadonlyMap<string, Vocabulary> {
  const found = new Map<string, { elements: Set<string>; attributes: Set<string> }>();
  for (const { root, targetNamespace } of files) {
    const vocabulary = found.get(targetNamespace) ?? { elements: new Set(), attributes: new Set() };
    found.set(targetNamespace, vocabulary);
    for (const declaration of schemaComponents(root)) {
      const name = attributeOf(declaration, 'name')?.value.trim();
      if (name === undefined) continue;
      if (declaration.localName === 'attribute') vocabulary.attributes.add(name);
      if (declaration.localName === 'element' && isQualified(declaration, root))
        vocabulary.elements.add(name);
    }
  }
  return found;
}

/** A local element that is not qualified is in no namespace, so that it is no name of the target namespace. */
function isQualified(element: SourceElement, schema: SourceElement): boolean {
  if (element.parent === schema) return true;
  return (attributeOf(element, 'form') ?? attributeOf(schema, 'elementFormDefault'))?.value === 'qualified';
}

/** All elements of XML Schema outside of annotations, which may hold examples. */
function* schemaComponents(element: SourceElement): Generator<SourceElement> {
  for (const child of element.children) {
    if (child.namespace !== XSD_NAMESPACE || child.localName === 'annotation') continue;
    yield child;
    yield* schemaComponents(child);
  }
}

function identity(file: SchemaFile): string {
  return `${file.targetNamespace} ${file.path}`;
}

function readSchemaFile(path: string, inheritedNamespace: string): SchemaFile {
  const { text, root } = opened(path, opened(path, readBytes(path), decodeUtf8), readDocument);
  if (root.namespace !== XSD_NAMESPACE || root.localName !== 'schema') {
    throw new SchemaLoadError(`${path} is not an XML schema.`);
  }
  const targetNamespace = attributeOf(root, 'targetNamespace')?.value ?? inheritedNamespace;
  return { path, text, root, targetNamespace };
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SchemaLoadError(`The schema ${path} cannot be read.`, { cause: error });
  }
}

function opened<From, To>(path: string, input: From, read: (input: From) => Result<To>): To {
  const result = read(input);
  if (result.ok) return result.value;
  throw new SchemaLoadError(`The schema ${path} cannot be used. ${result.refusal.message}`);
}

/** The files that a file refers to, each with the namespace that it takes where it has none itself. */
function referencesOf(file: SchemaFile): [path: string, inheritedNamespace: string][] {
  return file.root.children.filter(isReference).flatMap((reference): [string, string][] => {
    const location = attributeOf(reference, 'schemaLocation')?.value.trim();
    if (location === undefined) return [];
    return [[resolved(location, file.path), reference.localName === 'import' ? '' : file.targetNamespace]];
  });
}

function isReference({ namespace, localName }: SourceElement): boolean {
  return namespace === XSD_NAMESPACE && ['import', 'include', 'redefine'].includes(localName);
}

function resolved(location: string, from: string): string {
  const url = URL.canParse(location, pathToFileURL(from).href)
    ? new URL(location, pathToFileURL(from))
    : undefined;
  if (url?.protocol !== 'file:') {
    throw new SchemaLoadError(`The schema ${from} refers to ${location}, which is not a local file.`);
  }
  return fileURLToPath(url);
}

function checkIdentityConstraints(path: string, root: SourceElement): void {
  for (const { localName, line } of schemaComponents(root)) {
    if (['key', 'keyref', 'unique'].includes(localName)) {
      throw new SchemaLoadError(
        `The schema ${path} contains xs:${localName} (line ${String(line)}): state uniqueness in the usage instead.`,
      );
    }
  }
}

/** An import may leave the location out, but then another file of the set has to bring the namespace. */
function checkImportsWithoutLocation(files: readonly SchemaFile[]): void {
  const namespaces = new Set(files.map((file) => file.targetNamespace));
  for (const { path, root } of files) {
    for (const reference of root.children.filter(isReference)) {
      const namespace = attributeOf(reference, 'namespace')?.value ?? '';
      if (reference.localName !== 'import' || namespaces.has(namespace)) continue;
      throw new SchemaLoadError(
        `The schema ${path} imports ${namespace || 'no namespace'} (line ${String(reference.line)}), which no file brings.`,
      );
    }
  }
}
