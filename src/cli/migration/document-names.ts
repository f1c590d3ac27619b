/** Which document a row of a table `xcap` is. */
import { encodeSegment } from '../../xcap/uri/percent-encoding.js';
import { documentTypes, type SourceKind } from './source-kinds.js';

export type DocumentName =
  { readonly auid: string; /** Percent-encoded. */ readonly path: string } | { readonly fault: string };

/**
 * @param documentUri a file name (`index`), or a path or URI with AUID and user (`/xcap-root/resource-lists/users/…/index`).
 *   It is not percent-encoded: these servers decode it before they store it.
 */
export function documentName(kind: SourceKind, documentType: number, documentUri: string): DocumentName {
  const [, auidInUri, tree, rest = ''] = /^(?:.*?\/)?([^/]+)\/(users|global)\/(.*)$/s.exec(documentUri) ?? [];
  if (tree === 'global') {
    return { fault: `The document '${documentUri}' belongs to no user: put it with xcapd doc put.` };
  }
  // Behind the tree stands the user, whom the row has in columns of their own.
  const file = tree === undefined ? documentUri.replace(/^\/+/, '') : rest.replace(/^[^/]*\/?/, '');
  if (file === '') return { fault: `The doc_uri '${documentUri}' names no document.` };
  const auid = auidInUri ?? documentTypes[kind].get(documentType);
  if (auid === undefined) return { fault: `The doc_type ${documentType} stands for no application usage.` };
  return { auid, path: file.split('/').map(encodeSegment).join('/') };
}
