import { attributeOf, canonicalXui, decodedUri } from '../../src/xcap/usage/contract.js';
import type { UsageContext } from '../../src/xcap/usage/contract.js';
import type { SourceElement } from '../../src/xcap/terms.js';

/**
 * TS 24.484 §8.3.1A: a sentence for the profile of somebody else, or one with another index than its document's name has
 * (`mcptt-user-profile-3.xml`), or undefined.
 */
export function misplacedProfile(root: SourceElement, { document }: UsageContext): string | undefined {
  if (document.tree === 'users') {
    const owner = attributeOf(root, 'XUI-URI')?.value.trim() ?? '';
    if (canonicalXui(decodedUri(owner)) !== document.xui) {
      return `The profile has to be that of ${document.xui}, but its XUI-URI is: ${owner}`;
    }
  }
  const [, named] = /^mc[a-z]+-user-profile-([0-9]{1,3})\.xml$/.exec(document.path.at(-1) ?? '') ?? [];
  const index = attributeOf(root, 'user-profile-index')?.value.trim() ?? '';
  if (named === undefined || Number(named) === Number(index)) return undefined;
  return `The document's name has the index ${named}, but its user-profile-index is: ${index}`;
}
