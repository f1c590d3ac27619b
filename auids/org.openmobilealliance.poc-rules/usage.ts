import {
  defineApplicationUsage,
  descendantsOrSelf,
  repeatedValues,
  sameName,
} from '../../src/xcap/application-usage.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const commonPolicyNamespace = 'urn:ietf:params:xml:ns:common-policy';

/** OMA PoC XDM: who may invite a user to talk, built on common policy (RFC 4745). */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.poc-rules',
  defaultDocumentNamespace: commonPolicyNamespace,
  rootElement: policy('ruleset'),
  mediaType: 'application/auth-policy+xml',
  schema: 'poc-rules.xsd',
  namespaces: [commonPolicyNamespace, 'urn:oma:xml:xdm:common-policy', 'urn:oma:xml:poc:poc-rules'],
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
