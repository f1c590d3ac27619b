/** §6.3, §8.2.1: evaluating selectors on a source tree. */
import { attributeOf, sameName, type SourceAttribute, type SourceElement } from '../../xml/source-tree.js';
import type { NodeSelector, Step } from '../terms.js';

/** What a node selector selects. */
export type SelectedNode =
  | { readonly kind: 'element'; readonly element: SourceElement }
  | {
      readonly kind: 'attribute';
      readonly element: SourceElement;
      readonly attribute: SourceAttribute;
    }
  | { readonly kind: 'namespace-bindings'; readonly element: SourceElement };

/** §6.3: the predicates prune in order: name, position, attribute. */
export function matchingElements(candidates: readonly SourceElement[], step: Step): SourceElement[] {
  const named = namedElements(candidates, step.name);
  const positioned = step.position === undefined ? named : named.slice(step.position - 1, step.position);
  const test = step.attribute;
  if (test === undefined) return positioned;
  return positioned.filter(
    (element) => attributeOf(element, test.name.localName, test.name.namespace)?.value === test.value,
  );
}

/** The candidates that the name test of a step leaves. */
export function namedElements(candidates: readonly SourceElement[], name: Step['name']): SourceElement[] {
  return candidates.filter((element) => name === '*' || sameName(element, name));
}

/**
 * Follows steps from the document node.
 *
 * @returns the one element that they select, or how many of the steps select one element each.
 */
export function followSteps(
  root: SourceElement,
  steps: readonly Step[],
): { element: SourceElement } | { element: undefined; matchedSteps: number } {
  let candidates: readonly SourceElement[] = [root];
  let element: SourceElement | undefined;
  for (const [index, step] of steps.entries()) {
    const matches = matchingElements(candidates, step);
    element = matches.length === 1 ? matches[0] : undefined;
    if (element === undefined) return { element, matchedSteps: index };
    candidates = element.children;
  }
  return element === undefined ? { element, matchedSteps: 0 } : { element };
}

/** §6.3: the one node that the selector selects, or undefined for a no-match and for several. */
export function selectNode(root: SourceElement, selector: NodeSelector): SelectedNode | undefined {
  const { element } = followSteps(root, selector.steps);
  if (element === undefined) return undefined;
  if (selector.kind !== 'attribute') return { kind: selector.kind, element };
  const attribute = attributeOf(element, selector.attribute.localName, selector.attribute.namespace);
  return attribute === undefined ? undefined : { kind: 'attribute', element, attribute };
}
