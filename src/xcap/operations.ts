/** §8: GET, PUT and DELETE, in the order of the RFC. This file shows the whole flow of a request. */
import { decodeUtf8, readDocument, readFragment, type FenceRefusal } from '../xml/fence.js';
import type { SourceTree } from '../xml/source-tree.js';
import { putAttributeValue, putElement, removeNode, type PutResult } from './document/node-changes.js';
import { claimsOf, storedClaims, takenConflict } from './usage/claims.js';
import { checkWriteConditions, isNotModified } from './document/conditions.js';
import type { SimpleCondition } from './conflict.js';
import type { Change, StoredDocument } from './document-store.js';
import { readAttributeValue, type NoParent } from './document/splice.js';
import {
  claimedUriIn,
  defaultNamespaceOf,
  generatedAt,
  isStored,
  type DocumentRules,
  type LoadedStoredUsage,
  type LoadedUsage,
} from './usage/loaded-usage.js';
import { attributeMediaType, checkMediaType, elementMediaType } from './document/media-type.js';
import { encodeSteps, parseNodeSelector, type ParsedNodeSelector } from './uri/node-selector.js';
import { checkReadable, checkWritable } from './permission.js';
import { Conflict, Refusal } from './refusal.js';
import { representDocument, representNode } from './document/representation.js';
import type {
  GetRequest,
  KeepResult,
  PutRequest,
  ReadResult,
  Representation,
  WriteResult,
  Xcap,
  XcapRequest,
} from './request.js';
import type { DocumentSelector, NodeSelector } from './terms.js';
import { encodeDocumentSelector, encodeSegment, type XcapUri } from './uri/uri.js';
import { validateDocument } from './usage/validate.js';
import { canonicalXui } from './uri/xui.js';

const readOnlyMethods = ['GET', 'HEAD'] as const;
const allMethods = ['GET', 'HEAD', 'PUT', 'DELETE'] as const;

/** §8: the methods that are defined for a resource, be it there or not. */
export function methodsFor(uri: XcapUri, usage: LoadedUsage): readonly string[] {
  const isReadOnly =
    !isStored(usage) ||
    uri.isHome ||
    resourceKind(uri) === 'namespace-bindings' ||
    generatedAt(usage, uri.document) !== undefined ||
    claimedUriIn(usage, uri.document) !== undefined;
  return isReadOnly ? readOnlyMethods : allMethods;
}

/** §8.3. */
export async function get(xcap: Xcap, request: GetRequest): Promise<ReadResult> {
  const { usage, principal, conditions } = request;
  const selector = await documentAsked(xcap, request);
  await checkReadable(xcap, usage, principal, selector);
  const node = nodeSelectorOf(request);
  const document = await readCurrent(xcap, usage, selector);
  if (document === undefined) throw noSuchDocument();
  const representation =
    node === undefined
      ? await representWhole(xcap, document, selector, request)
      : representNode(document, node.selector);
  const { entityTag } = representation;
  // 404 comes before 304 and 412.
  if (isNotModified(conditions, entityTag)) return { status: 304, entityTag };
  return { status: 200, ...representation };
}

/** The document, or what it carries: that is checked by the rules of its usage, so one that breaks them delivers none of it. */
async function representWhole(
  { store }: Xcap,
  document: StoredDocument,
  selector: DocumentSelector,
  request: GetRequest,
): Promise<Representation> {
  const { usage } = request.usage;
  const representation = representDocument(document, usage, request);
  if (representation.isCarriedContent !== true || (await store.flawOf(selector)) === undefined) {
    return representation;
  }
  return { entityTag: document.entityTag, mediaType: usage.mediaType, body: document.text };
}

/** §8.2. */
export async function put(xcap: Xcap, request: PutRequest): Promise<WriteResult> {
  const rules = rulesOf(xcap, request);
  await checkWritable(xcap, request.usage, request.principal, request.uri.document);
  const node = nodeSelectorOf(request);
  const change =
    node === undefined ? prepareDocument(xcap, request, rules) : prepareNode(xcap, request, rules, node);
  return write(xcap, request, rules, (current) => {
    checkWriteConditions(request.conditions, current?.entityTag);
    const { tree, created } = change(current);
    return { next: tree, outcome: created };
  });
}

/**
 * As `put` of a document, but one that breaks the schema, uniqueness or constraints of its usage is stored as well: with
 * that flaw, and without claims. Whatever else refuses a document refuses it here: the fence, its place, quotas, and what
 * is provisioned.
 *
 * @throws Refusal, Conflict
 */
export async function putKeepingInvalid(xcap: Xcap, request: PutRequest): Promise<KeepResult> {
  try {
    return await put(xcap, request);
  } catch (error) {
    if (!(error instanceof Conflict) || request.uri.node !== undefined) throw error;
    const rules = rulesOf(xcap, request);
    const tree = readBody(xcap, request, rules);
    const flaw = flawBehind(error, tree, rules);
    if (flaw === undefined) throw error;
    return { ...(await writeFlawed(xcap, request, rules, tree, flaw.message)), flaw };
  }
}

/** Claims nothing: what is not valid gives out no URIs, and those of the version before are free. */
async function writeFlawed(
  { store }: Xcap,
  { uri, principal, conditions }: PutRequest,
  { usage }: DocumentRules,
  tree: SourceTree,
  flaw: string,
): Promise<WriteResult> {
  const claims = usage.claims && [];
  const written = await store.write(uri.document, principal.xuis[0], (current) => {
    checkWriteConditions(conditions, current?.entityTag);
    return { next: tree, claims, flaw, outcome: current === undefined };
  });
  if (written.kind === 'taken') throw new Error('the store refused URIs that the document does not claim');
  return { status: written.outcome ? 201 : 200, entityTag: written.entityTag };
}

/** The rule of the usage for which a document was refused; undefined where it was refused for something else. */
function flawBehind(refusal: Conflict, tree: SourceTree, rules: DocumentRules): Conflict | undefined {
  try {
    validateDocument(tree, rules);
  } catch (flaw) {
    if (flaw instanceof Conflict) return flaw;
    throw flaw;
  }
  // A valid document that is not unique claims what others have.
  return refusal.report.condition === 'uniqueness-failure' ? refusal : undefined;
}

/** §8.4. */
export async function remove(xcap: Xcap, request: XcapRequest): Promise<WriteResult> {
  const rules = rulesOf(xcap, request);
  await checkWritable(xcap, request.usage, request.principal, request.uri.document);
  const selector = nodeSelectorOf(request)?.selector;
  if (selector?.kind === 'namespace-bindings') throw namespaceBindingsAreReadOnly();
  return write(xcap, request, rules, (current) => {
    if (current === undefined) throw noSuchDocument();
    checkWriteConditions(request.conditions, current.entityTag);
    const next = selector === undefined ? undefined : removeNode(current.tree(), selector, rules);
    return { next, outcome: false };
  });
}

/** Writes a version together with its claims. The outcome of the change is whether it creates something. */
async function write(
  { store }: Xcap,
  { uri, principal }: XcapRequest,
  rules: DocumentRules,
  change: (current: StoredDocument | undefined) => Change<boolean>,
): Promise<WriteResult> {
  const written = await store.write(uri.document, principal.xuis[0], (current) => {
    const { next, outcome: created } = change(current);
    const claims = claimsOf(next, rules);
    return { next, claims: storedClaims(next, claims), outcome: { created, claims } };
  });
  const { created, claims = [] } = written.outcome;
  if (written.kind === 'taken') throw await takenConflict(store, rules, claims, written.uris);
  return { status: created ? 201 : 200, entityTag: written.entityTag };
}

/** What a write has to comply with. */
function rulesOf({ xcapRoots }: Xcap, { usage, uri }: XcapRequest): DocumentRules {
  if (!isStored(usage)) throw readOnly('This document is made by the server.');
  return { ...usage, document: uri.document, xcapRoots };
}

/** §8: the check of the node selector, after authorization. */
function nodeSelectorOf({ uri, usage }: XcapRequest): ParsedNodeSelector | undefined {
  return uri.node === undefined ? undefined : parseNodeSelector(uri.node, defaultNamespaceOf(usage));
}

/** Which document is read: that of the URI, or the one that claims the URI by which it is named. */
async function documentAsked({ store }: Xcap, { usage, uri }: XcapRequest): Promise<DocumentSelector> {
  const claimedUri = claimedUriIn(usage, uri.document);
  if (claimedUri === undefined) return uri.document;
  const claimant = await store.claimant(canonicalXui(claimedUri));
  if (claimant?.auid !== uri.document.auid) throw noSuchDocument();
  return claimant;
}

async function readCurrent(
  { store, maker }: Xcap,
  usage: LoadedUsage,
  document: DocumentSelector,
): Promise<StoredDocument | undefined> {
  const generated = generatedAt(usage, document);
  if (generated !== undefined) return maker(generated, document);
  return isStored(usage) ? store.read(document) : undefined;
}

type PutChange = (current: StoredDocument | undefined) => PutResult;

/** §8.2.1 (directory), §8.2.2 for a document. Its validation (§8.2.5) is the same whatever it replaces: done once. */
function prepareDocument(xcap: Xcap, request: PutRequest, rules: DocumentRules): PutChange {
  const tree = readBody(xcap, request, rules);
  let isValid = false;
  return (current) => {
    if (!isValid) validateDocument(tree, rules);
    isValid = true;
    return { tree, created: current === undefined };
  };
}

/** §8.2.1, §8.2.2: what has to be right of a document whatever its usage says. @throws Conflict, Refusal */
function readBody(
  { strictMediaTypes }: Xcap,
  { uri, body, contentType }: PutRequest,
  rules: DocumentRules,
): SourceTree {
  checkMediaType(contentType, rules.usage.mediaType, uri, strictMediaTypes);
  checkDirectory(uri, rules);
  const reading = readDocument(decodeBody(body));
  if (!reading.ok) throw documentConflict(reading.refusal);
  return reading.value;
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
