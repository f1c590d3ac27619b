import {
  attributeOf,
  canonicalHost,
  canonicalXui,
  decodedUri,
  defineApplicationUsage,
  descendantsOrSelf,
  globalTreeForTrustedElements,
  isMisleadingSegment,
  listLimits,
  percentDecoded,
  repeatedValues,
  sameName,
  unusableAddress,
} from '../../src/xcap/usage/contract.js';
import type { ChildOrder, Claim, UniquenessFailure, UsageContext } from '../../src/xcap/usage/contract.js';
import type { DocumentSelector, ExpandedName, SourceElement } from '../../src/xcap/terms.js';
import { misformedReference } from '../resource-lists/usage.js';

const namespace = 'urn:ietf:params:xml:ns:rls-services';
const listsNamespace = 'urn:ietf:params:xml:ns:resource-lists';

/** RFC 4826 §4.4.7: the documents whose services go into the global one, and that one, have this name. */
const index = 'index';

/** RFC 4826 §4: services of a resource list server. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'rls-services',
  defaultDocumentNamespace: namespace,
  rootElement: services('rls-services'),
  limits: listLimits,
  mediaType: 'application/rls-services+xml',
  defaultDocument: index,
  schema: 'rls-services.xsd',
  namespaces: [namespace, listsNamespace],
  // RFC 4826 §4.4.9: the global document tells of all users.
  authorization: globalTreeForTrustedElements,
  generated: [{ tree: 'global', path: [index], from: 'claims', generate: union }],
  childOrder: childOrder(),
  uniqueness,
  claims,
  constraints,
});

function childOrder(): ChildOrder[] {
  // As in resource-lists: a display name comes first, entries come last, others behind them.
  const members = [...['display-name', 'list', 'external', 'entry-ref', 'entry'].map(lists), '*'] as const;
  const labelled = [lists('display-name'), '*'] as const;
  return [
    {
      parent: services('service'),
      children: [...['list', 'resource-list', 'packages'].map(services), '*'],
    },
    { parent: services('list'), children: members },
    { parent: lists('list'), children: members },
    { parent: lists('entry'), children: labelled },
    { parent: lists('entry-ref'), children: labelled },
    { parent: lists('external'), children: labelled },
  ];
}

function services(localName: string): ExpandedName {
  return { namespace, localName };
}

function lists(localName: string): ExpandedName {
  return { namespace: listsNamespace, localName };
}

/**
 * RFC 4826 §4.4.8: all services of all users. The root has a prefix, because a default namespace would become that of
 * names which are in none in the documents that the services come from.
 */
function union(elements: readonly string[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<rls:rls-services xmlns:rls="${namespace}">`,
    ...elements,
    '</rls:rls-services>',
    '',
  ].join('\n');
}

/** RFC 4826 §4.4.5: the URI of a service is unique on the server. §4.4.7: not all of them are services of the RLS. */
function claims(root: SourceElement, { tree, path }: DocumentSelector): readonly Claim[] {
  const isListed = tree === 'users' && path.length === 1 && path[0] === index;
  return root.children.map((element) => ({ element, attribute: 'uri', isListed }));
}

/** RFC 4826 §3.4.5, §4.4.5: which attribute is unique among elements of one kind below the same parent. */
const uniqueAttributes: readonly (readonly [element: string, attribute: string])[] = [
  ['list', 'name'],
  ['entry', 'uri'],
  ['entry-ref', 'ref'],
  ['external', 'anchor'],
];

function uniqueness(root: SourceElement): readonly UniquenessFailure[] {
  return partsOfServices(root, 'list')
    .flatMap(descendantsOrSelf)
    .flatMap(repeatedAmongChildren)
    .sort((a, b) => a.element.start - b.element.start);
}

function repeatedAmongChildren(parent: SourceElement): UniquenessFailure[] {
  return uniqueAttributes.flatMap(([localName, attribute]) =>
    repeatedValues(
      parent.children.filter((child) => sameName(child, lists(localName))),
      attribute,
      attribute === 'name',
    ),
  );
}

/** RFC 4826 §4.4.5: by looking at the URIs only. What is found there is not the server's concern. */
function constraints(root: SourceElement, context: UsageContext): string | undefined {
  return (
    // RFC 4826 §4.4.1: an address that the user could not give out would lead others to it.
    firstFailure(root.children, (service) =>
      unusableAddress('service', attributeOf(service, 'uri')?.value.trim() ?? '', context.document),
    ) ??
    firstFailure(partsOfServices(root, 'resource-list'), (element) =>
      unusableList(decodedUri(context.textOf(element).trim()), context),
    ) ??
    firstFailure(partsOfServices(root, 'list').flatMap(descendantsOrSelf), misformedReference)
  );
}

function firstFailure(
  elements: readonly SourceElement[],
  failureOf: (element: SourceElement) => string | undefined,
): string | undefined {
  for (const element of elements) {
    const failure = failureOf(element);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** RFC 4826 §4.1: an element of the user's own resource lists, below the same XCAP root. */
function unusableList(uri: string, { document, xcapRoots, hostnames }: UsageContext): string | undefined {
  // Some clients take a backslash for a slash, and drop tabs and line ends.
  const [, authority = '', path] =
    /^https?:\/\/([^/?#\\\s]+)((?:\/[^?#\\\t\n\r]*)?)(?:[?#]|$)/i.exec(uri) ?? [];
  if (path === undefined) return `A resource-list has to be an absolute HTTP URI: ${uri}`;
  const host = hostOf(authority);
  if (hostnames.length > 0 && !hostnames.map(canonicalHost).includes(host)) {
    return `A resource-list has to be on this server, http://${hostnames.join(' or http://')}, but is: ${uri}`;
  }
  const [documentPath = '', nodeSelector = ''] = path.split(/\/(?:~|%7e){2}(?:\/|$)/i);
  // Dot segments behind the document's name climb out of it as well.
  if (path.split('/').map(percentDecoded).some(isMisleadingSegment)) {
    return `A resource-list has to be a URI without dot segments, percent-encoded UTF-8: ${uri}`;
  }
  const selectors = xcapRoots.flatMap((root) => segmentsBelow(root, documentPath));
  if (selectors.length === 0) {
    const roots = xcapRoots.map((root) => `http://<host>${root}/resource-lists/users/…`).join(' or ');
    return `A resource-list has to lie below the XCAP root of this server, ${roots}, but is: ${uri}`;
  }
  const list = selectors.find(([auid]) => auid === 'resource-lists');
  if (list === undefined) return `A resource-list has to lie in the resource lists: ${uri}`;
  const [, tree, owner = '', name] = list;
  if (tree !== 'users' || name === undefined || nodeSelector === '') {
    return `A resource-list has to name a list in the home directory of a user: ${uri}`;
  }
  // Documents of the global tree have no owner whose lists could be told from those of others.
  if (document.tree === 'global' || canonicalXui(owner) === document.xui) return undefined;
  return `A resource-list has to lie in the resource lists of ${document.xui}: ${uri}`;
}

/** RFC 3986 §3.2, of an address without its brackets. A name in front of an `@` is no host. */
function hostOf(authority: string): string {
  return canonicalHost(authority.replace(/:\d*$/, '')).replace(/^\[|\]$/g, '');
}

/** The decoded segments of the path behind the XCAP root: one array, or none where it does not lie below that. */
function segmentsBelow(xcapRoot: string, path: string): (string | undefined)[][] {
  const [root, segments] = [xcapRoot, path].map(segmentsOf);
  if (root === undefined || segments === undefined) return [];
  return root.every((segment, i) => segments[i] === segment) ? [segments.slice(root.length)] : [];
}

/** Empty segments are what is left where a client joins a root and a path that both have the slash. */
function segmentsOf(path: string): (string | undefined)[] {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map(percentDecoded);
}

/** The children of that name of all services. */
function partsOfServices(root: SourceElement, localName: string): SourceElement[] {
  return root.children
    .flatMap(({ children }) => children)
    .filter((child) => sameName(child, services(localName)));
}
