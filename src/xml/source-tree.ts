/**
 * An XML text as a tree that knows where everything stands in it. Selectors are evaluated and edits are made on this
 * tree, so that bytes which are not the target of a request are never touched. Offsets count UTF-16 code units of the
 * text the tree was read from; `end` offsets are exclusive.
 */

/** A name after namespace expansion. `namespace` is '' for "no namespace". */
export interface ExpandedName {
  readonly namespace: string;
  readonly localName: string;
}

export interface SourceAttribute extends ExpandedName {
  readonly prefix: string;
  /** The value as an XML processor reports it: references resolved, white space normalised. */
  readonly value: string;
}

export interface SourceElement extends ExpandedName {
  readonly prefix: string;
  readonly parent: SourceElement | undefined;
  /** Child elements in document order. */
  readonly children: readonly SourceElement[];
  /** Attributes without the namespace declarations, in document order. */
  readonly attributes: readonly SourceAttribute[];
  /** The namespace declarations made on this element: prefix ('' for the default) → URI ('' undeclares). */
  readonly namespaceDeclarations: Readonly<Record<string, string>>;
  /** Offset of the `<` that opens the element. */
  readonly start: number;
  /** Offset behind the `>` of the start tag (or of the empty-element tag). */
  readonly startTagEnd: number;
  /** Offset of the `</` of the end tag; equals `end` for an empty-element tag. */
  readonly contentEnd: number;
  /** Offset behind the element. */
  readonly end: number;
  /** 1-based line of the element's start. */
  readonly line: number;
  /** Elements, attributes, comments and processing instructions in the element, itself among them. */
  readonly nodes: number;
}

/** An element while its tree is made. Nobody else sees it so. */
export type UnfinishedElement = { -readonly [K in keyof SourceElement]: SourceElement[K] };

/** A text that passed the fence, with its tree. */
export interface SourceTree {
  readonly text: string;
  readonly root: SourceElement;
  /** Elements, attributes, comments and processing instructions. */
  readonly nodes: number;
  /**
   * UTF-16 units of earlier texts that stay in memory with the tree: V8 makes names and values pieces of the text from
   * which they were read. 0 where that was `text`.
   */
  readonly earlierText: number;
}

/** True where both names have the same namespace and the same local name. */
export function sameName(a: ExpandedName, b: ExpandedName): boolean {
  return a.localName === b.localName && a.namespace === b.namespace;
}

/** The attribute of that name, or undefined. An attribute without a prefix is in no namespace. */
export function attributeOf(
  element: SourceElement,
  localName: string,
  namespace = '',
): SourceAttribute | undefined {
  return element.attributes.find((a) => a.localName === localName && a.namespace === namespace);
}

/** True where the element was written as `<name/>`. */
export function isEmptyElementTag(element: SourceElement): boolean {
  return element.startTagEnd === element.end;
}

/** How many namespaces the element declares itself. */
export function declarationCount(element: SourceElement): number {
  return Object.keys(element.namespaceDeclarations).length;
}

/** The element itself, its parent and so on up to the root. */
export function ancestorsOrSelf(element: SourceElement | undefined): SourceElement[] {
  const ancestors: SourceElement[] = [];
  for (let e = element; e !== undefined; e = e.parent) ancestors.push(e);
  return ancestors;
}

/** All elements of the subtree, the given one first, in document order. */
export function descendantsOrSelf(element: SourceElement): SourceElement[] {
  const elements: SourceElement[] = [];
  collect(element, elements);
  return elements;
}

function collect(element: SourceElement, into: SourceElement[]): void {
  into.push(element);
  for (const child of element.children) collect(child, into);
}

/** The namespace bindings in scope for an element: prefix ('' for the default namespace) → URI. `xml` is left out. */
export function namespacesInScope(element: SourceElement): ReadonlyMap<string, string> {
  const bindings = new Map<string, string>();
  for (const ancestor of ancestorsOrSelf(element).reverse()) {
    for (const [prefix, uri] of Object.entries(ancestor.namespaceDeclarations)) {
      if (uri === '') bindings.delete(prefix);
      else bindings.set(prefix, uri);
    }
  }
  bindings.delete('xml');
  return bindings;
}
