import {
  commonPolicyNamespace,
  defineApplicationUsage,
  policy,
  repeatedRuleIds,
  ruleOrder,
} from '../../src/xcap/usage/contract.js';

const namespace = 'urn:ag-projects:xml:ns:dialog-rules';

/** Who may watch a user's calls (the dialog event package, RFC 4235): rules on common policy, as OpenXCAP has them. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openxcap.dialog-rules',
  defaultDocumentNamespace: commonPolicyNamespace,
  rootElement: policy('ruleset'),
  mediaType: 'application/auth-policy+xml',
  defaultDocument: 'index',
  schema: 'dialog-rules.xsd',
  namespaces: [namespace, commonPolicyNamespace],
  childOrder: [ruleOrder],
  uniqueness: repeatedRuleIds,
});
