/**
 * §5: what makes an application usage. A usage is data: its folder `auids/<auid>/` exports one object made by
 * `defineApplicationUsage`, beside its schema and examples. See auids/README.md.
 */
import { attributeOf, descendantsOrSelf, sameName } from '../../xml/source-tree.js';
import type { AuthorizationPolicy } from '../policy/authorization.js';
import { policy, type Reader } from '../policy/common-policy.js';
import type { GeneratedDocument } from './generated.js';
import type { DocumentSelector, ExpandedName, SourceElement, SourceTree } from '../terms.js';

export type { AuthorizationPolicy } from '../policy/authorization.js';
export type { GeneratedDocument, Home, ServedUsage } from './generated.js';

/** What the rules of a usage need to look around in a document, and the policies that they choose from. */
export { once } from '../../once.js';
export { attributeOf, descendantsOrSelf, sameName } from '../../xml/source-tree.js';
export { escapeAttribute, escapeText } from '../../xml/escape.js';
export {
  globalTreeForTrustedElements,
  ownerAndTrustedElements,
  readableByEveryone,
  readableByOwner,
  readOnly,
} from '../policy/authorization.js';
export {
  actionsOf,
  commonPolicyNamespace,
  domainOf,
  policy,
  rulesThatHold,
  type Reader,
} from '../policy/common-policy.js';
export { decodedUri, isMisleadingSegment, percentDecoded } from '../uri/percent-encoding.js';
export { canonicalHost, canonicalXui } from '../uri/xui.js';
export { unusableAddress } from './given-address.js';

/** What a rule may know beside the document's content. */
export interface UsageContext {
  readonly document: DocumentSelector;
  /** The paths of this server's XCAP roots, without a trailing slash; the first is the primary one. */
  readonly xcapRoots: readonly string[];
  /** The names of this server, where the operator has said them; none where any may be one. */
  readonly hostnames: readonly string[];
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

/** Order of the children of one element, as the schema's sequence has it, in expanded names; '*' stands for all others. */
export interface ChildOrder {
  readonly parent: ExpandedName;
  readonly children: readonly (ExpandedName | '*')[];
}

/** A place that a standard leaves open and that stays closed but for chosen namespaces. */
export interface ForeignChildren {
  readonly parent: ExpandedName;
  /** The environment variable by which an operator names the namespaces. */
  readonly variable: string;
  /** Filled in by the registry. Default: none. */
  readonly namespaces?: readonly string[];
}

interface UsageCommon extends UsagePolicy {
  /** §5.1. Equals the name of the folder. */
  readonly auid: string;
  /**
   * Other AUIDs by which clients ask for the same documents. They are the documents of `auid` in all that the server keeps
   * and says, and are not advertised. Default: none.
   */
  readonly aliases?: readonly string[];
  /** §5.2: the namespace of unprefixed element names in node selectors. */
  readonly defaultDocumentNamespace: string;
  /** §5.2 where the field disagrees on it: the namespace of unprefixed names that the first one does not declare. */
  readonly secondDefaultNamespace?: string;
  /** The root element of the documents. A schema alone would take any of its global elements for one. */
  readonly rootElement?: ExpandedName;
  /** §5.3, §8.2.2: the media type of the documents. */
  readonly mediaType: string;
  /** What clients call it instead, in lower case. Taken on documents unless `XCAP_STRICT_MEDIA_TYPES`. Default: nothing. */
  readonly mediaTypeAliases?: readonly string[];
  /** The schema's file name in the usage's folder. Without one, any well-formed document is valid. */
  readonly schema?: string;
  /**
   * How large a document may be. Every write reads and judges the whole of it, so this is what a user can make a write
   * cost. Default: `usualLimits`, 256 KiB with 10,000 nodes.
   */
  readonly limits?: DocumentLimits;
  /** The file name of a schema that also accepts what known clients write against the standard (`XCAP_LENIENT_USAGES`). */
  readonly lenientSchema?: string;
  /** Where the schema takes elements of any other namespace, and the server only those of namespaces that an operator names. */
  readonly foreignChildren?: ForeignChildren;
  /** §12: the namespaces whose schemas the usage has. They are advertised in xcap-caps. */
  readonly namespaces: readonly string[];
  /** §12: tokens of XCAP extensions that the usage brings. Default: none. */
  readonly extensions?: readonly string[];
  /** §8.2.7: documents that the server makes. They can be read, not written. */
  readonly generated?: readonly GeneratedDocument[];
  /** Names that an operator may choose in place of the policy above (`XCAP_POLICIES`). */
  readonly otherPolicies?: Readonly<Record<string, UsagePolicy>>;
  /** Served only where the operator asks for it (`XCAP_OPTIONAL_USAGES`). */
  readonly isOptional?: true;
}

export interface DocumentLimits {
  /** In UTF-8. `XCAP_MAX_DOCUMENT_BYTES` holds as well. */
  readonly bytes: number;
  /** Elements, attributes, comments and processing instructions. */
  readonly nodes: number;
}

/** Some hundred times what documents of most usages have. */
export const usualLimits: DocumentLimits = { bytes: 256 * 1024, nodes: 10_000 };

/** For documents of lists: 5,000 entries with a name each, and some more. */
export const listLimits: DocumentLimits = { bytes: 1024 * 1024, nodes: 20_000 };

/** §5.7: who may do what. */
export interface UsagePolicy {
  /** Default: `ownerAndTrustedElements`. */
  readonly authorization?: AuthorizationPolicy;
  /**
   * Whether a GET or HEAD without any credentials is that of a user like others, whom nobody knows. Only with a policy that
   * lets everyone read. Default: it is 401.
   */
  readonly anonymousReaders?: true;
  /** Who may read beside those, by rules that stand in documents. */
  readonly readers?: ReadersByRules;
}

/** Readers whom documents admit: the members of a group, the watchers of a presentity. */
export interface ReadersByRules {
  /** The documents that may hold the rules for that document. One that admits is enough. */
  readonly rulesFor: (document: DocumentSelector) => readonly DocumentSelector[];
  /** Do the rules in the document with that root admit this reader? */
  readonly admit: (
    rules: SourceElement,
    reader: Reader,
    textOf: (element: SourceElement) => string,
  ) => boolean;
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
  /** §5.3 data uniqueness over all documents of all users: the URIs that the document with that root gives out. */
  readonly claims?: (root: SourceElement, document: DocumentSelector) => readonly Claim[];
  /** Directories of the global tree in which a claimed URI names the document that claims it, for reading. */
  readonly claimDirectories?: readonly string[];
  /** §5.3 other constraints: a sentence for the first that fails, or undefined. */
  readonly constraints?: (root: SourceElement, context: UsageContext) => string | undefined;
  /** What operators provision in documents of this usage. */
  readonly provisioning?: Provisioning;
  /** The content that a document carries (a picture), for clients that ask for it instead of the document. */
  readonly carriedContent?: (
    root: SourceElement,
    textOf: (element: SourceElement) => string,
  ) => CarriedContent | undefined;
}

/** A usage all of whose documents the server makes. */
export interface GeneratedUsage extends UsageCommon {
  readonly kind: 'generated';
  readonly generated: readonly GeneratedDocument[];
}

export type ApplicationUsage = StoredUsage | GeneratedUsage;

/**
 * A URI that a document gives to what it describes. No two documents may claim the same one, whatever their users and
 * usages, and none that is the address of a user.
 */
export interface Claim {
  /** The element that gets the URI. */
  readonly element: SourceElement;
  /** The local name of the attribute that holds it (in no namespace). */
  readonly attribute: string;
  /** Whether the element goes into the usage's document generated from claims. */
  readonly isListed: boolean;
}

/** A representation of its own media type inside a document. */
export interface CarriedContent {
  readonly mediaType: string;
  readonly base64: string;
}

/** How what an operator provisions and what a user writes make one document. The functions are pure. */
export interface Provisioning {
  /** The name of the document in the home directory. */
  readonly document: string;
  /** A sentence for the first thing that makes a text unfit to be a profile, or undefined. */
  readonly profileFault: (profile: SourceTree) => string | undefined;
  /**
   * The text of the document as it is to be seen under a profile that may have changed since it was written. The text
   * itself where nothing is to be changed, which is so for every document that `violation` has nothing to say about.
   */
  readonly reconcile: (profile: SourceTree, written: SourceTree, textOf: ReadText) => string;
  /** A sentence for the first thing that a user may not change and that differs between two versions, or undefined. */
  readonly violation: (
    profile: SourceTree,
    current: SourceTree,
    next: SourceTree,
    textOf: ReadText,
  ) => string | undefined;
}

/** The text directly inside an element of a document: references resolved, white space kept. */
export type ReadText = (document: SourceTree, element: SourceElement) => string;

/** Types a usage's definition; the registry checks the rest when it loads the folder. */
export function defineApplicationUsage<U extends ApplicationUsage>(usage: U): U {
  return usage;
}

/** All elements of that name in the document, in document order. */
export function elementsNamed(root: SourceElement, name: ExpandedName): SourceElement[] {
  return descendantsOrSelf(root).filter((element) => sameName(element, name));
}

/** RFC 4745 §13: what is in a rule. */
export const ruleOrder: ChildOrder = {
  parent: policy('rule'),
  children: ['conditions', 'actions', 'transformations'].map(policy),
};

/** RFC 4745 §6.1: ids of rules are unique within a document. Schemas leave that to the usage. */
export function repeatedRuleIds(root: SourceElement): UniquenessFailure[] {
  return repeatedValues(elementsNamed(root, policy('rule')), 'id', true);
}

/**
 * For vocabularies of which no more is known: a sentence for a root element that has not that local name, or whose
 * namespace begins with none of these texts, or undefined.
 */
export function unexpectedRoot(
  root: SourceElement,
  localName: string,
  namespaceBeginnings: readonly string[],
): string | undefined {
  const isKnown = namespaceBeginnings.some((beginning) => root.namespace.startsWith(beginning));
  if (root.localName === localName && isKnown) return undefined;
  return `The root element has to be ${localName} of a namespace that begins with ${namespaceBeginnings.join(' or ')}.`;
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
