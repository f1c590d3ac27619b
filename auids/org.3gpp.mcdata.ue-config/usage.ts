import {
  attributeOf,
  defineApplicationUsage,
  ownerAndTrustedElements,
  readableByOwner,
  unexpectedRoot,
} from '../../src/xcap/usage/contract.js';
import type { SourceElement } from '../../src/xcap/terms.js';

/** TS 24.484: what the device of an MCData user may do. Only its root and `domain` are checked. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcdata.ue-config',
  defaultDocumentNamespace: 'urn:3gpp:ns:mcdataUEConfig:1.0',
  mediaType: 'application/vnd.3gpp.mcdata-ue-config+xml',
  // There is no schema, see README.md.
  namespaces: [],
  // TS 24.484 §6.3: what a device may do is the administrator's to write.
  authorization: readableByOwner,
  otherPolicies: { 'owner-writes': { authorization: ownerAndTrustedElements } },
  constraints: (root) =>
    unexpectedRoot(root, 'mcdata-UE-configuration', ['urn:3gpp:ns:mcdata', 'urn:3gpp:mcdata']) ??
    withoutDomain(root),
});

/** TS 24.484 §10.2. */
function withoutDomain(root: SourceElement): string | undefined {
  if (attributeOf(root, 'domain') !== undefined) return undefined;
  return 'The root element has to have the attribute domain.';
}
