import {
  defineApplicationUsage,
  descendantsOrSelf,
  repeatedValues,
  sameName,
} from '../../src/xcap/usage/contract.js';
import type { ChildOrder, UniquenessFailure } from '../../src/xcap/usage/contract.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const namespace = 'urn:ietf:params:xml:ns:resource-lists';
const uriUsageNamespace = 'urn:oma:xml:xdm:resource-list:oma-uriusage';

/** OMA Shared Group XDM: the groups that a user takes part in, as resource lists that say what each URI is used for. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.group-usage-list',
  defaultDocumentNamespace: namespace,
  rootElement: named('resource-lists'),
  mediaType: 'application/vnd.oma.group-usage-list+xml',
  defaultDocument: 'index',
  schema: 'group-usage-list.xsd',
  namespaces: [namespace, uriUsageNamespace, 'urn:oma:xml:poc:oma-pocusage', 'urn:oma:xml:xdm:extensions'],
  childOrder: childOrder(),
  uniqueness,
  constraints: reference,
});

/** As in resource-lists: a display name comes first, what OMA and others add comes last. */
function childOrder(): ChildOrder[] {
  return [
    { parent: named('list'), children: [named('display-name'), named('list'), named('entry'), '*'] },
    { parent: named('entry'), children: [named('display-name'), '*'] },
  ];
}

function named(localName: string): ExpandedName {
  return { namespace, localName };
}

/** RFC 4826 §3.4.5: names of lists and URIs of entries are unique among the elements below one parent. */
function uniqueness(root: SourceElement): readonly UniquenessFailure[] {
  return descendantsOrSelf(root)
    .flatMap(({ children }) => [
      ...repeatedValues(
        children.filter((child) => sameName(child, named('list'))),
        'name',
        true,
      ),
      ...repeatedValues(
        children.filter((child) => sameName(child, named('entry'))),
        'uri',
      ),
    ])
    .sort((a, b) => a.element.start - b.element.start);
}

/** Every group stands in the document itself. */
function reference(root: SourceElement): string | undefined {
  const kinds = [named('external'), named('entry-ref')];
  const found = descendantsOrSelf(root).find((element) => kinds.some((kind) => sameName(element, kind)));
  if (found === undefined) return undefined;
  return `A list of groups cannot refer to entries elsewhere, as ${found.localName} does (line ${String(found.line)}).`;
}
