import { defineApplicationUsage, readOnly, unexpectedRoot } from '../../src/xcap/usage/contract.js';

/** TS 24.484: the settings of an MCVideo service, `global/service-config.xml`. Only its root is checked. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcvideo.service-config',
  defaultDocumentNamespace: 'urn:3gpp:ns:mcvideoServiceConfig:1.0',
  mediaType: 'application/vnd.3gpp.mcvideo-service-config+xml',
  // There is no schema, see README.md.
  namespaces: [],
  authorization: readOnly,
  constraints: (root) =>
    unexpectedRoot(root, 'service-configuration-info', ['urn:3gpp:ns:mcvideo', 'urn:3gpp:mcvideo']),
});
