import { defineApplicationUsage, unexpectedRoot } from '../../src/xcap/usage/contract.js';

/** TS 24.484: what an MCVideo user is and may do. Only its root is checked. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcvideo.user-profile',
  defaultDocumentNamespace: 'urn:3gpp:ns:mcvideo:user-profile:1.0',
  mediaType: 'application/vnd.3gpp.mcvideo-user-profile+xml',
  defaultDocument: 'mcvideo-user-profile.xml',
  // There is no schema, see README.md.
  namespaces: [],
  constraints: (root) =>
    unexpectedRoot(root, 'mcvideo-user-profile', ['urn:3gpp:ns:mcvideo', 'urn:3gpp:mcvideo']),
});
