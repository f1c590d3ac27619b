import {
  commonPolicyNamespace,
  defineApplicationUsage,
  policy,
  repeatedRuleIds,
  ruleOrder,
} from '../../src/xcap/usage/contract.js';

const namespace = 'urn:ietf:params:xml:ns:geolocation-policy';
const profilesNamespace = 'urn:ietf:params:xml:ns:basic-location-profiles';

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
  childOrder: [ruleOrder],
  uniqueness: repeatedRuleIds,
});
