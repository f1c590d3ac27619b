/**
 * XSD validation (RFC 4825 §8.2.5), by libxml2 twice. Every document is judged by a schema that was compiled once. What is
 * refused there goes to the second validator, whose sentence the client gets.
 */
import { once } from '../once.js';
import { compileSchema, faultOf, MANY, type CompiledSchema } from './compiled-schema.js';
import { lineOf, sentenceOn, type Complaint } from './complaint.js';
import { complaintOf, readSecondSchema, type SecondSchema } from './second-opinion.js';
import { readSchemaSet, type SchemaSet } from './vocabulary.js';

export { SchemaLoadError } from './vocabulary.js';

const engines: unique symbol = Symbol('engines');

/** A schema that is ready to judge documents. */
export interface Schema extends SchemaSet {
  readonly [engines]: {
    readonly compiled: () => CompiledSchema;
    /** Undefined where the words of the first validator do. */
    readonly second: (() => SecondSchema) | undefined;
    readonly tell: Tell;
  };
}

/** A document that the second validator calls valid. It is refused all the same, and nothing of its text is told. */
export interface Disagreement {
  /** The path of the schema. */
  readonly schema: string;
  /** Why the first validator refuses the document: a code of libxml2's xmlerror.h. */
  readonly code: number;
}

/** Whether a text complies with a schema; if not, the first reason, as a sentence. */
export type Validity =
  { readonly valid: true } | { readonly valid: false; readonly line?: number; readonly message: string };

/** Is told when the validators disagree. */
export type Tell = (disagreement: Disagreement) => void;

/**
 * Reads an XSD file with all that it imports and includes, compiles it, and proves that it refuses something.
 *
 * @throws SchemaLoadError with a sentence for the operator.
 */
export function loadSchema(file: string, tell?: Tell): Schema {
  const schema = readSchema(file, tell);
  schema[engines].compiled();
  schema[engines].second?.();
  return schema;
}

/**
 * The same for files that {@link loadSchema} has taken a moment ago: the first document compiles the schema.
 *
 * @throws SchemaLoadError with a sentence for the operator.
 */
export function readSchema(file: string, tell: Tell = () => undefined): Schema {
  const set = readSchemaSet(file);
  const compiled = once(() => compileSchema(set));
  const second = once(() => readSecondSchema(set));
  return { ...set, [engines]: { compiled, second, tell } };
}

/** The same schema, whose refusals have the words of the first validator: for checks that nobody reads. */
export function withoutSecondOpinion(schema: Schema): Schema {
  return { ...schema, [engines]: { ...schema[engines], second: undefined } };
}

/** Validates a text that has passed the fence. */
export function validate(text: string, schema: Schema): Validity {
  const { compiled, second, tell } = schema[engines];
  const fault = faultOf(text, compiled());
  if (fault === undefined) return { valid: true };
  // The second validator collects all errors, and makes an object of each.
  if (fault.count >= MANY || second === undefined) return invalid(fault.first);
  const complaint = complaintOf(text, second());
  if (complaint === undefined) tell({ schema: schema.files[0].path, code: fault.first.code });
  return invalid(complaint ?? fault.first);
}

function invalid(complaint: Complaint): Validity {
  const line = lineOf(complaint);
  const message = sentenceOn(complaint);
  return line === undefined ? { valid: false, message } : { valid: false, line, message };
}
