import {
  attributeOf,
  canonicalXui,
  decodedUri,
  defineApplicationUsage,
  descendantsOrSelf,
  repeatedValues,
} from '../../src/xcap/usage/contract.js';
import type { ChildOrder, UniquenessFailure, UsageContext } from '../../src/xcap/usage/contract.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const namespace = 'urn:ietf:params:xml:ns:pidf';
const dataModelNamespace = 'urn:ietf:params:xml:ns:pidf:data-model';
const rpidNamespace = 'urn:ietf:params:xml:ns:pidf:rpid';

/** RFC 4827: presence that holds without a device that publishes it. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'pidf-manipulation',
  defaultDocumentNamespace: namespace,
  rootElement: pidf('presence'),
  mediaType: 'application/pidf+xml',
  defaultDocument: 'index',
  schema: 'pidf.xsd',
  namespaces: [
    namespace,
    dataModelNamespace,
    rpidNamespace,
    'urn:ietf:params:xml:ns:pidf:cipid',
    'urn:ietf:params:xml:ns:pidf:timed-status',
  ],
  childOrder: childOrder(),
  uniqueness,
  constraints: entityOfSomebodyElse,
});

/** The sequences that presence clients edit element by element. The note of a tuple is the example of RFC 4827 §11. */
function childOrder(): ChildOrder[] {
  return [
    { parent: pidf('presence'), children: [pidf('tuple'), pidf('note'), '*'] },
    {
      parent: pidf('tuple'),
      children: [pidf('status'), '*', pidf('contact'), pidf('note'), pidf('timestamp')],
    },
    { parent: pidf('status'), children: [pidf('basic'), '*'] },
    { parent: dataModel('person'), children: ['*', dataModel('note'), dataModel('timestamp')] },
    {
      parent: dataModel('device'),
      children: ['*', dataModel('deviceID'), dataModel('note'), dataModel('timestamp')],
    },
    { parent: rpid('activities'), children: [rpid('note'), '*'] },
    { parent: rpid('mood'), children: [rpid('note'), '*'] },
  ];
}

function pidf(localName: string): ExpandedName {
  return { namespace, localName };
}

function dataModel(localName: string): ExpandedName {
  return { namespace: dataModelNamespace, localName };
}

function rpid(localName: string): ExpandedName {
  return { namespace: rpidNamespace, localName };
}

/** RFC 3863 §4.1.2, RFC 4479 §3.5, RFC 4480 §3.1: tuples, persons, devices and their elements share one space of ids. */
function uniqueness(root: SourceElement): readonly UniquenessFailure[] {
  const namespaces = [namespace, dataModelNamespace, rpidNamespace];
  const elements = descendantsOrSelf(root).filter((element) => namespaces.includes(element.namespace));
  return repeatedValues(elements, 'id', true);
}

/**
 * A presence document in a user's home is about this user. RFC 3863 §4.1.1 wants their pres URI as the entity, SIP clients
 * (and RFC 4827 §11) put their address of record there: both name them.
 */
function entityOfSomebodyElse(root: SourceElement, { document }: UsageContext): string | undefined {
  if (document.tree !== 'users') return undefined;
  const entity = attributeOf(root, 'entity')?.value.trim() ?? '';
  if (withoutPres(canonicalXui(decodedUri(entity))) === withoutPres(document.xui)) return undefined;
  return `The presence information has to be that of ${document.xui}, but its entity is: ${entity}`;
}

/** The SIP URI that has the user and the domain of a pres URI; other URIs as they are. */
function withoutPres(uri: string): string {
  return uri.replace(/^pres:/, 'sip:');
}
