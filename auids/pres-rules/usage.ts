import { defineApplicationUsage, elementsNamed, repeatedValues } from '../../src/xcap/usage/contract.js';
import type { ExpandedName } from '../../src/xcap/terms.js';

const namespace = 'urn:ietf:params:xml:ns:pres-rules';
const commonPolicyNamespace = 'urn:ietf:params:xml:ns:common-policy';

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
