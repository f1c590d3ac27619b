/** Do two elements of two documents say the same? Prefixes, quotes, comments and white space do not matter. */
import { attributeOf, sameName, type ReadText } from '../../src/xcap/usage/contract.js';
import type { SourceAttribute, SourceElement, SourceTree } from '../../src/xcap/terms.js';

/** The attributes of an element that are compared. */
export type Attributes = (element: SourceElement) => readonly SourceAttribute[];

/** Compares names, attributes, text and children in their order. */
export function sameStructure(
  treeA: SourceTree,
  a: SourceElement,
  treeB: SourceTree,
  b: SourceElement,
  textOf: ReadText,
  attributes: Attributes = (element) => element.attributes,
): boolean {
  return (
    sameName(a, b) &&
    sameAttributes(attributes(a), b, attributes(b)) &&
    textOf(treeA, a).trim() === textOf(treeB, b).trim() &&
    a.children.length === b.children.length &&
    a.children.every((child, i) => {
      const other = b.children[i];
      return other !== undefined && sameStructure(treeA, child, treeB, other, textOf, attributes);
    })
  );
}

/** An element has no attribute twice, so that as many on both sides are the same ones. */
function sameAttributes(
  ofA: readonly SourceAttribute[],
  b: SourceElement,
  ofB: readonly SourceAttribute[],
): boolean {
  return (
    ofA.length === ofB.length &&
    ofA.every(({ localName, namespace, value }) => attributeOf(b, localName, namespace)?.value === value)
  );
}
