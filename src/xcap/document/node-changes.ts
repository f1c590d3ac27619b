/**
 * §8.2, §8.4: what a PUT or DELETE makes of a document, as pure functions of the version that is replaced. Each ends
 * with the checks of idempotence (§8.2.3, §8.4) and the validation of the resulting document (§8.2.5).
 */
import { Conflict } from '../conflict.js';
import { readEdited, type Splice } from '../../xml/edited-tree.js';
import { sameName, type SourceElement, type SourceTree } from '../../xml/source-tree.js';
import {
  cannotInsert,
  earliestLast,
  insertElement,
  planElementPut,
  putAttribute,
  removeAttribute,
  removeElement,
  replaceElement,
  type ElementPut,
  type Insertion,
  type NoParent,
  type Place,
} from './splice.js';
import type { DocumentRules } from '../usage/loaded-usage.js';
import { followSteps, selectNode } from './locate.js';
import { noSuchNode } from '../refusal.js';
import type { NodeSelector } from '../terms.js';
import { checkConstraints, schemaFault, schemaValidationError, validateDocument } from '../usage/validate.js';

export interface PutResult {
  readonly tree: SourceTree;
  readonly created: boolean;
}

export type AttributeSelector = NodeSelector & { kind: 'attribute' };
export type ElementSelector = NodeSelector & { kind: 'element' };
type Creation = ElementPut & { kind: 'creation' };

/** §8.2.3, §8.2.4: puts an element. `body` is one element that the fence accepted. */
export function putElement(
  current: SourceTree,
  selector: ElementSelector,
  body: string,
  rules: DocumentRules,
): PutResult | NoParent {
  const plan = planElementPut(current.root, selector.steps);
  if (plan.kind === 'no-parent') return plan;
  if (plan.kind === 'replacement') {
    const tree = placed(current, replaceElement(plan.element, body), selector);
    validateDocument(tree, rules);
    return { tree, created: false };
  }
  return { tree: createElement(current, plan, selector, body, rules), created: true };
}

function createElement(
  current: SourceTree,
  plan: Creation,
  selector: ElementSelector,
  body: string,
  rules: DocumentRules,
): SourceTree {
  const insertAt = (place: Place) =>
    placed(current, insertElement(current, plan.parent, place, body), selector);
  const first = insertAt(plan.place);
  const created = selectedElement(first, selector);
  const place = earliestLastPlace(plan, created);
  const tree = place === undefined ? first : insertAt(place);
  const fault = schemaFault(tree, rules);
  if (fault === undefined) {
    checkConstraints(tree, rules);
    return tree;
  }
  // The one deliberate departure from §8.2.3: a schema that orders children would refuse the last place.
  const orderedPlace = plan.unpositioned ? schemaOrderedPlace(plan.parent, created, rules) : undefined;
  const ordered = orderedPlace === undefined ? undefined : insertAt(orderedPlace);
  if (ordered === undefined || schemaFault(ordered, rules) !== undefined) {
    throw schemaValidationError(fault);
  }
  checkConstraints(ordered, rules);
  return ordered;
}

/** §8.2.3: for a wildcard without position, siblings with the name of the new element make "earliest last" apply. */
function earliestLastPlace(plan: Creation, created: SourceElement): Place | undefined {
  if (!plan.unpositioned || plan.place.kind !== 'last') return undefined;
  const siblings = plan.parent.children.filter((sibling) => sameName(sibling, created));
  return siblings.length === 0 ? undefined : earliestLast(siblings);
}

/** The place before the first sibling that the usage's order puts behind the new element. */
function schemaOrderedPlace(
  parent: SourceElement,
  created: SourceElement,
  { usage }: DocumentRules,
): Place | undefined {
  const order = usage.childOrder?.find((candidate) => sameName(candidate.parent, parent));
  if (order === undefined) return undefined;
  const others = order.children.indexOf('*');
  const rank = (element: SourceElement) => {
    const index = order.children.findIndex((child) => child !== '*' && sameName(child, element));
    return index < 0 ? others : index;
  };
  const sibling = parent.children.find((child) => rank(child) > rank(created));
  return sibling === undefined ? undefined : { kind: 'before', sibling };
}

/** The tree after an insertion, whose selector has to select what was put (§8.2.3, §8.2.4 cannot-insert). */
function placed(
  current: SourceTree,
  { splice, start, end }: Insertion,
  selector: ElementSelector,
): SourceTree {
  const tree = edited(current, splice);
  const { element } = followSteps(tree.root, selector.steps);
  if (element?.start === start && element.end === end) return tree;
  throw cannotInsert(
    'The element in the body is not what the URI would select: name, attribute and position have to agree.',
  );
}

function selectedElement(tree: SourceTree, selector: ElementSelector): SourceElement {
  const { element } = followSteps(tree.root, selector.steps);
  if (element === undefined) throw new Error('the selector was checked to select an element');
  return element;
}

/** §8.2.3, §8.2.4: sets an attribute to a value that `readAttributeValue` accepted. */
export function putAttributeValue(
  current: SourceTree,
  selector: AttributeSelector,
  value: string,
  rules: DocumentRules,
): PutResult | NoParent {
  const located = followSteps(current.root, selector.steps);
  if (located.element === undefined) return { kind: 'no-parent', matchedSteps: located.matchedSteps };
  if (selector.attribute.namespace === 'http://www.w3.org/2000/xmlns/') {
    throw cannotInsert('Namespace declarations are no attributes and cannot be put.');
  }
  const { splice, created } = putAttribute(current, located.element, selector.attribute, value);
  const tree = edited(current, splice);
  const selected = selectNode(tree.root, selector);
  if (selected?.kind !== 'attribute' || selected.element.start !== located.element.start) {
    throw cannotInsert('With the new value the URI would not select this attribute any more.');
  }
  validateDocument(tree, rules);
  return { tree, created };
}

/**
 * §8.4: removes an element or attribute.
 *
 * @throws Refusal 404 where the selector does not select one node; Conflict cannot-delete and those of §8.2.5.
 */
export function removeNode(
  current: SourceTree,
  selector: ElementSelector | AttributeSelector,
  rules: DocumentRules,
): SourceTree {
  const selected = selectNode(current.root, selector);
  if (selected === undefined || selected.kind === 'namespace-bindings') throw noSuchNode();
  if (selected.kind === 'element' && selected.element.parent === undefined) {
    throw cannotDelete('The root element cannot be deleted; delete the document instead.');
  }
  const tree = edited(
    current,
    selected.kind === 'element'
      ? removeElement(selected.element)
      : removeAttribute(current, selected.element, selected.attribute),
  );
  if (selectNode(tree.root, selector) !== undefined) {
    throw cannotDelete('After the deletion the URI would select another node; select it by an attribute.');
  }
  validateDocument(tree, rules);
  return tree;
}

function cannotDelete(phrase: string): Conflict {
  return new Conflict({ condition: 'cannot-delete', phrase });
}

/** What passes the fence of an edited text. A prefix without declaration can only come from the body (§8.2.2). */
function edited(current: SourceTree, splice: Splice): SourceTree {
  const reading = readEdited(current, splice);
  if (reading.ok) return reading.value;
  const { reason, message } = reading.refusal;
  throw new Conflict({
    condition: reason === 'forbidden' ? 'constraint-failure' : 'not-xml-frag',
    phrase: message,
  });
}
