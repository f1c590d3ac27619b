import { defineApplicationUsage, readOnly } from '../../src/xcap/usage/contract.js';

const namespace = 'urn:3gpp:ns:mcvideoServiceConfig:1.0';

/** TS 24.484 §9.4: the settings of an MCVideo service, `global/service-config.xml`. Its administrator makes the document. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcvideo.service-config',
  defaultDocumentNamespace: namespace,
  rootElement: { namespace, localName: 'service-configuration-info' },
  mediaType: 'application/vnd.3gpp.mcvideo-service-config+xml',
  schema: 'service-config.xsd',
  // Not advertised, see README.md.
  namespaces: [],
  authorization: readOnly,
});
