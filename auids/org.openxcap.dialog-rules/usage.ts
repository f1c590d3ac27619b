import {
  defineApplicationUsage,
  descendantsOrSelf,
  repeatedValues,
  sameName,
} from '../../src/xcap/application-usage.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

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
  uniqueness: (root) => repeatedValues(rules(root), 'id', true),
});

/** RFC 4745 §6.1: ids of rules are unique within a document. The schema leaves that to the usage. */
function rules(root: SourceElement): SourceElement[] {
  return descendantsOrSelf(root).filter((element) => sameName(element, policy('rule')));
}

function policy(localName: string): ExpandedName {
  return { namespace: commonPolicyNamespace, localName };
}
