import {
  commonPolicyNamespace,
  defineApplicationUsage,
  policy,
  repeatedRuleIds,
  ruleOrder,
} from '../../src/xcap/usage/contract.js';

const namespace = 'urn:ietf:params:xml:ns:pres-rules';

/** RFC 5025 §9: presence authorization rules, built on common policy (RFC 4745). */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'pres-rules',
  // RFC 5025 §9.3: not the namespace of the root. Node selectors have to bind a prefix for ruleset and what is in it.
  defaultDocumentNamespace: namespace,
  rootElement: policy('ruleset'),
  mediaType: 'application/auth-policy+xml',
  defaultDocument: 'index',
  schema: 'pres-rules.xsd',
  namespaces: [namespace, commonPolicyNamespace],
  childOrder: [ruleOrder],
  uniqueness: repeatedRuleIds,
});
