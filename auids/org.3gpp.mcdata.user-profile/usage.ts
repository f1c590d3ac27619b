import {
  attributeOf,
  defineApplicationUsage,
  ownerAndTrustedElements,
  readableByOwner,
  unexpectedRoot,
} from '../../src/xcap/usage/contract.js';
import type { SourceElement } from '../../src/xcap/terms.js';
import { misplacedProfile } from '../org.3gpp.mcptt.user-profile/place.js';

/** TS 24.484: what an MCData user is and may do. Only its root and the attributes of that are checked. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcdata.user-profile',
  defaultDocumentNamespace: 'urn:3gpp:ns:mcdata:user-profile:1.0',
  mediaType: 'application/vnd.3gpp.mcdata-user-profile+xml',
  defaultDocument: 'mcdata-user-profile.xml',
  // There is no schema, see README.md.
  namespaces: [],
  // TS 24.484 §6.3: the permissions of a user are the administrator's to write.
  authorization: readableByOwner,
  otherPolicies: { 'owner-writes': { authorization: ownerAndTrustedElements } },
  constraints: (root, context) =>
    unexpectedRoot(root, 'mcdata-user-profile', ['urn:3gpp:ns:mcdata', 'urn:3gpp:mcdata']) ??
    unusableIndex(root) ??
    misplacedProfile(root, context),
});

/** TS 24.484 §10.3: the index is an unsigned byte and tells the profiles of a user apart. */
function unusableIndex(root: SourceElement): string | undefined {
  const index = attributeOf(root, 'user-profile-index')?.value.trim() ?? '';
  if (/^\d{1,3}$/.test(index) && Number(index) < 256) return undefined;
  return `The root element has to have a user-profile-index from 0 to 255, but it is: ${index || 'missing'}`;
}
