import { defineApplicationUsage, readableByEveryone, readOnly } from '../../src/xcap/usage/contract.js';

const namespace = 'urn:3gpp:mcptt:mcpttUEinitConfig:1.0';

/** TS 24.484 §7.2: what an MCPTT device has to know before anybody logs in on it. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcptt.ue-init-config',
  defaultDocumentNamespace: namespace,
  rootElement: named('mcptt-UE-initial-configuration'),
  mediaType: 'application/vnd.3gpp.mcptt-ue-init-config+xml',
  schema: 'ue-init-config.xsd',
  // The XUI is the device: who logs in on it is somebody else. TS 24.484 §6.3: an administrator writes the document.
  authorization: readOnly,
  otherPolicies: {
    'owner-writes': { authorization: readableByEveryone },
    'without-login': { authorization: readOnly, anonymousReaders: true },
  },
  // Not advertised, see README.md.
  namespaces: [],
  childOrder: [
    {
      parent: named('tls-tunnel-auth-method'),
      children: [...['mutual-authentication', 'x509', 'key', 'anyExt'].map(named), '*'],
    },
  ],
});

function named(localName: string) {
  return { namespace, localName };
}
