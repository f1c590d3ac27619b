/**
 * §5: what makes an application usage. A usage is data: its folder `auids/<auid>/` exports one object made by
 * `defineApplicationUsage`, beside its schema and examples. See auids/README.md.
 */
import { attributeOf, descendantsOrSelf, sameName } from '../xml/source-tree.js';
import type { AuthorizationPolicy } from './authorization.js';
import type { DocumentSelector, ExpandedName, SourceElement } from './terms.js';

export type { AuthorizationPolicy } from './authorization.js';

/** What the rules of a usage need to look around in a document, and the policies that they choose from. */
export { attributeOf, descendantsOrSelf, sameName } from '../xml/source-tree.js';
export { escapeText } from '../xml/escape.js';
export { ownerAndTrustedElements, readableByEveryone, readableByOwner, readOnly } from './authorization.js';
export { canonicalXui } from './xui.js';

/** What a rule may know beside the document's content. */
export interface UsageContext {
  readonly document: DocumentSelector;
  /** The paths of this server's XCAP roots, without a trailing slash; the first is the primary one. */
  readonly xcapRoots: readonly string[];
  /** The text directly inside an element: references resolved, white space kept. */
  readonly textOf: (element: SourceElement) => string;
}

/** A value that has to be unique and is not (§11.1 uniqueness-failure). */
export interface UniquenessFailure {
  /** The element whose value is taken. */
  readonly element: SourceElement;
  /** The local name of the attribute that holds the value (in no namespace). */
  readonly attribute: string;
  /** Values that would have been accepted instead. */
  readonly alternatives?: readonly string[];
}

/** What a generated document is made from: the usages that this server has, in the order of their AUIDs. */
export interface ServedUsage {
  readonly auid: string;
  readonly namespaces: readonly string[];
  readonly extensions: readonly string[];
}

/** Order of the children of one element, as the schema's sequence has it, in expanded names; '*' stands for all others. */
export interface ChildOrder {
  readonly parent: ExpandedName;
  readonly children: readonly (ExpandedName | '*')[];
}

interface UsageCommon {
  /** §5.1. Equals the name of the folder. */
  readonly auid: string;
  /** §5.2: the namespace of unprefixed element names in node selectors. */
  readonly defaultDocumentNamespace: string;
  /** The root element of the documents. A schema alone would take any of its global elements for one. */
  readonly rootElement: ExpandedName;
  /** §5.3, §8.2.2: the media type of the documents. */
  readonly mediaType: string;
  /** The schema's file name in the usage's folder. */
  readonly schema: string;
  /** §12: the namespaces whose schemas the usage has. They are advertised in xcap-caps. */
  readonly namespaces: readonly string[];
  /** §12: tokens of XCAP extensions that the usage brings. Default: none. */
  readonly extensions?: readonly string[];
  /** §5.7. Default: `ownerAndTrustedElements`. */
  readonly authorization?: AuthorizationPolicy;
}

/** A usage whose documents clients write. */
export interface StoredUsage extends UsageCommon {
  readonly kind: 'stored';
  /** §6.2: sub-directories that exist below every home, each as its decoded segments joined by '/'. Default: none. */
  readonly directories?: readonly string[];
  /** §5.5: the name of the document with which a GET of a home directory (`…/users/<xui>/`) is answered. */
  readonly defaultDocument?: string;
  /** The orders of children that an insertion without position may use where the last place breaks the schema. */
  readonly childOrder?: readonly ChildOrder[];
  /** §5.3 data uniqueness: the failures of the document with that root, first in document order first. */
  readonly uniqueness?: (root: SourceElement) => readonly UniquenessFailure[];
  /** §5.3 other constraints: a sentence for the first that fails, or undefined. */
  readonly constraints?: (root: SourceElement, context: UsageContext) => string | undefined;
}

/** A usage with one document in the global tree that the server makes itself. */
export interface GeneratedUsage extends UsageCommon {
  readonly kind: 'generated';
  /** Its path in the global tree. */
  readonly path: readonly [string, ...string[]];
  /** The text of the document. Must be the same for the same usages. */
  readonly generate: (usages: readonly ServedUsage[]) => string;
}

export type ApplicationUsage = StoredUsage | GeneratedUsage;

/** Types a usage's definition; the registry checks the rest when it loads the folder. */
export function defineApplicationUsage<U extends ApplicationUsage>(usage: U): U {
  return usage;
}

/** All elements of that name in the document, in document order. */
export function elementsNamed(root: SourceElement, name: ExpandedName): SourceElement[] {
  return descendantsOrSelf(root).filter((element) => sameName(element, name));
}

/**
 * The failures of "values of `attribute` differ among `elements`": one for each element that repeats an earlier value.
 *
 * @param isName true where any other value would do as well: then a free one is proposed. A URI cannot be made up.
 */
export function repeatedValues(
  elements: readonly SourceElement[],
  attribute: string,
  isName = false,
): UniquenessFailure[] {
  if (elements.length < 2) return [];
  const values = new Set(elements.map((element) => attributeOf(element, attribute)?.value));
  const seen = new Set<string>();
  const nextNumbers = new Map<string, number>();
  const failures: UniquenessFailure[] = [];
  for (const element of elements) {
    const value = attributeOf(element, attribute)?.value;
    if (value === undefined) continue;
    if (seen.has(value)) {
      const alternatives = isName ? [freeName(value, values, nextNumbers)] : [];
      failures.push({ element, attribute, alternatives });
    }
    seen.add(value);
  }
  return failures;
}

/** A name that is not taken and was not proposed before. A document may repeat one name as often as it has elements. */
function freeName(
  name: string,
  taken: ReadonlySet<string | undefined>,
  nextNumbers: Map<string, number>,
): string {
  let number = nextNumbers.get(name) ?? 2;
  while (taken.has(`${name}-${number}`)) number++;
  nextNumbers.set(name, number + 1);
  return `${name}-${number}`;
}
