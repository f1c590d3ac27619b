/**
 * The tree of an edited text, made of the tree before the edit: only what was put is read. Everything else is copied with
 * its new offsets, since elements know their parents and whoever holds the tree before goes on reading it. What a fresh
 * reading says is the measure: where it might differ, the whole text is read, and so every refusal is worded by it.
 */
import { LIMITS, lineEnds, readChild, readDocument, type Result } from './fence.js';
import {
  isEmptyElementTag,
  sameName,
  type SourceElement,
  type SourceTree,
  type UnfinishedElement,
} from './source-tree.js';

/** What stands in a text instead of what stood there from `start` to `end`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  /** One element, or nothing, in place of one child of `within` or of nothing; or a part of its start tag. */
  readonly replacement: string;
  /** The element that changes thereby in its content or in its start tag; undefined where that is the root in whole. */
  readonly within: SourceElement | undefined;
}

/** How far something moves in the text. */
interface Shift {
  readonly offset: number;
  readonly lines: number;
}

const unmoved: Shift = { offset: 0, lines: 0 };

/** An element as the edit leaves it, not yet with its parent, and the text that was read for it. */
interface Changed {
  readonly element: UnfinishedElement;
  readonly read: string;
}

/** How many times the length of the text earlier texts may have that the tree keeps in memory. */
const mostEarlierText = 2;

/** Reads the text after an edit. Its tree has nothing in common with `tree` that could change. */
export function readEdited(tree: SourceTree, splice: Splice): Result<SourceTree> {
  const text = tree.text.slice(0, splice.start) + splice.replacement + tree.text.slice(splice.end);
  const edited =
    splice.within && text.length <= LIMITS.length ? editedTree(tree, text, splice.within, splice) : undefined;
  return edited === undefined ? readDocument(text) : { ok: true, value: edited };
}

function editedTree(
  tree: SourceTree,
  text: string,
  within: SourceElement,
  splice: Splice,
): SourceTree | undefined {
  const shift = shiftBehind(tree.text, splice);
  const change = splice.start < within.startTagEnd ? withStartTag : withChild;
  const changed = change(tree.text, within, splice, shift);
  if (changed === undefined) return undefined;
  const nodes = tree.nodes + changed.element.nodes - within.nodes;
  const earlierText = (tree.earlierText || tree.text.length) + changed.read.length;
  if (nodes > LIMITS.nodes || earlierText > mostEarlierText * text.length) return undefined;
  return { text, root: withAncestors(changed.element, within, shift), nodes, earlierText };
}

/** A CR and an LF that meet, or part, are one line end or two: so the lines are counted with the neighbours. */
function shiftBehind(before: string, { start, end, replacement }: Splice): Shift {
  const lines =
    lineEnds(before.slice(start - 1, start) + replacement + before.slice(end, end + 1)) -
    lineEnds(before.slice(start - 1, end + 1));
  return { offset: replacement.length - (end - start), lines };
}

/** The element with attributes put, changed or removed. */
function withStartTag(
  before: string,
  within: SourceElement,
  { start, end, replacement }: Splice,
  shift: Shift,
): Changed | undefined {
  const tagEnd = within.startTagEnd - (isEmptyElementTag(within) ? 2 : 1);
  if (start < within.start || end > tagEnd) return undefined;
  const read = `${before.slice(within.start, start)}${replacement}${before.slice(end, tagEnd)}/>`;
  const reading = readChild(read, within.parent);
  if (!reading.ok) return undefined;
  const { namespaceDeclarations, attributes, nodes, ...tag } = reading.value;
  const isWhole = tag.start === 0 && tag.startTagEnd === read.length && tag.end === read.length;
  const isSame =
    tag.prefix === within.prefix &&
    sameName(tag, within) &&
    sameDeclarations(namespaceDeclarations, within.namespaceDeclarations);
  if (!isWhole || !isSame) return undefined;
  const own = 1 + within.attributes.length + Object.keys(namespaceDeclarations).length;
  const element = grown(within, shift);
  element.attributes = attributes;
  element.startTagEnd += shift.offset;
  element.nodes += nodes - own;
  element.children = within.children.map((child) => moved(child, element, shift));
  return { element, read };
}

function sameDeclarations(
  a: SourceElement['namespaceDeclarations'],
  b: SourceElement['namespaceDeclarations'],
): boolean {
  const prefixes = Object.keys(a);
  return prefixes.length === Object.keys(b).length && prefixes.every((prefix) => a[prefix] === b[prefix]);
}

/** The element with a child put, replaced or removed. */
function withChild(before: string, within: SourceElement, splice: Splice, shift: Shift): Changed | undefined {
  const children = partedChildren(within, splice);
  const put = splice.replacement === '' ? removal(before, splice) : readPut(splice.replacement, within);
  if (children === undefined || put === undefined) return undefined;
  const { earlier, old, later } = children;
  const element = grown(within, shift);
  const copies = earlier.map((child) => moved(child, element, unmoved));
  if (put.element !== undefined) {
    const line = old?.line ?? lineAt(before, splice.start, earlier.at(-1) ?? within);
    copies.push(moved(put.element, element, { offset: splice.start, lines: line - 1 }));
  }
  for (const child of later) copies.push(moved(child, element, shift));
  element.children = copies;
  element.nodes += (put.element?.nodes ?? 0) - (old?.nodes ?? 0);
  return { element, read: put.read };
}

interface PartedChildren {
  readonly earlier: readonly SourceElement[];
  /** The child whose place is taken. */
  readonly old: SourceElement | undefined;
  readonly later: readonly SourceElement[];
}

/** The children on both sides of a splice; undefined where it takes the place of something else than one child or none. */
function partedChildren(within: SourceElement, { start, end }: Splice): PartedChildren | undefined {
  if (isEmptyElementTag(within)) return undefined;
  const earlier = within.children.filter((child) => child.end <= start);
  const later = within.children.filter((child) => child.start >= end);
  const old = within.children.find((child) => child.start === start && child.end === end);
  // Elsewhere there may be a comment.
  const isBesideMarkup =
    start === later[0]?.start || start === earlier.at(-1)?.end || start === within.contentEnd;
  return old !== undefined || (start === end && isBesideMarkup) ? { earlier, old, later } : undefined;
}

interface Put {
  readonly element: SourceElement | undefined;
  readonly read: string;
}

/** Undefined where what stood on both sides of the removed child makes `]]>`, which is no text. */
function removal(before: string, { start, end }: Splice): Put | undefined {
  const joint = before.slice(start - 2, start) + before.slice(end, end + 2);
  return joint.includes(']]>') ? undefined : { element: undefined, read: '' };
}

function readPut(replacement: string, parent: SourceElement): Put | undefined {
  // A text of its own: pieces of a part of a body would keep the whole body in memory.
  const read = `${replacement}\n`;
  const reading = readChild(read, parent);
  if (!reading.ok || reading.value.start !== 0 || reading.value.end !== replacement.length) return undefined;
  return { element: reading.value, read };
}

/** The line of an offset behind an element, or in it before its children. */
function lineAt(text: string, offset: number, element: SourceElement): number {
  const last = element.end <= offset ? element.children.at(-1) : undefined;
  if (last !== undefined) return lineAt(text, offset, last);
  return element.line + lineEnds(text.slice(element.start, offset));
}

/** The root of the tree in which `changed` takes the place of `within`. */
function withAncestors(changed: UnfinishedElement, within: SourceElement, shift: Shift): SourceElement {
  const { parent } = within;
  if (parent === undefined) return changed;
  const element = grown(parent, shift);
  element.nodes += changed.nodes - within.nodes;
  changed.parent = element;
  element.children = parent.children.map((child) => {
    if (child === within) return changed;
    return moved(child, element, child.start < within.start ? unmoved : shift);
  });
  return withAncestors(element, parent, shift);
}

/** A copy of an element in which something changes, without children and parent. */
function grown(element: SourceElement, { offset }: Shift): UnfinishedElement {
  const copy = copyOf(element, undefined, unmoved);
  copy.contentEnd += offset;
  copy.end += offset;
  return copy;
}

/** A copy of an element and what is in it, elsewhere in the text. */
function moved(element: SourceElement, parent: SourceElement, shift: Shift): SourceElement {
  const copy = copyOf(element, parent, shift);
  if (element.children.length > 0) {
    copy.children = element.children.map((child) => moved(child, copy, shift));
  }
  return copy;
}

/** Members in the order of the fence, so that V8 takes both for the same kind of object. */
function copyOf(
  element: SourceElement,
  parent: SourceElement | undefined,
  { offset, lines }: Shift,
): UnfinishedElement {
  return {
    namespace: element.namespace,
    localName: element.localName,
    prefix: element.prefix,
    parent,
    children: [],
    attributes: element.attributes,
    namespaceDeclarations: element.namespaceDeclarations,
    start: element.start + offset,
    startTagEnd: element.startTagEnd + offset,
    contentEnd: element.contentEnd + offset,
    end: element.end + offset,
    line: element.line + lines,
    nodes: element.nodes,
  };
}
