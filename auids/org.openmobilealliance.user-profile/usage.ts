import {
  attributeOf,
  canonicalXui,
  decodedUri,
  defineApplicationUsage,
  readableByEveryone,
} from '../../src/xcap/usage/contract.js';
import type { ChildOrder, UsageContext } from '../../src/xcap/usage/contract.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const namespace = 'urn:oma:xml:xdm:user-profile';

/** OMA Shared Profile XDM: what a user tells everybody about themselves. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.user-profile',
  defaultDocumentNamespace: namespace,
  rootElement: named('user-profiles'),
  mediaType: 'application/vnd.oma.user-profile+xml',
  defaultDocument: 'user-profile',
  schema: 'user-profile.xsd',
  namespaces: [namespace],
  authorization: readableByEveryone,
  childOrder: childOrder(),
  constraints: profileOfSomebodyElse,
});

/** Clients edit a profile field by field, and every part of it is a sequence. */
function childOrder(): ChildOrder[] {
  return [
    fields('user-profile', [
      'communication-addresses',
      'display-name',
      'birth-date',
      'name',
      'address',
      'gender',
      'freetext',
      'communication-types',
      'hobbies',
      'favourite-links',
    ]),
    fields('name', ['given-name', 'family-name', 'middle-name', 'name-suffix', 'name-prefix']),
    fields('address', [
      'country',
      'region',
      'locality',
      'area',
      'street-name',
      'street-number',
      'postal-code',
    ]),
    fields('communication-addresses', ['comm-addr']),
    fields('communication-types', ['comm-type']),
    fields('hobbies', ['hobby']),
    fields('favourite-links', ['link']),
  ];
}

/** The fields in the schema's order; what other namespaces add stands behind them. */
function fields(parent: string, children: readonly string[]): ChildOrder {
  return { parent: named(parent), children: [...children.map(named), '*'] };
}

function named(localName: string): ExpandedName {
  return { namespace, localName };
}

/** A profile in a user's home describes this user. */
function profileOfSomebodyElse(root: SourceElement, { document }: UsageContext): string | undefined {
  if (document.tree !== 'users') return undefined;
  for (const profile of root.children) {
    const uri = attributeOf(profile, 'uri')?.value.trim() ?? '';
    if (canonicalXui(decodedUri(uri)) !== document.xui) {
      return `The profile has to be that of ${document.xui}, but its URI is: ${uri}`;
    }
  }
  return undefined;
}
