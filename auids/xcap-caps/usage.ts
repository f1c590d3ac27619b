import { defineApplicationUsage, escapeText } from '../../src/xcap/usage/contract.js';
import type { ServedUsage } from '../../src/xcap/usage/contract.js';

const namespace = 'urn:ietf:params:xml:ns:xcap-caps';

/** RFC 4825 §12: server capabilities, one generated document that says what the server has. */
export const usage = defineApplicationUsage({
  kind: 'generated',
  auid: 'xcap-caps',
  defaultDocumentNamespace: namespace,
  rootElement: { namespace, localName: 'xcap-caps' },
  mediaType: 'application/xcap-caps+xml',
  schema: 'xcap-caps.xsd',
  namespaces: [namespace],
  generated: [{ tree: 'global', path: ['index'], from: 'usages', generate: capabilities }],
});

function capabilities(usages: readonly ServedUsage[]): string {
  const auids = usages.map((served) => served.auid);
  const extensions = usages.flatMap((served) => served.extensions);
  const namespaces = usages.flatMap((served) => served.namespaces);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<xcap-caps xmlns="${namespace}">`,
    ...section('auids', 'auid', auids),
    // RFC 4825 §12.2 lets it be absent where it is empty, but there are clients that insist on it.
    ...section('extensions', 'extension', extensions),
    ...section('namespaces', 'namespace', namespaces),
    '</xcap-caps>',
    '',
  ].join('\n');
}

/** The lines of one section: each value once, sorted, so that the text does not depend on the order of the usages. */
function section(name: string, item: string, values: readonly string[]): string[] {
  if (values.length === 0) return [`  <${name}/>`];
  const items = [...new Set(values)].sort().map((value) => `    <${item}>${escapeText(value)}</${item}>`);
  return [`  <${name}>`, ...items, `  </${name}>`];
}
