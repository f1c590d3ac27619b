import { defineApplicationUsage, repeatedRuleIds, ruleOrder } from '../../src/xcap/usage/contract.js';
import type { ChildOrder } from '../../src/xcap/usage/contract.js';
import type { SourceElement } from '../../src/xcap/terms.js';
import { capabilityFault } from './capabilities.js';
import { provisioning } from './provisioning.js';
import {
  commonPolicyNamespace,
  namespace,
  omaCommonPolicyNamespace,
  personalNetworkNamespace,
  policy,
  service,
  servicesOf,
  subscriberName,
} from './vocabulary.js';

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
  aliases: ['org.etsi.ngn.simservs'],
  defaultDocumentNamespace: namespace,
  rootElement: service('simservs'),
  mediaType: 'application/vnd.etsi.simservs+xml',
  mediaTypeAliases: ['application/simservs+xml', 'application/xml', 'text/xml'],
  defaultDocument: provisioning.document,
  schema: 'simservs.xsd',
  foreignChildren: { parent: service('simservs'), variable: 'XCAP_SIMSERVS_NAMESPACES' },
  namespaces: [namespace, commonPolicyNamespace, omaCommonPolicyNamespace, personalNetworkNamespace],
  childOrder: childOrder(),
  // Over all services of the document.
  uniqueness: repeatedRuleIds,
  constraints: (root, { textOf }) => repeatedService(root) ?? capabilityFault(root, textOf),
  provisioning,
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
    ruleOrder,
    { parent: service('forward-to'), children: forwardToChildren.map(service) },
  ];
}

/** The schema lets a service repeat, but then nobody could say which of its settings count. */
function repeatedService(root: SourceElement): string | undefined {
  const seen = new Set<string>();
  for (const element of servicesOf(root)) {
    if (seen.has(element.localName)) {
      return `${subscriberName(element)} is set up more than once. Each service can be set up only once.`;
    }
    seen.add(element.localName);
  }
  return undefined;
}
