import { defineApplicationUsage, unexpectedRoot } from '../../src/xcap/usage/contract.js';

/** TS 24.484: what an MCData user is and may do. Only its root is checked. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcdata.user-profile',
  defaultDocumentNamespace: 'urn:3gpp:ns:mcdata:user-profile:1.0',
  mediaType: 'application/vnd.3gpp.mcdata-user-profile+xml',
  defaultDocument: 'mcdata-user-profile.xml',
  // There is no schema, see README.md.
  namespaces: [],
  constraints: (root) =>
    unexpectedRoot(root, 'mcdata-user-profile', ['urn:3gpp:ns:mcdata', 'urn:3gpp:mcdata']),
});
