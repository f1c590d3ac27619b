/** §8: GET, PUT and DELETE, in the order of the RFC. This file shows the whole flow of a request. */
import { decodeUtf8, readDocument, readFragment, type FenceRefusal } from '../xml/fence.js';
import { attributeSpan } from '../xml/start-tag.js';
import type { SourceTree } from '../xml/source-tree.js';
import { ownerAndTrustedElements } from './authorization.js';
import { noSuchNode, putAttributeValue, putElement, removeNode, type PutResult } from './changes.js';
import { checkWriteConditions, isNotModified, type Conditions } from './conditions.js';
import type { SimpleCondition } from './conflict.js';
import type { DocumentStore, StoredDocument } from './document-store.js';
import { readAttributeValue, type NoParent } from './edit.js';
import type { DocumentRules, LoadedStoredUsage, LoadedUsage } from './loaded-usage.js';
import { selectNode, type SelectedNode } from './locate.js';
import {
  attributeMediaType,
  checkMediaType,
  elementMediaType,
  namespaceBindingsMediaType,
} from './media-type.js';
import { namespaceBindingsOf } from './namespace-bindings.js';
import { encodeSteps, parseNodeSelector, type ParsedNodeSelector } from './node-selector.js';
import { Conflict, Refusal } from './refusal.js';
import type { EntityTag, NodeSelector, Operation, Principal } from './terms.js';
import { encodeDocumentSelector, encodeSegment, type XcapUri } from './uri.js';
import { validateDocument } from './validate.js';

/** What the operations work with. */
export interface Xcap {
  readonly store: DocumentStore;
  readonly maximalDocumentBytes: number;
  readonly strictMediaTypes: boolean;
  /** Without a trailing slash; the first is the primary one. */
  readonly xcapRoots: readonly string[];
}

/** A request whose sender is known. */
export interface XcapRequest {
  readonly principal: Principal;
  readonly uri: XcapUri;
  readonly usage: LoadedUsage;
  readonly conditions: Conditions;
}

export interface PutRequest extends XcapRequest {
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

/** §8.3: a representation, or 304. */
export type ReadResult =
  | { readonly status: 200; readonly entityTag: EntityTag; readonly mediaType: string; readonly body: string }
  | { readonly status: 304; readonly entityTag: EntityTag };

/** §8.2, §8.4: the entity tag is missing where the document is gone. */
export interface WriteResult {
  readonly status: 200 | 201;
  readonly entityTag: EntityTag | undefined;
}

export const readOnlyMethods = ['GET', 'HEAD'] as const;
export const allMethods = ['GET', 'HEAD', 'PUT', 'DELETE'] as const;

/** §8.3. */
export async function get(xcap: Xcap, request: XcapRequest): Promise<ReadResult> {
  authorize(request, 'read');
  const node = nodeSelectorOf(request);
  const document = await readCurrent(xcap, request);
  if (document === undefined) throw noSuchDocument();
  const representation = represent(document, node, request.usage);
  const { entityTag } = document;
  if (isNotModified(request.conditions, entityTag)) return { status: 304, entityTag };
  return { status: 200, entityTag, ...representation() };
}

/** §8.2. */
export async function put(xcap: Xcap, request: PutRequest): Promise<WriteResult> {
  const { uri, conditions } = request;
  const rules = rulesOf(xcap, request);
  authorize(request, 'write');
  const node = nodeSelectorOf(request);
  const change =
    node === undefined ? prepareDocument(xcap, request, rules) : prepareNode(xcap, request, rules, node);
  const { outcome, entityTag } = await xcap.store.write(
    uri.document,
    request.principal.xuis[0],
    (current) => {
      checkWriteConditions(conditions, current?.entityTag);
      const { tree, created } = change(current);
      return { next: tree, outcome: created };
    },
  );
  return { status: outcome ? 201 : 200, entityTag };
}

/** §8.4. */
export async function remove(xcap: Xcap, request: XcapRequest): Promise<WriteResult> {
  const { uri, conditions } = request;
  const rules = rulesOf(xcap, request);
  authorize(request, 'write');
  const selector = nodeSelectorOf(request)?.selector;
  if (selector?.kind === 'namespace-bindings') throw namespaceBindingsAreReadOnly();
  const { entityTag } = await xcap.store.write(uri.document, request.principal.xuis[0], (current) => {
    if (current === undefined) throw noSuchDocument();
    checkWriteConditions(conditions, current.entityTag);
    const next = selector === undefined ? undefined : removeNode(current.tree(), selector, rules);
    return { next, outcome: undefined };
  });
  return { status: 200, entityTag };
}

/** What a write has to comply with. */
function rulesOf({ xcapRoots }: Xcap, { usage, uri }: XcapRequest): DocumentRules {
  if (usage.kind === 'generated') throw readOnly('This document is made by the server.');
  return { ...usage, document: uri.document, xcapRoots };
}

/** §5.7. */
function authorize({ usage, principal, uri }: XcapRequest, operation: Operation): void {
  const policy = usage.usage.authorization ?? ownerAndTrustedElements;
  if (policy(principal, operation, uri.document)) return;
  throw new Refusal(403, `You may not ${operation} this document.`);
}

/** §8: the check of the node selector, after authorization. */
function nodeSelectorOf({ uri, usage }: XcapRequest): ParsedNodeSelector | undefined {
  return uri.node === undefined
    ? undefined
    : parseNodeSelector(uri.node, usage.usage.defaultDocumentNamespace);
}

async function readCurrent(xcap: Xcap, { usage, uri }: XcapRequest): Promise<StoredDocument | undefined> {
  if (usage.kind === 'stored') return xcap.store.read(uri.document);
  const { tree, path } = uri.document;
  const isIt = tree === 'global' && path.join('/') === usage.usage.path.join('/');
  return isIt ? usage.document : undefined;
}

/** §8.3: finds the target now (404 comes before 304 and 412), writes it out when the conditions let it. */
function represent(
  document: StoredDocument,
  node: ParsedNodeSelector | undefined,
  { usage }: LoadedUsage,
): () => { mediaType: string; body: string } {
  if (node === undefined) return () => ({ mediaType: usage.mediaType, body: document.text });
  const tree = document.tree();
  const selected = selectNode(tree.root, node.selector);
  if (selected === undefined) throw noSuchNode();
  return () => representNode(tree, selected);
}

/** §8.3, §10: an element is the text of its source, an attribute the text between its quotes. */
function representNode({ text }: SourceTree, node: SelectedNode): { mediaType: string; body: string } {
  switch (node.kind) {
    case 'element':
      return { mediaType: elementMediaType, body: text.slice(node.element.start, node.element.end) };
    case 'attribute': {
      const span = attributeSpan(text, node.element, node.attribute);
      if (span === undefined) throw new Error('an attribute of the tree is missing in its text');
      return { mediaType: attributeMediaType, body: text.slice(span.valueStart, span.valueEnd) };
    }
    case 'namespace-bindings':
      return { mediaType: namespaceBindingsMediaType, body: namespaceBindingsOf(node.element) };
  }
}

type PutChange = (current: StoredDocument | undefined) => PutResult;

/** §8.2.1 (directory), §8.2.2 for a document. Its validation (§8.2.5) is the same whatever it replaces: done once. */
function prepareDocument(xcap: Xcap, request: PutRequest, rules: DocumentRules): PutChange {
  const { uri, body, contentType } = request;
  checkMediaType(contentType, rules.usage.mediaType, uri, xcap.strictMediaTypes);
  checkDirectory(uri, rules);
  const reading = readDocument(decodeBody(body));
  if (!reading.ok) throw documentConflict(reading.refusal);
  const tree = reading.value;
  let isValid = false;
  return (current) => {
    if (!isValid) validateDocument(tree, rules);
    isValid = true;
    return { tree, created: current === undefined };
  };
}

/** §8.2.2 for an element or attribute; what depends on the document is judged on the version that is replaced. */
function prepareNode(
  xcap: Xcap,
  request: PutRequest,
  rules: DocumentRules,
  node: ParsedNodeSelector,
): PutChange {
  const { uri, body, contentType } = request;
  const apply = prepareNodeChange(node.selector, body, (wanted) => {
    checkMediaType(contentType, wanted, uri, xcap.strictMediaTypes);
  });
  return (current) => {
    if (current === undefined) throw noParent(uri, homeDirectory(uri), 'The document does not exist.');
    const result = apply(current.tree(), rules);
    if ('kind' in result) {
      throw noParent(uri, existingAncestor(uri, node, result), 'The parent of the target does not exist.');
    }
    checkSize(result.tree, xcap.maximalDocumentBytes);
    return result;
  };
}

function prepareNodeChange(
  selector: NodeSelector,
  body: Uint8Array,
  checkType: (wanted: string) => void,
): (tree: SourceTree, rules: DocumentRules) => PutResult | NoParent {
  switch (selector.kind) {
    case 'namespace-bindings':
      throw namespaceBindingsAreReadOnly();
    case 'attribute': {
      checkType(attributeMediaType);
      const value = readAttributeValue(decodeBody(body));
      return (tree, rules) => putAttributeValue(tree, selector, value, rules);
    }
    case 'element': {
      checkType(elementMediaType);
      const text = decodeBody(body);
      const reading = readFragment(text);
      if (!reading.ok) throw bodyConflict(reading.refusal, 'not-xml-frag');
      const element = text.slice(reading.value.start, reading.value.end);
      return (tree, rules) => putElement(tree, selector, element, rules);
    }
  }
}

function decodeBody(body: Uint8Array): string {
  const decoding = decodeUtf8(body);
  if (!decoding.ok) throw bodyConflict(decoding.refusal, 'not-utf-8');
  return decoding.value;
}

/** A document type declaration or a depth that is not accepted makes a document unwelcome, not ill-formed. */
function documentConflict(refusal: FenceRefusal): Conflict {
  return bodyConflict(refusal, refusal.reason === 'forbidden' ? 'constraint-failure' : 'not-well-formed');
}

function bodyConflict({ reason, message }: FenceRefusal, malformed: SimpleCondition): Conflict {
  return new Conflict({ condition: reason === 'not-utf-8' ? reason : malformed, phrase: message });
}

/** §8.2.1: homes and the global tree always exist; other directories where the usage declares them. */
function checkDirectory(uri: XcapUri, { usage }: LoadedStoredUsage): void {
  const directories = usage.directories ?? [];
  const { path } = uri.document;
  const directory = path.slice(0, -1).join('/');
  if (directory !== '' && !directories.includes(directory)) {
    throw noParent(
      uri,
      homeDirectory(uri),
      'The directory does not exist; put the document into the home directory.',
    );
  }
  if (directories.some((name) => name === path.join('/') || name.startsWith(`${path.join('/')}/`))) {
    throw new Conflict({
      condition: 'constraint-failure',
      phrase: 'A directory has this name; choose another one for the document.',
    });
  }
}

function checkSize({ text }: SourceTree, maximalDocumentBytes: number): void {
  if (Buffer.byteLength(text) <= maximalDocumentBytes) return;
  throw new Conflict({
    condition: 'constraint-failure',
    phrase: `The document would be larger than ${String(maximalDocumentBytes)} bytes.`,
  });
}

function homeDirectory({ document }: XcapUri): string {
  const home = document.tree === 'users' ? ['users', document.xui] : ['global'];
  return `${[document.auid, ...home].map(encodeSegment).join('/')}/`;
}

function existingAncestor(
  { document }: XcapUri,
  node: ParsedNodeSelector,
  { matchedSteps }: NoParent,
): string {
  const selector = encodeDocumentSelector(document);
  return matchedSteps === 0 ? selector : `${selector}/~~/${encodeSteps(node, matchedSteps)}`;
}

/** §11.1: the ancestor is a relative reference (an absolute path), so that it holds behind any proxy. */
function noParent({ xcapRoot }: XcapUri, ancestor: string, phrase: string): Conflict {
  return new Conflict({ condition: 'no-parent', phrase, ancestor: `${xcapRoot}/${ancestor}` });
}

export function noSuchDocument(): Refusal {
  return new Refusal(404, 'There is no such document.');
}

function readOnly(reason: string): Refusal {
  return new Refusal(405, `${reason} It can be read, but not written.`, readOnlyMethods);
}

function namespaceBindingsAreReadOnly(): Refusal {
  return readOnly('Namespace bindings are part of the document.');
}

/** A short form for logs and metrics: what kind of resource the URI names. */
export function resourceKind(uri: XcapUri): 'document' | NodeSelector['kind'] {
  if (uri.node === undefined) return 'document';
  const last = uri.node.selector.slice(uri.node.selector.lastIndexOf('/') + 1);
  // That slash may stand in the value of an attribute test, as in `list[@name="a/@b"]`.
  if (/["'\]]|%(22|27|5d)/i.test(last)) return 'element';
  if (/^namespace(::|%3a%3a)(\*|%2a)$/i.test(last)) return 'namespace-bindings';
  return /^(@|%40)/.test(last) ? 'attribute' : 'element';
}
