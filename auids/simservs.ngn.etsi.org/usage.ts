import { defineApplicationUsage, elementsNamed, repeatedValues } from '../../src/xcap/application-usage.js';
import type { ChildOrder } from '../../src/xcap/application-usage.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const namespace = 'http://uri.etsi.org/ngn/params/xml/simservs/xcap';
const commonPolicyNamespace = 'urn:ietf:params:xml:ns:common-policy';
const omaCommonPolicyNamespace = 'urn:oma:xml:xdm:common-policy';

/** TS 24.604: the settings of one diversion, in the schema's order. */
const forwardToChildren = [
  'target',
  'notify-caller',
  'reveal-identity-to-caller',
  'reveal-served-user-identity-to-caller',
  'notify-served-user',
  'notify-served-user-on-outbound-call',
  'reveal-identity-to-target',
];

/** TS 24.623, clause 6: the settings of a subscriber's supplementary services, edited over Ut. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'simservs.ngn.etsi.org',
  defaultDocumentNamespace: namespace,
  rootElement: service('simservs'),
  mediaType: 'application/vnd.etsi.simservs+xml',
  defaultDocument: 'simservs.xml',
  schema: 'simservs.xsd',
  namespaces: [namespace, commonPolicyNamespace, omaCommonPolicyNamespace],
  childOrder: childOrder(),
  // RFC 4745 §6.1, and over all services: an id names one rule of the document.
  uniqueness: (root) => repeatedValues(elementsNamed(root, policy('rule')), 'id', true),
  constraints: repeatedService,
});

/**
 * Handsets put single elements without a position, most of all a NoReplyTimer into a service that has rules already. At
 * the end of its parent it would break the schema, and nobody could ever set a first timer.
 */
function childOrder(): ChildOrder[] {
  return [
    { parent: service('simservs'), children: ['*', service('extensions')] },
    {
      parent: service('communication-diversion'),
      children: [service('NoReplyTimer'), policy('ruleset')],
    },
    {
      parent: service('communication-diversion-serv-cap'),
      children: [service('serv-cap-conditions'), service('serv-cap-actions')],
    },
    { parent: service('flexible-alerting-specific'), children: [service('identity'), '*'] },
    {
      parent: policy('rule'),
      children: [policy('conditions'), policy('actions'), policy('transformations')],
    },
    { parent: service('forward-to'), children: forwardToChildren.map(service) },
  ];
}

function service(localName: string): ExpandedName {
  return { namespace, localName };
}

function policy(localName: string): ExpandedName {
  return { namespace: commonPolicyNamespace, localName };
}

/** What subscribers call the services. Handsets show the phrase of a conflict report on the screen. */
const subscriberNames: ReadonlyMap<string, string> = new Map([
  ['communication-diversion', 'Call forwarding'],
  ['incoming-communication-barring', 'Barring of incoming calls'],
  ['outgoing-communication-barring', 'Barring of outgoing calls'],
  ['communication-waiting', 'Call waiting'],
  ['originating-identity-presentation', 'Display of the calling number'],
  ['originating-identity-presentation-restriction', 'Hiding of your own number when you call'],
  ['terminating-identity-presentation', 'Display of the number that answers'],
  ['terminating-identity-presentation-restriction', 'Hiding of your own number when you answer'],
  ['flexible-alerting-default', 'Ringing with your default group'],
  ['flexible-alerting-specific', 'Ringing with your other groups'],
]);

/** The schema lets a service repeat, but then nobody could say which of its settings count. */
function repeatedService(root: SourceElement): string | undefined {
  const seen = new Set<string>();
  for (const { localName, namespace: ofChild } of root.children) {
    if (ofChild !== namespace) continue;
    if (seen.has(localName)) {
      return `${subscriberNames.get(localName) ?? localName} is set up more than once. Each service can be set up only once.`;
    }
    seen.add(localName);
  }
  return undefined;
}
