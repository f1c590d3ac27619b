import {
  attributeOf,
  decodedUri,
  defineApplicationUsage,
  descendantsOrSelf,
  listLimits,
  repeatedValues,
  sameName,
} from '../../src/xcap/usage/contract.js';
import type { ChildOrder, UniquenessFailure } from '../../src/xcap/usage/contract.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const namespace = 'urn:ietf:params:xml:ns:resource-lists';

/** RFC 4826 §3: resource lists. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'resource-lists',
  defaultDocumentNamespace: namespace,
  rootElement: named('resource-lists'),
  limits: listLimits,
  mediaType: 'application/resource-lists+xml',
  defaultDocument: 'index',
  schema: 'resource-lists.xsd',
  lenientSchema: 'lenient.xsd',
  namespaces: [namespace],
  childOrder: childOrder(),
  uniqueness,
  constraints,
});

/**
 * A display name comes first, elements of other namespaces last. Between them the schema lets the kinds of nodes mix, so
 * their order here is free; entries stand last, because there a new one is least surprising.
 */
function childOrder(): ChildOrder[] {
  const nodes = ['list', 'external', 'entry-ref', 'entry'].map(named);
  return [
    { parent: named('list'), children: [named('display-name'), ...nodes, '*'] },
    { parent: named('entry'), children: [named('display-name'), '*'] },
    { parent: named('entry-ref'), children: [named('display-name'), '*'] },
    { parent: named('external'), children: [named('display-name'), '*'] },
  ];
}

function named(localName: string): ExpandedName {
  return { namespace, localName };
}

/** RFC 4826 §3.4.5: which attribute is unique among elements of one kind below the same parent. */
const uniqueAttributes: readonly (readonly [element: string, attribute: string])[] = [
  ['list', 'name'],
  ['entry', 'uri'],
  ['entry-ref', 'ref'],
  ['external', 'anchor'],
];

/** RFC 4826 §3.4.5: by case-sensitive comparison of strings, so URIs are neither decoded nor normalised. */
function uniqueness(root: SourceElement): readonly UniquenessFailure[] {
  return descendantsOrSelf(root)
    .flatMap(repeatedAmongChildren)
    .sort((a, b) => a.element.start - b.element.start);
}

function repeatedAmongChildren(parent: SourceElement): UniquenessFailure[] {
  if (parent.children.length < 2) return [];
  return uniqueAttributes.flatMap(([localName, attribute]) =>
    repeatedValues(
      parent.children.filter((child) => is(child, localName)),
      attribute,
      attribute === 'name',
    ),
  );
}

/** A sentence for the first reference that cannot be one, or undefined. */
function constraints(root: SourceElement): string | undefined {
  for (const element of descendantsOrSelf(root)) {
    const failure = misformedReference(element);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/**
 * RFC 4826 §3.4.5: a sentence for an `entry-ref` or `external` whose reference has not the form of one, or undefined. Where
 * references lead to is not the server's concern.
 */
export function misformedReference(element: SourceElement): string | undefined {
  if (is(element, 'entry-ref')) return misformedEntryReference(valueOf(element, 'ref'));
  if (is(element, 'external')) return misformedAnchor(valueOf(element, 'anchor'));
  return undefined;
}

/** RFC 3986 §4.2: a relative-path reference has no slash in front and no colon in its first segment. */
function misformedEntryReference(ref: string | undefined): string | undefined {
  if (ref === undefined || /^(?!\/)[^:/?#]*(?:[/?#]|$)/.test(ref)) return undefined;
  return `An entry-ref has to refer by a path relative to the XCAP root, without scheme and leading slash: ${ref}`;
}

function misformedAnchor(anchor: string | undefined): string | undefined {
  if (anchor === undefined || /^https?:\/\/[^/?#]/i.test(decodedUri(anchor))) return undefined;
  return `The anchor of an external list has to be an absolute HTTP URI: ${anchor}`;
}

/** The value as the schema's xs:anyURI has it, white space around it removed. */
function valueOf(element: SourceElement, attribute: string): string | undefined {
  return attributeOf(element, attribute)?.value.trim();
}

function is(element: SourceElement, localName: string): boolean {
  return sameName(element, named(localName));
}
