import { defineApplicationUsage, elementsNamed, repeatedValues } from '../../src/xcap/usage/contract.js';
import type { ExpandedName } from '../../src/xcap/terms.js';

const namespace = 'urn:ietf:params:xml:ns:geolocation-policy';
const profilesNamespace = 'urn:ietf:params:xml:ns:basic-location-profiles';
const commonPolicyNamespace = 'urn:ietf:params:xml:ns:common-policy';

/** RFC 6772: who may know where somebody is, and how exactly. Built on common policy (RFC 4745). */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'geolocation-policy',
  // Not the namespace of the root, as with pres-rules: selectors bind a prefix for ruleset and what is in it.
  defaultDocumentNamespace: namespace,
  rootElement: policy('ruleset'),
  mediaType: 'application/auth-policy+xml',
  defaultDocument: 'index',
  schema: 'geolocation-policy.xsd',
  namespaces: [namespace, profilesNamespace, commonPolicyNamespace],
  childOrder: [
    {
      parent: policy('rule'),
      children: [policy('conditions'), policy('actions'), policy('transformations')],
    },
  ],
  // RFC 4745 §6.1: ids of rules are unique within a document. The schema leaves that to the usage.
  uniqueness: (root) => repeatedValues(elementsNamed(root, policy('rule')), 'id', true),
});

function policy(localName: string): ExpandedName {
  return { namespace: commonPolicyNamespace, localName };
}
