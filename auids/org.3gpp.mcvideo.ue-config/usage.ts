import {
  defineApplicationUsage,
  ownerAndTrustedElements,
  readableByOwner,
  unexpectedRoot,
} from '../../src/xcap/usage/contract.js';

/** TS 24.484: what the device of an MCVideo user may do. Only its root is checked. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcvideo.ue-config',
  defaultDocumentNamespace: 'urn:3gpp:mcvideo:mcvideoUEConfig:1.0',
  mediaType: 'application/vnd.3gpp.mcvideo-ue-config+xml',
  // There is no schema, see README.md.
  namespaces: [],
  // TS 24.484 §6.3: what a device may do is the administrator's to write.
  authorization: readableByOwner,
  otherPolicies: { 'owner-writes': { authorization: ownerAndTrustedElements } },
  constraints: (root) =>
    unexpectedRoot(root, 'mcvideo-UE-configuration', ['urn:3gpp:ns:mcvideo', 'urn:3gpp:mcvideo']),
});
