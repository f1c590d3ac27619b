/**
 * §8.2.3, §8.2.4, §8.4: creation, replacement and removal of elements and attributes by splicing the text. Nothing but
 * the target changes; white space around an element stays.
 */
import { Conflict } from '../conflict.js';
import { isXmlText, referencedCharacter } from '../../xml/escape.js';
import type { Splice } from '../../xml/edited-tree.js';
import {
  isEmptyElementTag,
  namespacesInScope,
  type SourceElement,
  type SourceTree,
} from '../../xml/source-tree.js';
import { attributesEnd, attributeSpan, qualifiedName } from '../../xml/start-tag.js';
import { matchingElements, namedElements, followSteps } from './locate.js';
import type { NodeSelector, Step } from '../terms.js';

/** An element put, and where it then stands. */
export interface Insertion {
  readonly splice: Splice;
  readonly start: number;
  readonly end: number;
}

/** What a PUT of an element does. */
export type ElementPut =
  | { readonly kind: 'replacement'; readonly element: SourceElement }
  | {
      readonly kind: 'creation';
      readonly parent: SourceElement;
      readonly place: Place;
      /** §8.2.3: true where the target selector has no position, so that the server chooses the place. */
      readonly unpositioned: boolean;
    };

/** Where a new child goes. */
export type Place =
  | { readonly kind: 'before'; readonly sibling: SourceElement }
  | { readonly kind: 'after'; readonly sibling: SourceElement }
  | { readonly kind: 'last' };

/** The parent of a target does not exist; `matchedSteps` of the steps do (§8.2.1). */
export interface NoParent {
  readonly kind: 'no-parent';
  readonly matchedSteps: number;
}

/**
 * §8.2.1, §8.2.3: finds the parent and decides between replacement and creation.
 *
 * @throws Conflict cannot-insert where the selector cannot be made to select a new element.
 */
export function planElementPut(
  root: SourceElement,
  steps: readonly [Step, ...Step[]],
): ElementPut | NoParent {
  const target = steps[steps.length - 1] ?? steps[0];
  if (steps.length === 1) {
    if (matchingElements([root], target).length === 1) return { kind: 'replacement', element: root };
    throw cannotInsert('A document has one root element, and the selector names another one.');
  }
  const located = followSteps(root, steps.slice(0, -1));
  if (located.element === undefined) return { kind: 'no-parent', matchedSteps: located.matchedSteps };
  const parent = located.element;
  const matches = matchingElements(parent.children, target);
  const [match, another] = matches;
  if (another !== undefined) {
    throw cannotInsert('The selector matches several elements; it has to select the one that is put.');
  }
  if (match !== undefined) return { kind: 'replacement', element: match };
  return {
    kind: 'creation',
    parent,
    place: placeOf(parent, target),
    unpositioned: target.position === undefined,
  };
}

/** §8.2.3: "earliest last" without a position, "earliest nth" with one. */
function placeOf(parent: SourceElement, target: Step): Place {
  const siblings = namedElements(parent.children, target.name);
  if (target.position === undefined) {
    // For '*' the name of the new element decides, which is known only when it is in place: see earliestLastPlace.
    return target.name === '*' ? { kind: 'last' } : earliestLast(siblings);
  }
  if (target.position === 1) {
    const [first] = siblings;
    return first === undefined ? { kind: 'last' } : { kind: 'before', sibling: first };
  }
  const previous = siblings[target.position - 2];
  if (previous === undefined) {
    throw cannotInsert(
      `Position ${String(target.position)} is out of range: there are ${String(siblings.length)} such elements.`,
    );
  }
  return { kind: 'after', sibling: previous };
}

/** §8.2.3: behind the last sibling of the same name; without one, the last child. */
export function earliestLast(siblings: readonly SourceElement[]): Place {
  const last = siblings.at(-1);
  return last === undefined ? { kind: 'last' } : { kind: 'after', sibling: last };
}

/** Inserts an element; a parent written as an empty-element tag is opened. */
export function insertElement(
  tree: SourceTree,
  parent: SourceElement,
  place: Place,
  element: string,
): Insertion {
  if (place.kind === 'before') return inserted(parent, place.sibling.start, element);
  if (place.kind === 'after') return inserted(parent, place.sibling.end, element);
  if (!isEmptyElementTag(parent)) return inserted(parent, parent.contentEnd, element);
  const startTag = `${tree.text.slice(parent.start, parent.end - 2)}>`;
  const opened = `${startTag}${element}</${qualifiedName(parent)}>`;
  const start = parent.start + startTag.length;
  return { ...replaceElement(parent, opened), start, end: start + element.length };
}

function inserted(parent: SourceElement, at: number, element: string): Insertion {
  const splice = { within: parent, start: at, end: at, replacement: element };
  return { splice, start: at, end: at + element.length };
}

/** §8.2.4: replaces an element whole. */
export function replaceElement(
  { parent: within, start, end }: SourceElement,
  replacement: string,
): Insertion {
  return { splice: { within, start, end, replacement }, start, end: start + replacement.length };
}

/** §8.4: removes an element, and no white space around it. */
export function removeElement({ parent: within, start, end }: SourceElement): Splice {
  return { within, start, end, replacement: '' };
}

/** §8.4: removes an attribute with the white space that separates it from what stands before. */
export function removeAttribute(
  tree: SourceTree,
  element: SourceElement,
  attribute: SourceElement['attributes'][number],
): Splice {
  const span = attributeSpan(tree.text, element, attribute);
  if (span === undefined) throw new Error('an attribute of the tree is missing in its text');
  return { within: element, start: span.start, end: span.valueEnd + 1, replacement: '' };
}

/**
 * §8.2.2: the value in the body of an attribute PUT. By the AttValue production of XML 1.0 the value stands in quotes;
 * clients send it bare. Both are understood: quotes that enclose the whole body are the delimiters.
 *
 * @throws Conflict not-xml-att-value.
 */
export function readAttributeValue(body: string): string {
  const value = withoutDelimiters(body.trim()) ?? body;
  const fault = attributeValueFault(value);
  if (fault === undefined) return value;
  throw new Conflict({ condition: 'not-xml-att-value', phrase: fault });
}

function withoutDelimiters(body: string): string | undefined {
  const quote = body.charAt(0);
  const isDelimited = (quote === '"' || quote === "'") && body.indexOf(quote, 1) === body.length - 1;
  return isDelimited ? body.slice(1, -1) : undefined;
}

function attributeValueFault(value: string): string | undefined {
  if (value.includes('<')) return 'An attribute value has no "<"; write &lt; instead.';
  if (value.includes('"') && value.includes("'")) {
    return 'An attribute value that has both kinds of quotes needs one of them written as &quot; or &apos;.';
  }
  if (!isXmlText(value)) return 'The attribute value has a character that XML does not allow.';
  const references = value.matchAll(/&(?:([^;\s&]*);)?/g);
  for (const [, name] of references) {
    if (name === undefined || referencedCharacter(name) === undefined) {
      return 'The attribute value has an "&" that begins no known reference; write &amp; instead.';
    }
  }
  return undefined;
}

/**
 * §8.2.3, §8.2.4: sets an attribute to a value that `readAttributeValue` accepted.
 *
 * @throws Conflict cannot-insert where the document binds no prefix to the attribute's namespace.
 */
export function putAttribute(
  tree: SourceTree,
  element: SourceElement,
  name: (NodeSelector & { kind: 'attribute' })['attribute'],
  value: string,
): { readonly splice: Splice; readonly created: boolean } {
  const existing = element.attributes.find(
    (a) => a.localName === name.localName && a.namespace === name.namespace,
  );
  const quote = value.includes('"') ? "'" : '"';
  if (existing === undefined) {
    const at = attributesEnd(tree.text, element);
    const attribute = ` ${qualifiedName(documentName(element, name))}=${quote}${value}${quote}`;
    return { splice: { within: element, start: at, end: at, replacement: attribute }, created: true };
  }
  const span = attributeSpan(tree.text, element, existing);
  if (span === undefined) throw new Error('an attribute of the tree is missing in its text');
  const keepsQuotes = !value.includes(tree.text.charAt(span.valueEnd));
  const splice = keepsQuotes
    ? { start: span.valueStart, end: span.valueEnd, replacement: value }
    : { start: span.valueStart - 1, end: span.valueEnd + 1, replacement: `${quote}${value}${quote}` };
  return { splice: { within: element, ...splice }, created: false };
}

/** §8.2.3: the attribute's name in the document; its prefix has to be bound where the attribute goes. */
function documentName(
  element: SourceElement,
  name: { namespace: string; localName: string; prefix: string },
): { prefix: string; localName: string } {
  if (name.namespace === '') return { prefix: '', localName: name.localName };
  if (name.namespace === 'http://www.w3.org/XML/1998/namespace') {
    return { prefix: 'xml', localName: name.localName };
  }
  const scope = namespacesInScope(element);
  const bound = [...scope].filter(([prefix, uri]) => prefix !== '' && uri === name.namespace);
  const prefix = (bound.find(([candidate]) => candidate === name.prefix) ?? bound[0])?.[0];
  if (prefix !== undefined) return { prefix, localName: name.localName };
  throw cannotInsert(
    `The document declares no prefix for the namespace ${name.namespace.slice(0, 200)} where the attribute goes.`,
  );
}

export function cannotInsert(phrase: string): Conflict {
  return new Conflict({ condition: 'cannot-insert', phrase });
}
