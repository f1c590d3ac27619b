import {
  commonPolicyNamespace,
  defineApplicationUsage,
  policy,
  repeatedRuleIds,
  ruleOrder,
} from '../../src/xcap/usage/contract.js';

/** OMA Shared Policy XDM: access rules that a user's services share, built on common policy (RFC 4745). */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.access-rules',
  defaultDocumentNamespace: commonPolicyNamespace,
  rootElement: policy('ruleset'),
  mediaType: 'application/auth-policy+xml',
  schema: 'access-rules.xsd',
  namespaces: [commonPolicyNamespace, 'urn:oma:xml:xdm:common-policy'],
  defaultDocument: 'access-rules',
  childOrder: [ruleOrder],
  uniqueness: repeatedRuleIds,
});
