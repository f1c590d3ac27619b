/**
 * The second validator: libxmljs2, which bundles a libxml2 of 2019 and compiles the schema at each call. This is the only
 * file that imports it. Nothing reaches it that the fence has not accepted, no option is set that reads files or the
 * network, and documents are validated but neither searched nor edited.
 */
import { pathToFileURL } from 'node:url';
import { parseXml, type Document } from 'libxmljs2';
import { isGrave, NO_DECLARATION_FOR_ROOT, sentenceOn, type Complaint } from './complaint.js';
import { SchemaLoadError, type SchemaSet } from './vocabulary.js';

/** A schema as the second validator takes it. */
export type SecondSchema = Document;

/** What libxmljs2 tells about an error. `level` 1 is a warning. */
interface LibxmlError {
  readonly message: string;
  readonly level?: number | null;
  readonly code?: number | null;
  readonly line?: number | null;
  /** libxmljs2's types call it a number. */
  readonly str1?: unknown;
}

/** A document that no schema knows. */
const PROBE = '<probe xmlns="urn:xcapd:probe"/>';

/**
 * Proves that the schema refuses something.
 *
 * @throws SchemaLoadError with a sentence for the operator.
 */
export function readSecondSchema({ files: [{ path, text }] }: SchemaSet): SecondSchema {
  // Imports resolve against the base URL. libxml2 leaves the document alone, so that it serves every validation.
  const schema = parseXml(text, { nonet: true, baseUrl: pathToFileURL(path).href });
  checkRefusesProbe(path, schema);
  return schema;
}

/** The first reason why a text that has passed the fence is no valid document; undefined where it is one. */
export function complaintOf(text: string, schema: SecondSchema): Complaint | undefined {
  let document: Document;
  try {
    document = parseXml(text, { nonet: true });
  } catch (error) {
    return toComplaint({ message: error instanceof Error ? error.message : String(error) });
  }
  const parseError = document.errors.find(isGraveError);
  if (parseError !== undefined) return toComplaint(parseError);
  if (validates(document, schema)) return undefined;
  const [first] = document.validationErrors.filter(isGraveError);
  return toComplaint(first ?? { message: 'The document does not comply with the schema.' });
}

/** Each error of a document becomes an Error, and its stack is a third of what that costs. */
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
    throw new SchemaLoadError(`${path} is a valid XML schema, but libxmljs2 does not compile it.`);
  }
  const errors: readonly LibxmlError[] = probe.validationErrors;
  const complaint = errors.find((error) => error.code !== NO_DECLARATION_FOR_ROOT);
  if (complaint !== undefined) {
    throw new SchemaLoadError(`${path} cannot be used by libxmljs2: ${sentenceOn(toComplaint(complaint))}`);
  }
  if (errors.length === 0) throw new SchemaLoadError(`${path} calls every document valid.`);
}

function isGraveError({ level, code }: LibxmlError): boolean {
  return isGrave(level ?? 0, code ?? 0);
}

function toComplaint({ message, code, line, str1 }: LibxmlError): Complaint {
  return { message, code: code ?? 0, line: line ?? 0, value: typeof str1 === 'string' ? str1 : '' };
}
