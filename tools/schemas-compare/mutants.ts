/** Documents that differ from a given one in one place. They show where two schemas disagree. */
import {
  descendantsOrSelf,
  isEmptyElementTag,
  type SourceAttribute,
  type SourceElement,
  type SourceTree,
} from '../../src/xml/source-tree.js';
import { attributesEnd, attributeSpan, qualifiedName } from '../../src/xml/start-tag.js';

export const mutations = [
  'element removed',
  'element doubled',
  'element renamed',
  'element swapped with the next',
  'element moved to the end',
  'foreign element added',
  'text replaced',
  'text emptied',
  'attribute removed',
  'attribute value replaced',
  'attribute value emptied',
  'attribute added',
  'foreign attribute added',
] as const;

export type Mutation = (typeof mutations)[number];

export interface Mutant {
  readonly mutation: Mutation;
  /** The local name of the element or attribute; for an addition, that of the element it goes to. */
  readonly name: string;
  /** The element of the source that is concerned. */
  readonly element: SourceElement;
  readonly text: string;
}

/** Nobody declares it, so only an open place takes what is in it. */
const foreignNamespace = 'urn:example:mutant';

/** A string and no other type that vocabularies use. */
const anyString = 'mutant value';

/** All mutants of a document in document order. Each is well-formed and differs from the document. */
export function mutantsOf(tree: SourceTree): Mutant[] {
  return descendantsOrSelf(tree.root)
    .flatMap((element) => [
      ...mutantsOfPlace(tree.text, element),
      ...mutantsOfElement(tree.text, element),
      ...mutantsOfAttributes(tree.text, element),
    ])
    .filter(({ text }) => text !== tree.text);
}

/** What changes the place of an element. There has to be one root element, so it stays as it is. */
function mutantsOfPlace(text: string, element: SourceElement): Mutant[] {
  const { parent } = element;
  if (parent === undefined) return [];
  const own = text.slice(element.start, element.end);
  const following = parent.children.slice(parent.children.indexOf(element) + 1);
  const [next, ...others] = following;
  const last = others.at(-1);
  return [
    mutant('element removed', element, cut(text, element)),
    mutant('element doubled', element, insert(text, element.end, own)),
    ...(next === undefined
      ? []
      : [mutant('element swapped with the next', element, swap(text, element, next))]),
    // With one element behind it, the two mutations would be the same.
    ...(last === undefined
      ? []
      : [mutant('element moved to the end', element, cut(insert(text, last.end, own), element))]),
  ];
}

function mutantsOfElement(text: string, element: SourceElement): Mutant[] {
  const { startTagEnd, contentEnd, children } = element;
  const foreign = `<mutant xmlns="${foreignNamespace}"/>`;
  const mutants = [
    mutant('element renamed', element, rename(text, element)),
    mutant('foreign element added', element, replaceContent(text, element, contentEnd, foreign)),
  ];
  if (children.length > 0) return mutants;
  const replaced = replaceContent(text, element, startTagEnd, anyString);
  const withoutText = startTagEnd === contentEnd ? text : replaceContent(text, element, startTagEnd, '');
  return [
    ...mutants,
    mutant('text replaced', element, replaced),
    mutant('text emptied', element, withoutText),
  ];
}

function mutantsOfAttributes(text: string, element: SourceElement): Mutant[] {
  const end = attributesEnd(text, element);
  return [
    ...element.attributes.flatMap((attribute) => mutantsOfAttribute(text, element, attribute)),
    mutant('attribute added', element, insert(text, end, ` ${freeAttributeName(element)}="0"`)),
    mutant(
      'foreign attribute added',
      element,
      insert(text, end, ` xmlns:mutant="${foreignNamespace}" mutant:added="0"`),
    ),
  ];
}

function mutantsOfAttribute(text: string, element: SourceElement, attribute: SourceAttribute): Mutant[] {
  const span = attributeSpan(text, element, attribute);
  if (span === undefined) return [];
  const { localName } = attribute;
  const value = { start: span.valueStart, end: span.valueEnd };
  const withoutValue = cut(text, value);
  return [
    mutant(
      'attribute removed',
      element,
      cut(text, { start: span.start, end: value.end + '"'.length }),
      localName,
    ),
    mutant('attribute value replaced', element, insert(withoutValue, value.start, anyString), localName),
    mutant('attribute value emptied', element, withoutValue, localName),
  ];
}

function mutant(
  mutation: Mutation,
  element: SourceElement,
  text: string,
  name: string = element.localName,
): Mutant {
  return { mutation, name, element, text };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function cut(text: string, { start, end }: Span): string {
  return text.slice(0, start) + text.slice(end);
}

function insert(text: string, at: number, inserted: string): string {
  return text.slice(0, at) + inserted + text.slice(at);
}

function swap(text: string, first: Span, second: Span): string {
  return [
    text.slice(0, first.start),
    text.slice(second.start, second.end),
    text.slice(first.end, second.start),
    text.slice(first.start, first.end),
    text.slice(second.end),
  ].join('');
}

/** The name gets an ending that no vocabulary has, in the end tag first, so that the offsets of the start tag hold. */
function rename(text: string, element: SourceElement): string {
  const length = qualifiedName(element).length;
  const endRenamed = isEmptyElementTag(element)
    ? text
    : insert(text, element.contentEnd + '</'.length + length, '-mutant');
  return insert(endRenamed, element.start + '<'.length + length, '-mutant');
}

/** Puts something in place of the content from an offset on. An empty-element tag gets an end tag for it. */
function replaceContent(text: string, element: SourceElement, from: number, content: string): string {
  if (!isEmptyElementTag(element)) {
    return text.slice(0, from) + content + text.slice(element.contentEnd);
  }
  const slash = element.end - '/>'.length;
  return `${text.slice(0, slash)}>${content}</${qualifiedName(element)}>${text.slice(element.end)}`;
}

function freeAttributeName({ attributes }: SourceElement): string {
  const taken = new Set(attributes.map(qualifiedName));
  return ['added', 'added-too'].find((name) => !taken.has(name)) ?? 'added-as-well';
}
