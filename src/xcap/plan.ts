/** §8.2, §8.4: from a request to the write that it asks for; what does not depend on the version that is replaced. */
import { once } from '../once.js';
import { readAttributeBody, readDocumentBody, readElementBody } from './document/body.js';
import { checkDirectory } from './document/directories.js';
import { attributeMediaType, checkMediaType, elementMediaType } from './document/media-type.js';
import type { Edit, Write } from './document/write.js';
import { readOnly, Refusal } from './refusal.js';
import type { PutRequest, Xcap, XcapRequest } from './request.js';
import type { DocumentLimits } from './usage/contract.js';
import { parseNodeSelector, type ParsedNodeSelector } from './uri/node-selector.js';
import { defaultNamespaceOf, isStored, limitsOf, type DocumentRules } from './usage/loaded-usage.js';
import { flawOf } from './usage/validate.js';

/** What a write has to comply with. @throws Refusal 405 */
export function rulesOf({ xcapRoots, hostnames }: Xcap, { usage, uri }: XcapRequest): DocumentRules {
  if (!isStored(usage)) throw readOnly('This document is made by the server.');
  return { ...usage, document: uri.document, xcapRoots, hostnames };
}

/** §8: the check of the node selector, after authorization. @throws Refusal 400, 404 */
export function nodeSelectorOf({ uri, usage }: XcapRequest): ParsedNodeSelector | undefined {
  return uri.node === undefined ? undefined : parseNodeSelector(uri.node, defaultNamespaceOf(usage));
}

/** @throws Refusal 400, 404, 405, 413, 415; Conflict for a body that is not what the target wants, or has no directory */
export function planPut(xcap: Xcap, request: PutRequest, rules: DocumentRules): Write {
  const limits = limitsOf(rules.usage, xcap.maximalDocumentBytes);
  checkBodySize(request.body.length, limits);
  const node = nodeSelectorOf(request);
  const edit = node === undefined ? putDocument(xcap, request, rules, limits) : putNode(xcap, request, node);
  return { target: request.uri, conditions: request.conditions, rules, limits, edit };
}

/** @throws Refusal 400, 404, 405 */
export function planRemoval(xcap: Xcap, request: XcapRequest, rules: DocumentRules): Write {
  const limits = limitsOf(rules.usage, xcap.maximalDocumentBytes);
  const selector = nodeSelectorOf(request)?.selector;
  if (selector?.kind === 'namespace-bindings') throw namespaceBindingsAreReadOnly();
  const edit: Edit = selector === undefined ? { kind: 'remove-document' } : { kind: 'remove-node', selector };
  return { target: request.uri, conditions: request.conditions, rules, limits, edit };
}

/** @throws Refusal 413 */
export function checkBodySize(bytes: number, { bytes: most }: DocumentLimits): void {
  if (bytes <= most) return;
  throw new Refusal(
    413,
    `A document of this usage has at most ${String(most)} bytes, and the body has ${String(bytes)}.`,
  );
}

function putDocument(
  { strictMediaTypes }: Xcap,
  { uri, body, contentType, keepsInvalid = false }: PutRequest,
  rules: DocumentRules,
  { nodes }: DocumentLimits,
): Edit {
  const { mediaType, mediaTypeAliases } = rules.usage;
  checkMediaType(contentType, mediaType, uri, strictMediaTypes, mediaTypeAliases);
  checkDirectory(uri, rules);
  const tree = readDocumentBody(body, nodes);
  return { kind: 'put-document', tree, keepsInvalid, flaw: once(() => flawOf(tree, rules)) };
}

function putNode(
  { strictMediaTypes }: Xcap,
  { uri, body, contentType }: PutRequest,
  node: ParsedNodeSelector,
): Edit {
  const { selector } = node;
  switch (selector.kind) {
    case 'namespace-bindings':
      throw namespaceBindingsAreReadOnly();
    case 'attribute':
      checkMediaType(contentType, attributeMediaType, uri, strictMediaTypes);
      return { kind: 'put-attribute', node, selector, value: readAttributeBody(body) };
    case 'element':
      checkMediaType(contentType, elementMediaType, uri, strictMediaTypes);
      return { kind: 'put-element', node, selector, element: readElementBody(body) };
  }
}

function namespaceBindingsAreReadOnly(): Refusal {
  return readOnly('Namespace bindings are part of the document.');
}
