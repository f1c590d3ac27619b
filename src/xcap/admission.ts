/** Whether the rules in a document admit a reader (members of a group). */
import { LRUCache } from 'lru-cache';
import { textOf } from '../xml/text-content.js';
import type { StoredDocument } from './document/stored-document.js';
import { readerOf } from './policy/common-policy.js';
import type { Xui } from './terms.js';
import type { ApplicationUsage } from './usage/contract.js';

/** Whether the rules, which a usage reads, admit who has these identities. */
export type Admits = (
  usage: Pick<ApplicationUsage, 'auid' | 'readers'>,
  rules: StoredDocument,
  xuis: readonly Xui[],
) => boolean;

/** Of the keys of all verdicts that are kept. */
const charactersKept = 4_000_000;

/** A document may have thousands of rules, and its members ask again and again: each is judged once for a version. */
export function admission(): Admits {
  const verdicts = new LRUCache<string, boolean>({
    maxSize: charactersKept,
    sizeCalculation: (_, { length }) => length,
  });
  return ({ auid, readers }, rules, xuis) => {
    const key = [auid, rules.entityTag, ...xuis].join('\0');
    const known = verdicts.get(key);
    if (known !== undefined) return known;
    const { root, text } = rules.tree();
    const verdict = readers?.admit(root, readerOf(xuis), (element) => textOf(text, element)) ?? false;
    verdicts.set(key, verdict);
    return verdict;
  };
}
