import { defineApplicationUsage, readableByEveryone, unexpectedRoot } from '../../src/xcap/usage/contract.js';

/** TS 24.484: what an MCData device has to know before anybody logs in on it. Only its root is checked. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcdata.ue-init-config',
  defaultDocumentNamespace: 'urn:3gpp:ns:mcdataUEinitConfig:1.0',
  mediaType: 'application/vnd.3gpp.mcdata-ue-init-config+xml',
  // There is no schema, see README.md.
  namespaces: [],
  // The XUI is the device: who logs in on it is somebody else.
  authorization: readableByEveryone,
  constraints: (root) =>
    unexpectedRoot(root, 'mcdata-UE-initial-configuration', ['urn:3gpp:ns:mcdata', 'urn:3gpp:mcdata']),
});
