/** Documents as the operator reads and writes them: with all the rules of their usages but who may. */
import type { Actor } from '../../subscribers/register.js';
import type { Conditions } from '../../xcap/document/conditions.js';
import type { LoadedUsage } from '../../xcap/usage/loaded-usage.js';
import { get, put, remove } from '../../xcap/operations.js';
import { Refusal } from '../../xcap/refusal.js';
import type { PutRequest, ReadResult, WriteResult, XcapRequest } from '../../xcap/request.js';
import { methodsFor } from '../../xcap/resource.js';
import { parseRequestTarget, type XcapUri } from '../../xcap/uri/uri.js';
import { xuiNamed, type Context } from './context.js';

/** A document that a request names, and its usage. */
export interface NamedDocument {
  readonly uri: XcapUri;
  readonly usage: LoadedUsage;
}

/**
 * The document at a path of this API, whose part behind `root` is a document selector (RFC 4825 §6.2).
 *
 * @throws Refusal 400, 404, 414
 */
export async function documentNamed(context: Context, root: string, target: string): Promise<NamedDocument> {
  const uri = parseRequestTarget(target, { xcapRoots: [root], defaultDomain: context.defaultDomain });
  if (uri === undefined || uri.node !== undefined) throw new Refusal(404, 'The path names no document.');
  const { document } = uri;
  const usage = context.usages.get(document.auid);
  if (usage === undefined) throw new Refusal(404, 'This server has no such application usage.');
  const xcapRoot = context.xcap.xcapRoots[0] ?? '';
  if (document.tree === 'global') return { uri: { ...uri, xcapRoot }, usage };
  const xui = await xuiNamed(context, document.xui);
  return { uri: { ...uri, xcapRoot, document: { ...document, xui } }, usage };
}

/** Whose document it is, for the audit trail, and which. */
export function auditOf({ uri: { document } }: NamedDocument): {
  subject: string;
  details: { auid: string; path: string };
} {
  const subject = document.tree === 'users' ? document.xui : '';
  return { subject, details: { auid: document.auid, path: document.path.join('/') } };
}

export function readDocument(context: Context, document: NamedDocument, actor: Actor): Promise<ReadResult> {
  return get(context.xcap, { ...asOperator(document, actor), prefers: () => false });
}

/** A write with all checks. @throws Refusal, Conflict */
export function putDocument(
  context: Context,
  document: NamedDocument,
  actor: Actor,
  body: Uint8Array,
  conditions: Conditions = {},
): Promise<WriteResult> {
  return put(context.xcap, putRequest(document, actor, body, conditions));
}

/** A write that keeps the document also where it breaks the rules of its usage. @throws Refusal, Conflict */
export function keepDocument(
  context: Context,
  document: NamedDocument,
  actor: Actor,
  body: Uint8Array,
  conditions: Conditions = {},
): Promise<WriteResult> {
  return put(context.xcap, { ...putRequest(document, actor, body, conditions), keepsInvalid: true });
}

function putRequest(
  document: NamedDocument,
  actor: Actor,
  body: Uint8Array,
  conditions: Conditions,
): PutRequest {
  checkWritable(document);
  return { ...asOperator(document, actor, conditions), contentType: mediaTypeOf(document), body };
}

export function removeDocument(
  context: Context,
  document: NamedDocument,
  actor: Actor,
  conditions: Conditions,
): Promise<WriteResult> {
  checkWritable(document);
  return remove(context.xcap, asOperator(document, actor, conditions));
}

/** The media type of the documents of a usage. */
export function mediaTypeOf({ usage: { usage } }: NamedDocument): string {
  return usage.mediaType;
}

/** No policy of a usage binds an administrator. The versions that they write show their token's name. */
function asOperator({ uri, usage }: NamedDocument, actor: Actor, conditions: Conditions = {}): XcapRequest {
  const principal = { xuis: [`operator:${actor}`], role: 'administrator', access: 'read-write' } as const;
  return { principal, uri, usage, conditions };
}

function checkWritable({ uri, usage }: NamedDocument): void {
  const allowed = methodsFor(uri, usage);
  if (!allowed.includes('PUT')) throw new Refusal(405, 'This document is made by the server.', allowed);
}
