/** Documents as the operator reads and writes them: with all the rules of their usages but who may. */
import type { Actor } from '../../subscribers/register.js';
import type { AuditEntry } from '../../xcap/document-store.js';
import type { Conditions } from '../../xcap/document/conditions.js';
import { usageNamed, type LoadedUsage } from '../../xcap/usage/loaded-usage.js';
import { get, put, remove } from '../../xcap/operations.js';
import { Refusal } from '../../xcap/refusal.js';
import type { ReadResult, WriteResult, XcapRequest } from '../../xcap/request.js';
import { methodsFor } from '../../xcap/resource.js';
import { percentDecode } from '../../xcap/uri/percent-encoding.js';
import { parseRequestTarget, type XcapUri } from '../../xcap/uri/uri.js';
import type { DocumentSelector } from '../../xcap/terms.js';
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
  const uri = await uriNamed(context, root, target);
  const usage = usageNamed(context.usages, uri.document.auid);
  if (usage === undefined) throw new Refusal(404, 'This server has no such application usage.');
  const { auid } = usage.usage;
  const path = inDirectory(usage, uri.document.path);
  return { uri: { ...uri, document: { ...uri.document, auid, path } }, usage };
}

/** A page that makes requests from the description encodes the slash behind a directory of the usage as well. */
function inDirectory({ usage }: LoadedUsage, path: DocumentSelector['path']): DocumentSelector['path'] {
  const [name, ...more] = path;
  const directories = usage.kind === 'stored' ? (usage.directories ?? []) : [];
  const directory = directories.find((one) => name.startsWith(`${one}/`));
  if (directory === undefined || more.length > 0) return path;
  const [first = directory, ...others] = directory.split('/');
  return [first, ...others, name.slice(directory.length + 1)];
}

/**
 * The name of a document of a usage which is not served (any more), or undefined. What is kept there can only be read.
 *
 * @throws Refusal 400, 404, 414
 */
export async function unservedDocument(
  context: Context,
  root: string,
  target: string,
): Promise<DocumentSelector | undefined> {
  const { document } = await uriNamed(context, root, target);
  return usageNamed(context.usages, document.auid) === undefined ? document : undefined;
}

async function uriNamed(context: Context, root: string, target: string): Promise<XcapUri> {
  const uri = parseRequestTarget(target, { xcapRoots: [root], defaultDomain: context.defaultDomain });
  if (uri === undefined || uri.node !== undefined) throw new Refusal(404, 'The path names no document.');
  const { document } = uri;
  const xcapRoot = context.xcap.xcapRoots[0] ?? '';
  if (document.tree === 'global') return { ...uri, xcapRoot };
  const [, , , user = ''] = target.slice(target.indexOf(root) + root.length).split('/');
  return { ...uri, xcapRoot, document: { ...document, xui: await xuiNamed(context, percentDecode(user)) } };
}

/** What the audit trail says of a write. */
function auditOf(
  { uri: { document } }: NamedDocument,
  { actor, action, details }: OperatorWrite,
): NonNullable<XcapRequest['audit']> {
  const subject = document.tree === 'users' ? document.xui : '';
  const place = { auid: document.auid, path: document.path.join('/') };
  return (flaw) => {
    const invalid = flaw === undefined ? {} : { isInvalid: true };
    return { actor, action, subject, details: { ...place, ...details, ...invalid } };
  };
}

/** Who writes, and what the audit trail calls it. */
export interface OperatorWrite {
  readonly actor: Actor;
  readonly action: string;
  readonly details?: AuditEntry['details'];
  readonly conditions?: Conditions;
}

export function readDocument(context: Context, document: NamedDocument, actor: Actor): Promise<ReadResult> {
  return get(context.xcap, { ...asOperator(document, actor, {}), prefers: () => false });
}

/**
 * @param keepsInvalid whether the document is stored also where it breaks the rules of its usage
 * @throws Refusal, Conflict
 */
export function putDocument(
  { xcap }: Context,
  document: NamedDocument,
  write: OperatorWrite,
  body: Uint8Array,
  keepsInvalid = false,
): Promise<WriteResult> {
  checkWritable(document);
  return put(xcap, { ...writing(document, write), contentType: mediaTypeOf(document), body, keepsInvalid });
}

/** @throws Refusal */
export function removeDocument(
  { xcap }: Context,
  document: NamedDocument,
  write: OperatorWrite,
): Promise<WriteResult> {
  checkWritable(document);
  return remove(xcap, writing(document, write));
}

function writing(document: NamedDocument, write: OperatorWrite): XcapRequest {
  const request = asOperator(document, write.actor, write.conditions ?? {});
  return { ...request, audit: auditOf(document, write) };
}

/** The media type of the documents of a usage. */
export function mediaTypeOf({ usage: { usage } }: NamedDocument): string {
  return usage.mediaType;
}

/** No policy of a usage binds an administrator. The versions that they write show their token's name. */
function asOperator({ uri, usage }: NamedDocument, actor: Actor, conditions: Conditions): XcapRequest {
  const principal = { xuis: [`operator:${actor}`], role: 'administrator', access: 'read-write' } as const;
  return { principal, uri, usage, conditions };
}

function checkWritable({ uri, usage }: NamedDocument): void {
  const allowed = methodsFor(uri, usage);
  if (!allowed.includes('PUT')) throw new Refusal(405, 'This document is made by the server.', allowed);
}
