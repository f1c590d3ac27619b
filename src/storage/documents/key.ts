/** How a document is named in the database: `xui` is '' for the global tree, `path` is percent-encoded. */
import type { DocumentSelector } from '../../xcap/terms.js';
import { encodeSegment } from '../../xcap/uri/percent-encoding.js';

export interface DocumentKey {
  readonly xui: string;
  readonly auid: string;
  readonly path: string;
}

export function keyOf(document: DocumentSelector): DocumentKey {
  const xui = document.tree === 'users' ? document.xui : '';
  return { xui, auid: document.auid, path: document.path.map(encodeSegment).join('/') };
}

/** The inverse of `keyOf`. */
export function selectorOf({ xui, auid, path }: DocumentKey): DocumentSelector {
  const [first = '', ...others] = path.split('/').map(decodeURIComponent);
  const below = { auid, path: [first, ...others] } as const;
  return xui === '' ? { tree: 'global', ...below } : { tree: 'users', xui, ...below };
}
