/**
 * What an Aggregation Proxy makes of its own documents and those of the servers behind it: capabilities (§12) and the XCAP
 * directory (OMA XDM Core). What comes from others passes the fence first; folders are spliced as they were written.
 */
import { madeDocument, storedDocument, type StoredDocument } from '../xcap/document/stored-document.js';
import { decodeUtf8, readDocument } from '../xml/fence.js';
import { standaloneText } from '../xml/standalone.js';
import { attributeOf, type SourceElement, type SourceTree } from '../xml/source-tree.js';
import { textOf } from '../xml/text-content.js';
import { escapeAttribute, escapeText } from '../xml/escape.js';
import type { ServedUsage } from '../xcap/usage/generated.js';

export const capabilitiesAuid = 'xcap-caps';
export const directoryAuid = 'org.openmobilealliance.xcap-directory';

const capabilitiesNamespace = 'urn:ietf:params:xml:ns:xcap-caps';
const directoryNamespace = 'urn:oma:xml:xdm:xcap-directory';

/** What a server says that it can do. */
export interface Capabilities {
  readonly auids: readonly string[];
  readonly extensions: readonly string[];
  readonly namespaces: readonly string[];
}

/** Undefined where the bytes are no such document. */
export function readCapabilities(bytes: Uint8Array): Capabilities | undefined {
  const tree = readForeign(bytes, capabilitiesNamespace, 'xcap-caps');
  if (tree === undefined) return undefined;
  const values = (section: string, item: string) =>
    childrenNamed(tree.root, capabilitiesNamespace, section)
      .flatMap((element) => childrenNamed(element, capabilitiesNamespace, item))
      .map((element) => textOf(tree.text, element).trim())
      .filter((value) => value !== '');
  return {
    auids: values('auids', 'auid'),
    extensions: values('extensions', 'extension'),
    namespaces: values('namespaces', 'namespace'),
  };
}

/** Capabilities in the form in which the usage `xcap-caps` takes what is served. */
export function asServedUsages({ auids, extensions, namespaces }: Capabilities): ServedUsage[] {
  const [first, ...others] = auids;
  if (first === undefined) return [];
  return [
    { auid: first, extensions, namespaces },
    ...others.map((auid) => ({ auid, extensions: [], namespaces: [] })),
  ];
}

/** The text of a folder that means the same in any directory. */
export interface Folder {
  readonly auid: string;
  readonly text: string;
}

/** The first folder of each usage; undefined where the bytes are no XCAP directory. */
export function readFolders(bytes: Uint8Array): Folder[] | undefined {
  const tree = readForeign(bytes, directoryNamespace, 'xcap-directory');
  if (tree === undefined) return undefined;
  const texts = new Map<string, string>();
  for (const element of childrenNamed(tree.root, directoryNamespace, 'folder')) {
    const auid = auidOf(element);
    if (!texts.has(auid)) texts.set(auid, standaloneText(tree.text, element));
  }
  return [...texts].map(([auid, text]) => ({ auid, text }));
}

/** The folder of a usage whose server could not be asked, with the status that says why. */
export function folderWithError(auid: string, status: number): Folder {
  const code = escapeText(String(status));
  return { auid, text: `<folder auid="${escapeAttribute(auid)}"><error-code>${code}</error-code></folder>` };
}

/**
 * The own directory with these folders in place of the own ones that are not kept, in the order of the AUIDs. Undefined where
 * the result is more than a document can be.
 */
export function mergeDirectory(
  own: SourceTree,
  isKept: (auid: string) => boolean,
  folders: readonly Folder[],
): StoredDocument | undefined {
  const { text, root } = own;
  const kept = childrenNamed(root, directoryNamespace, 'folder')
    .map((element) => ({ auid: auidOf(element), text: text.slice(element.start, element.end) }))
    .filter(({ auid }) => isKept(auid));
  const lines = [...kept, ...folders]
    .sort((a, b) => (a.auid < b.auid ? -1 : 1))
    .map((folder) => `\n  ${folder.text}`);
  const merged = `${text.slice(0, root.startTagEnd)}${lines.join('')}\n${text.slice(root.contentEnd)}`;
  const reading = readDocument(merged);
  if (!reading.ok) return undefined;
  return storedDocument(merged, madeDocument(merged).entityTag, { tree: reading.value });
}

function readForeign(bytes: Uint8Array, namespace: string, rootName: string): SourceTree | undefined {
  const decoding = decodeUtf8(bytes);
  const reading = decoding.ok ? readDocument(decoding.value) : decoding;
  if (!reading.ok) return undefined;
  const { root } = reading.value;
  return root.namespace === namespace && root.localName === rootName ? reading.value : undefined;
}

function childrenNamed(parent: SourceElement, namespace: string, localName: string): SourceElement[] {
  return parent.children.filter((child) => child.namespace === namespace && child.localName === localName);
}

function auidOf(folder: SourceElement): string {
  return attributeOf(folder, 'auid')?.value ?? '';
}
