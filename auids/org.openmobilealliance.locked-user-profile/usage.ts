import {
  attributeOf,
  canonicalXui,
  defineApplicationUsage,
  readOnly,
} from '../../src/xcap/application-usage.js';
import type { UsageContext } from '../../src/xcap/application-usage.js';
import type { SourceElement } from '../../src/xcap/terms.js';

const namespace = 'urn:oma:xml:xdm:user-profile';

/** OMA Shared Profile XDM: what the operator tells everybody about a user. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.locked-user-profile',
  defaultDocumentNamespace: namespace,
  rootElement: { namespace, localName: 'user-profiles' },
  mediaType: 'application/vnd.oma.user-profile+xml',
  defaultDocument: 'locked-user-profile',
  schema: 'locked-user-profile.xsd',
  namespaces: [namespace],
  authorization: readOnly,
  constraints: profileOfSomebodyElse,
});

/** A profile in a user's home describes this user. */
function profileOfSomebodyElse(root: SourceElement, { document }: UsageContext): string | undefined {
  if (document.tree !== 'users') return undefined;
  for (const profile of root.children) {
    const uri = attributeOf(profile, 'uri')?.value.trim() ?? '';
    if (canonicalXui(uri) !== document.xui) {
      return `The profile has to be that of ${document.xui}, but its URI is: ${uri}`;
    }
  }
  return undefined;
}
