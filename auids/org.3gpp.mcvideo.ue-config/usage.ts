import {
  defineApplicationUsage,
  ownerAndTrustedElements,
  readableByOwner,
} from '../../src/xcap/usage/contract.js';
import type { ChildOrder } from '../../src/xcap/usage/contract.js';
import type { ExpandedName } from '../../src/xcap/terms.js';

const namespace = 'urn:3gpp:mcvideo:mcvideoUEConfig:1.0';

/** TS 24.484 §9.2: what the device of an MCVideo user may do. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcvideo.ue-config',
  defaultDocumentNamespace: namespace,
  rootElement: named('mcvideo-UE-configuration'),
  mediaType: 'application/vnd.3gpp.mcvideo-ue-config+xml',
  schema: 'ue-config.xsd',
  // Not advertised, see README.md.
  namespaces: [],
  // TS 24.484 §6.3: what a device may do is the administrator's to write.
  authorization: readableByOwner,
  otherPolicies: { 'owner-writes': { authorization: ownerAndTrustedElements } },
  childOrder: childOrder(),
});

/** Devices and names stand before the settings; of the settings only the relayed groups may be absent. */
function childOrder(): ChildOrder[] {
  return [
    {
      parent: named('mcvideo-UE-configuration'),
      children: [...['mcvideo-UE-id', 'name', 'common', 'on-network', 'anyExt'].map(named), '*'],
    },
    {
      parent: named('on-network'),
      children: [...['IPv6Preferred', 'Relay-Service', 'Relayed-MCVIDEO-Group', 'anyExt'].map(named), '*'],
    },
  ];
}

function named(localName: string): ExpandedName {
  return { namespace, localName };
}
