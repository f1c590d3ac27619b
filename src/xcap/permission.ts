/** §5.7, §8: whether who asks may do it, by the policy of the usage and by rules in documents. */
import { textOf } from '../xml/text-content.js';
import { ownerAndTrustedElements } from './authorization.js';
import type { DocumentStore } from './document-store.js';
import type { LoadedUsage } from './loaded-usage.js';
import { Refusal } from './refusal.js';
import type { DocumentSelector, Operation, Principal } from './terms.js';

/** @throws Refusal 403 */
export async function checkReadable(
  store: DocumentStore,
  usage: LoadedUsage,
  principal: Principal,
  document: DocumentSelector,
): Promise<void> {
  if (isPermitted(usage, principal, 'read', document)) return;
  if (await isAdmitted(store, usage, principal, document)) return;
  throw forbidden('read');
}

/** @throws Refusal 403 */
export function checkWritable(usage: LoadedUsage, principal: Principal, document: DocumentSelector): void {
  if (!isPermitted(usage, principal, 'write', document)) throw forbidden('write');
}

function isPermitted(
  { usage }: LoadedUsage,
  principal: Principal,
  operation: Operation,
  document: DocumentSelector,
): boolean {
  return (usage.authorization ?? ownerAndTrustedElements)(principal, operation, document);
}

/** Whether one of the documents with the rules for this document admits the reader. */
async function isAdmitted(
  store: DocumentStore,
  { usage: { readers } }: LoadedUsage,
  principal: Principal,
  document: DocumentSelector,
): Promise<boolean> {
  for (const selector of readers?.rulesFor(document) ?? []) {
    const tree = (await store.read(selector))?.tree();
    const isMet = tree && readers?.admit(tree.root, principal.xuis, (element) => textOf(tree.text, element));
    if (isMet === true) return true;
  }
  return false;
}

function forbidden(operation: Operation): Refusal {
  return new Refusal(403, `You may not ${operation} this document.`);
}
