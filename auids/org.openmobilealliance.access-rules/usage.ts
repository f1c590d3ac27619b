import { defineApplicationUsage, elementsNamed, repeatedValues } from '../../src/xcap/usage/contract.js';
import type { ExpandedName } from '../../src/xcap/terms.js';

const commonPolicyNamespace = 'urn:ietf:params:xml:ns:common-policy';

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
