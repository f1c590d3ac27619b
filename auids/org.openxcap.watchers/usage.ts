import {
  defineApplicationUsage,
  elementsNamed,
  readableByOwner,
  repeatedValues,
} from '../../src/xcap/application-usage.js';
import type { ExpandedName } from '../../src/xcap/terms.js';

const namespace = 'urn:ietf:params:xml:ns:watcherinfo';

/** Who watches a user, as watcher information (RFC 3858). The user reads it; no user writes it. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openxcap.watchers',
  defaultDocumentNamespace: namespace,
  rootElement: named('watcherinfo'),
  mediaType: 'application/watcherinfo+xml',
  defaultDocument: 'index',
  schema: 'watcherinfo.xsd',
  namespaces: [namespace],
  authorization: readableByOwner,
  // RFC 3858 §3: the id of a watcher is unique in the document, not only in its list.
  uniqueness: (root) => repeatedValues(elementsNamed(root, named('watcher')), 'id', true),
});

function named(localName: string): ExpandedName {
  return { namespace, localName };
}
