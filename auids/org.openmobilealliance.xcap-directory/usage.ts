import { defineApplicationUsage, escapeAttribute, readableByOwner } from '../../src/xcap/usage/contract.js';
import type { HomeDocument } from '../../src/xcap/terms.js';
import type { Home } from '../../src/xcap/usage/contract.js';

const namespace = 'urn:oma:xml:xdm:xcap-directory';

/** OMA XDM Core, XCAP directory: what documents a user has, over all usages. */
export const usage = defineApplicationUsage({
  kind: 'generated',
  auid: 'org.openmobilealliance.xcap-directory',
  defaultDocumentNamespace: namespace,
  rootElement: { namespace, localName: 'xcap-directory' },
  mediaType: 'application/vnd.oma.xcap-directory+xml',
  schema: 'xcap-directory.xsd',
  namespaces: [namespace],
  authorization: readableByOwner,
  generated: [{ tree: 'users', path: ['directory.xml'], from: 'home', generate: directory }],
});

/** A usage without documents has its folder, too: clients ask for it, and see there that they have none. */
function directory({ usages, documents }: Home): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<xcap-directory xmlns="${namespace}">`,
    ...usages.flatMap(({ auid }) =>
      folder(
        auid,
        documents.filter((document) => document.auid === auid),
      ),
    ),
    '</xcap-directory>',
    '',
  ].join('\n');
}

function folder(auid: string, documents: readonly HomeDocument[]): string[] {
  const start = `  <folder auid="${escapeAttribute(auid)}"`;
  return documents.length === 0
    ? [`${start}/>`]
    : [`${start}>`, ...documents.map((document) => `    ${entry(document)}`), '  </folder>'];
}

function entry({ selector, entityTag, lastModified, bytes }: HomeDocument): string {
  const attributes = {
    uri: selector,
    etag: entityTag,
    ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
    size: String(bytes),
  };
  const texts = Object.entries(attributes).map(([name, value]) => `${name}="${escapeAttribute(value)}"`);
  return `<entry ${texts.join(' ')}/>`;
}
