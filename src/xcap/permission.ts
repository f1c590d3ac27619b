/** §5.7, §8: whether who asks may do it: by role, policy and grants, and for reading by rules in documents. */
import { LRUCache } from 'lru-cache';
import { textOf } from '../xml/text-content.js';
import { isPermitted, ownerAndTrustedElements } from './policy/authorization.js';
import { readerOf } from './policy/common-policy.js';
import type { StoredDocument } from './document/stored-document.js';
import type { ApplicationUsage } from './usage/contract.js';
import type { LoadedUsage } from './usage/loaded-usage.js';
import { Refusal } from './refusal.js';
import type { Xcap } from './request.js';
import type { DocumentSelector, Operation, Principal, Xui } from './terms.js';

/** @throws Refusal 403 */
export async function checkReadable(
  xcap: Xcap,
  usage: LoadedUsage,
  principal: Principal,
  document: DocumentSelector,
): Promise<void> {
  if (await isAllowed(xcap, usage, principal, 'read', document)) return;
  if (principal.access !== 'write' && (await isAdmitted(xcap, usage, principal, document))) return;
  throw forbidden('read');
}

/** @throws Refusal 403 */
export async function checkWritable(
  xcap: Xcap,
  usage: LoadedUsage,
  principal: Principal,
  document: DocumentSelector,
): Promise<void> {
  if (!(await isAllowed(xcap, usage, principal, 'write', document))) throw forbidden('write');
}

/** Grants are asked for only where nothing else allows it. */
async function isAllowed(
  { grantsOf }: Xcap,
  { usage: { authorization: policy = ownerAndTrustedElements } }: LoadedUsage,
  principal: Principal,
  operation: Operation,
  document: DocumentSelector,
): Promise<boolean> {
  if (isPermitted(principal, operation, document, policy, [])) return true;
  if (document.tree === 'global') return false;
  const grants = await grantsOf(document.xui, principal.xuis);
  return isPermitted(principal, operation, document, policy, grants);
}

/**
 * Whether one of the documents with the rules for this document admits the reader. One that breaks its schema admits
 * nobody: of a condition that is misspelt nothing but its absence would be left.
 */
async function isAdmitted(
  { store, spend }: Xcap,
  { usage }: LoadedUsage,
  principal: Principal,
  document: DocumentSelector,
): Promise<boolean> {
  for (const selector of usage.readers?.rulesFor(document) ?? []) {
    const rules = await store.read(selector);
    if (
      rules !== undefined &&
      rules.flaw === undefined &&
      spend(principal, rules.text.length, () => admits(usage, rules, principal.xuis))
    )
      return true;
  }
  return false;
}

/** By the rules, the version and the reader; bounded by the characters of its keys. */
const verdicts = new LRUCache<string, boolean>({
  maxSize: 4_000_000,
  sizeCalculation: (_, { length }) => length,
});

/** A document may have thousands of rules, and its members ask again and again: each is judged once for a version. */
function admits({ auid, readers }: ApplicationUsage, rules: StoredDocument, xuis: readonly Xui[]): boolean {
  const key = [auid, rules.entityTag, ...xuis].join('\0');
  const known = verdicts.get(key);
  if (known !== undefined) return known;
  const { root, text } = rules.tree();
  const verdict = readers?.admit(root, readerOf(xuis), (element) => textOf(text, element)) ?? false;
  verdicts.set(key, verdict);
  return verdict;
}

function forbidden(operation: Operation): Refusal {
  return new Refusal(403, `You may not ${operation} this document.`);
}
