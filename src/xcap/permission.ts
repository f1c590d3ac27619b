/** §5.7, §8: whether who asks may do it: by role, policy and grants, and for reading by rules in documents. */
import { isPermitted, ownerAndTrustedElements } from './policy/authorization.js';
import type { LoadedUsage } from './usage/loaded-usage.js';
import { Refusal } from './refusal.js';
import type { Xcap } from './request.js';
import type { DocumentSelector, Operation, Principal } from './terms.js';

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
  { store, spend, admits }: Xcap,
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

function forbidden(operation: Operation): Refusal {
  return new Refusal(403, `You may not ${operation} this document.`);
}
