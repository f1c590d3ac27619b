/** §8: GET, PUT and DELETE, in the order of the RFC. This file shows the whole flow of a request. */
import { isNotModified } from './document/conditions.js';
import { representDocument, representNode } from './document/representation.js';
import type { StoredDocument } from './document/stored-document.js';
import { apply, type Edit, type Write } from './document/write.js';
import { checkReadable, checkWritable } from './permission.js';
import { nodeSelectorOf, planPut, planRemoval, rulesOf } from './plan.js';
import { noSuchDocument } from './refusal.js';
import type { GetRequest, PutRequest, ReadResult, WriteResult, Xcap, XcapRequest } from './request.js';
import type { DocumentSelector } from './terms.js';
import { canonicalXui } from './uri/xui.js';
import { claimsOf, storedClaims, takenConflict } from './usage/claims.js';
import { claimedUriIn, generatedAt, isStored, type LoadedUsage } from './usage/loaded-usage.js';

/** §8.3. @throws Refusal */
export async function get(xcap: Xcap, request: GetRequest): Promise<ReadResult> {
  const { usage, principal, conditions } = request;
  const selector = await documentAsked(xcap, request);
  await checkReadable(xcap, usage, principal, selector);
  const node = nodeSelectorOf(request);
  const document = await readCurrent(xcap, usage, selector);
  if (document === undefined) throw noSuchDocument();
  const representation = xcap.spend(principal, document.text.length, () =>
    node === undefined
      ? representDocument(document, usage.usage, { isRaw: request.uri.isRaw, prefers: request.prefers })
      : representNode(document, node.selector),
  );
  const { entityTag } = representation;
  // 404 comes before 304 and 412.
  if (isNotModified(conditions, entityTag)) return { status: 304, entityTag };
  return { status: 200, ...representation };
}

/** §8.2. @throws Refusal, Conflict */
export async function put(xcap: Xcap, request: PutRequest): Promise<WriteResult> {
  const rules = rulesOf(xcap, request);
  await checkWritable(xcap, request.usage, request.principal, request.uri.document);
  const write = xcap.spend(request.principal, request.body.length, () => planPut(xcap, request, rules));
  return perform(xcap, request, write);
}

/** §8.4. @throws Refusal, Conflict */
export async function remove(xcap: Xcap, request: XcapRequest): Promise<WriteResult> {
  const rules = rulesOf(xcap, request);
  await checkWritable(xcap, request.usage, request.principal, request.uri.document);
  return perform(xcap, request, planRemoval(xcap, request, rules));
}

/** Replaces the current version by what the write makes of it, together with its claims. */
async function perform(xcap: Xcap, request: XcapRequest, write: Write): Promise<WriteResult> {
  const { principal, audit } = request;
  const { rules, target, edit } = write;
  const change = (current: StoredDocument | undefined) => {
    const { next, created, flaw } = apply(write, current);
    // What is not valid gives out no URIs, and those of the version before are free.
    const claims = claimsOf(flaw === undefined ? next : undefined, rules);
    const outcome = { created, claims, flaw };
    return { next, claims: storedClaims(next, claims), flaw: flaw?.message, audit: audit?.(flaw), outcome };
  };
  const written = await xcap.store.write(target.document, principal.xuis[0], (current) =>
    xcap.spend(principal, charactersIn(current, edit), () => change(current)),
  );
  const { created, claims = [], flaw } = written.outcome;
  if (written.kind === 'taken') {
    const freeUris = (uris: readonly string[]) => xcap.store.freeUris(uris);
    const taken = await takenConflict(freeUris, rules, claims, written.uris);
    if (edit.kind !== 'put-document' || !edit.keepsInvalid) throw taken;
    return perform(xcap, request, { ...write, edit: { ...edit, flaw: () => taken } });
  }
  return {
    status: created ? 201 : 200,
    entityTag: written.entityTag,
    ...(flaw === undefined ? {} : { flaw }),
  };
}

/** What the change reads: the version before and what is put into it, or the one that comes instead of it. */
function charactersIn(current: StoredDocument | undefined, edit: Edit): number {
  if (edit.kind === 'put-document') return edit.tree.text.length;
  const added = edit.kind === 'put-element' ? edit.element : edit.kind === 'put-attribute' ? edit.value : '';
  return (current?.text.length ?? 0) + added.length;
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
