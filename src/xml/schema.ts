/**
 * XSD validation (RFC 4825 §8.2.5) by libxml2. This is the only file that imports libxmljs2, which bundles an old
 * libxml2: nothing reaches it that the fence has not accepted, no option is set that reads files or the network, and
 * documents are validated but neither searched nor edited.
 */
import { pathToFileURL } from 'node:url';
import { parseXml, type Document } from 'libxmljs2';
import { shortened } from './fence-refusal.js';
import { readSchemaSet, SchemaLoadError, type SchemaSet } from './vocabulary.js';

export { SchemaLoadError } from './vocabulary.js';

const compiledFrom: unique symbol = Symbol('compiledFrom');

/** A schema that {@link loadSchema} has checked. */
export interface Schema extends SchemaSet {
  readonly [compiledFrom]: Document;
}

/** Whether a text complies with a schema; if not, the first reason, as a sentence. */
export type Validity =
  { readonly valid: true } | { readonly valid: false; readonly line?: number; readonly message: string };

/** What libxml2 tells about an error. `level` 1 is a warning; `str1` is the value or name in question, if any. */
interface LibxmlError {
  readonly message: string;
  readonly level?: number | null;
  readonly code?: number | null;
  readonly line?: number | null;
  /** libxmljs2's types call it a number. */
  readonly str1?: unknown;
}

/** Codes of libxml2's xmlerror.h. */
const NO_DECLARATION_FOR_ROOT = 1845;
const ELEMENT_NOT_EXPECTED = 1871;

/**
 * Errors of libxml2's parser that do not make a text less well-formed: a namespace that is not a URI, an `xml:id` that
 * is not a name, and one that is repeated. Real documents have the first; the schema judges the others where it wants.
 */
const TOLERATED_CODES: ReadonlySet<number> = new Set([99, 539, 513]);

const LONGEST_MESSAGE = 300;

/** libxml2 keeps lines in 16 bits. */
const LAST_KNOWN_LINE = 65_534;

/** A document that no schema knows. */
const PROBE = '<probe xmlns="urn:xcapd:probe"/>';

/**
 * Reads an XSD file with all that it imports and includes, and proves that it refuses something.
 *
 * @throws SchemaLoadError with a sentence for the operator.
 */
export function loadSchema(file: string): Schema {
  const set = readSchemaSet(file);
  const [{ path, text }] = set.files;
  // Imports resolve against the base URL. libxml2 leaves the document alone, so that it serves every validation.
  const document = parseXml(text, { nonet: true, baseUrl: pathToFileURL(path).href });
  checkRefusesProbe(path, document);
  return { ...set, [compiledFrom]: document };
}

/** Validates a text that has passed the fence. libxml2 compiles the schema at each call. */
export function validate(text: string, schema: Schema): Validity {
  let document: Document;
  try {
    document = parseXml(text, { nonet: true });
  } catch (error) {
    return invalid({ message: error instanceof Error ? error.message : String(error) });
  }
  const parseError = document.errors.find(isGrave);
  if (parseError !== undefined) return invalid(parseError);
  if (validates(document, schema[compiledFrom])) return { valid: true };
  const [first] = document.validationErrors.filter(isGrave);
  return invalid(first ?? { message: 'The document does not comply with the schema.' });
}

/** A document may have as many errors as elements. Each becomes an Error, and its stack is a third of what that costs. */
function validates(document: Document, schema: Document): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return document.validate(schema);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** An import that was skipped makes everything valid, and nothing but the warnings of a validation tells. */
function checkRefusesProbe(path: string, schema: Document): void {
  const probe = parseXml(PROBE, { nonet: true });
  try {
    probe.validate(schema);
  } catch {
    // The validation has left libxml2 with an error callback into a frame that is gone: any parse replaces it.
    parseXml(PROBE, { nonet: true });
    throw new SchemaLoadError(`${path} is not a valid XML schema; xmllint --schema tells what is wrong.`);
  }
  const errors: readonly LibxmlError[] = probe.validationErrors;
  const complaint = errors.find((error) => error.code !== NO_DECLARATION_FOR_ROOT);
  if (complaint !== undefined)
    throw new SchemaLoadError(`${path} cannot be used: ${withoutNoise(complaint)}`);
  if (errors.length === 0) throw new SchemaLoadError(`${path} calls every document valid.`);
}

function isGrave({ level, code }: LibxmlError): boolean {
  return (level ?? 0) >= 2 && !TOLERATED_CODES.has(code ?? 0);
}

function invalid(error: LibxmlError): Validity {
  const message = shortened(explained(error), LONGEST_MESSAGE - 1);
  const { line } = error;
  return line && line <= LAST_KNOWN_LINE ? { valid: false, line, message } : { valid: false, message };
}

/** What libxml2 says, without namespaces, and with a hint where that hides the very reason. */
function explained(error: LibxmlError): string {
  const sentence = withoutNoise(error);
  const name = /^Element '([^']*)'/.exec(sentence)?.[1] ?? '';
  if (error.code === NO_DECLARATION_FOR_ROOT) {
    return `Element '${name}': The schema has no such element at the top; its name or its namespace is wrong.`;
  }
  if (error.code !== ELEMENT_NOT_EXPECTED) return `${sentence}${hintAtBrackets(error)}`;
  const [, expected = ''] = sentence.split(' Expected is ');
  const namesakeExpected = expected.split(/[ ,().]+/).includes(name);
  return namesakeExpected ? `Element '${name}': This element is not expected in this namespace.` : sentence;
}

/** RFC 3986 §3.2.2: brackets are for IPv6 addresses. Clients leave them in predicates and names. */
function hintAtBrackets({ message, str1 }: LibxmlError): string {
  const isUri = ["'xs:anyURI'", "'SipUri'", "'XcapUri'"].some((type) => message.includes(` type ${type}`));
  const hasBrackets = typeof str1 === 'string' && /[[\]]/.test(str1);
  return isUri && hasBrackets ? ' Please write %5B for [ and %5D for ] in it.' : '';
}

/** One line, values of clients cut short, `{namespace}` left out. */
function withoutNoise({ message, str1 }: LibxmlError): string {
  const value = typeof str1 === 'string' ? str1 : '';
  return (value === '' ? message : message.replace(value, () => shortened(value)))
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/##other\{[^{}]*\}\*/g, 'an element of another namespace')
    .replace(/\[facet '[^']*'\] /, '')
    .replace(/\{[^{}]*\}(?=[\p{L}_])/gu, '') // The set of an enumeration stands in braces, too, but before no name.
    .replace("is not a valid value of the atomic type 'xs:ID'", 'is not a name, or another element has it');
}
