import { defineApplicationUsage, escapeAttribute, readableByOwner } from '../../src/xcap/usage/contract.js';
import type { Xui } from '../../src/xcap/terms.js';

const namespace = 'urn:ietf:params:xml:ns:watcherinfo';

/** Who watches a user, as watcher information (RFC 3858). The user reads it; no user writes it. */
export const usage = defineApplicationUsage({
  kind: 'generated',
  auid: 'org.openxcap.watchers',
  defaultDocumentNamespace: namespace,
  rootElement: { namespace, localName: 'watcherinfo' },
  mediaType: 'application/watcherinfo+xml',
  schema: 'watcherinfo.xsd',
  namespaces: [namespace],
  authorization: readableByOwner,
  generated: [{ tree: 'users', path: ['index'], from: 'user', generate: nobodyWatches }],
});

/** RFC 3858 §4: the whole state of one resource, the first that is told. */
function nobodyWatches(xui: Xui): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<watcherinfo xmlns="${namespace}" version="0" state="full">`,
    `  <watcher-list resource="${escapeAttribute(xui)}" package="presence"/>`,
    '</watcherinfo>',
    '',
  ].join('\n');
}
