import { defineApplicationUsage, elementsNamed, repeatedValues } from '../../src/xcap/usage/contract.js';
import type { ExpandedName } from '../../src/xcap/terms.js';

const namespace = 'urn:ag-projects:xml:ns:dialog-rules';
const commonPolicyNamespace = 'urn:ietf:params:xml:ns:common-policy';

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
