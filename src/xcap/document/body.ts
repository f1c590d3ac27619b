/** §8.2.2: the content of a PUT, read as what its target wants. */
import { decodeUtf8, readDocument, readFragment, type FenceRefusal } from '../../xml/fence.js';
import type { SourceTree } from '../../xml/source-tree.js';
import { Conflict, type SimpleCondition } from '../conflict.js';
import { readAttributeValue } from './splice.js';

/** @throws Conflict not-utf-8, not-well-formed; constraint-failure for what the fence does not let in */
export function readDocumentBody(body: Uint8Array, maximalNodes: number): SourceTree {
  const reading = readDocument(decode(body), { nodes: maximalNodes });
  if (reading.ok) return reading.value;
  // A document type declaration or a depth that is not accepted makes a document unwelcome, not ill-formed.
  const malformed = reading.refusal.reason === 'forbidden' ? 'constraint-failure' : 'not-well-formed';
  throw bodyConflict(reading.refusal, malformed);
}

/**
 * @returns the text of the one element, without what may surround it
 * @throws Conflict not-utf-8, not-xml-frag
 */
export function readElementBody(body: Uint8Array): string {
  const text = decode(body);
  const reading = readFragment(text);
  if (!reading.ok) throw bodyConflict(reading.refusal, 'not-xml-frag');
  return text.slice(reading.value.start, reading.value.end);
}

/** @throws Conflict not-utf-8, not-xml-att-value */
export function readAttributeBody(body: Uint8Array): string {
  return readAttributeValue(decode(body));
}

function decode(body: Uint8Array): string {
  const decoding = decodeUtf8(body);
  if (!decoding.ok) throw bodyConflict(decoding.refusal, 'not-utf-8');
  return decoding.value;
}

function bodyConflict({ reason, message }: FenceRefusal, malformed: SimpleCondition): Conflict {
  return new Conflict({ condition: reason === 'not-utf-8' ? reason : malformed, phrase: message });
}
