import {
  commonPolicyNamespace,
  defineApplicationUsage,
  policy,
  repeatedRuleIds,
  ruleOrder,
} from '../../src/xcap/usage/contract.js';

/** OMA PoC XDM: who may invite a user to talk, built on common policy (RFC 4745). */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.poc-rules',
  defaultDocumentNamespace: commonPolicyNamespace,
  rootElement: policy('ruleset'),
  mediaType: 'application/auth-policy+xml',
  schema: 'poc-rules.xsd',
  namespaces: [commonPolicyNamespace, 'urn:oma:xml:xdm:common-policy', 'urn:oma:xml:poc:poc-rules'],
  childOrder: [ruleOrder],
  uniqueness: repeatedRuleIds,
});
