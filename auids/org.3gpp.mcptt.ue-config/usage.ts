import {
  defineApplicationUsage,
  ownerAndTrustedElements,
  readableByOwner,
} from '../../src/xcap/usage/contract.js';
import type { ChildOrder } from '../../src/xcap/usage/contract.js';
import type { ExpandedName } from '../../src/xcap/terms.js';

const namespace = 'urn:3gpp:mcptt:mcpttUEConfig:1.0';

/** TS 24.484 §8.2: what the device of an MCPTT user may do. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcptt.ue-config',
  defaultDocumentNamespace: namespace,
  rootElement: named('mcptt-UE-configuration'),
  mediaType: 'application/vnd.3gpp.mcptt-ue-config+xml',
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
      parent: named('mcptt-UE-configuration'),
      children: [...['mcptt-UE-id', 'name', 'common', 'on-network', 'anyExt'].map(named), '*'],
    },
    {
      parent: named('on-network'),
      children: [...['IPv6Preferred', 'Relay-Service', 'Relayed-MCPTT-Group', 'anyExt'].map(named), '*'],
    },
  ];
}

function named(localName: string): ExpandedName {
  return { namespace, localName };
}
