/** Where the attributes of an element stand in its start tag. */
import type { SourceAttribute, SourceElement } from './source-tree.js';

export interface AttributeSpan {
  /** Offset of the white space before the attribute. */
  readonly start: number;
  /** Offset of the first character between the quotes. */
  readonly valueStart: number;
  /** Offset of the closing quote. */
  readonly valueEnd: number;
}

/** One attribute or namespace declaration. The fence has seen that the tag is well-formed. */
const attributePattern = /\s+([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;

/** Finds an attribute of the element in the text from which it was read. */
export function attributeSpan(
  text: string,
  element: SourceElement,
  attribute: SourceAttribute,
): AttributeSpan | undefined {
  const wanted = qualifiedName(attribute);
  let at = startTagNameEnd(element);
  for (;;) {
    attributePattern.lastIndex = at;
    const match = attributePattern.exec(text);
    if (match === null) return undefined;
    const value = match[2] ?? match[3] ?? '';
    const end = match.index + match[0].length;
    if (match[1] === wanted) return { start: at, valueStart: end - 1 - value.length, valueEnd: end - 1 };
    at = end;
  }
}

/** The offset where a new attribute goes: behind the last attribute, before the white space at the tag's end. */
export function attributesEnd(text: string, element: SourceElement): number {
  let at = startTagNameEnd(element);
  for (;;) {
    attributePattern.lastIndex = at;
    const match = attributePattern.exec(text);
    if (match === null) return at;
    at = match.index + match[0].length;
  }
}

/** The name with its prefix, as the source has it. */
export function qualifiedName(node: { readonly prefix: string; readonly localName: string }): string {
  return node.prefix === '' ? node.localName : `${node.prefix}:${node.localName}`;
}

function startTagNameEnd(element: SourceElement): number {
  return element.start + 1 + qualifiedName(element).length;
}
