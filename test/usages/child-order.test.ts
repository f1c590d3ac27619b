/**
 * The orders of children that usages declare are tested against their schemas: whatever child is taken out of a valid
 * example can be put back without a position. That is what handsets do (`…/communication-diversion/NoReplyTimer`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Conflict } from '../../src/xcap/conflict.js';
import { usageFolders } from '../../src/package-files.js';
import { loadUsages } from '../../src/usages/registry.js';
import { putElement } from '../../src/xcap/document/node-changes.js';
import { isStored, type LoadedStoredUsage } from '../../src/xcap/usage/loaded-usage.js';
import { matchingElements } from '../../src/xcap/document/locate.js';
import type { Step } from '../../src/xcap/terms.js';
import { validateDocument } from '../../src/xcap/usage/validate.js';
import { descendantsOrSelf, sameName, type SourceElement } from '../../src/xml/source-tree.js';
import { read, rulesForAlice, stepsTo } from '../fixtures/source.js';

/** The step by which a client would create the element: name, and its first attribute to tell it from siblings. */
function creatingStep(element: SourceElement): Step {
  const name = { namespace: element.namespace, localName: element.localName };
  const [attribute] = element.attributes;
  return attribute === undefined
    ? { name }
    : { name, attribute: { name: attribute, value: attribute.value } };
}

function isValid(text: string, loaded: LoadedStoredUsage): boolean {
  try {
    validateDocument(read(text), rulesForAlice(loaded));
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}

const loadedUsages = await loadUsages([usageFolders]);
for (const loaded of loadedUsages.values()) {
  if (!isStored(loaded) || loaded.usage.childOrder === undefined) continue;
  const { auid, childOrder } = loaded.usage;
  t.test(auid, (t) => {
    const uncovered = new Set(
      childOrder.flatMap(({ parent, children }) =>
        children.map((child) => `${parent.localName}/${child === '*' ? '*' : child.localName}`),
      ),
    );
    const folder = join(usageFolders.sources, auid, 'examples');
    for (const file of readdirSync(folder).filter((name) => name.startsWith('valid-'))) {
      const tree = read(readFileSync(join(folder, file), 'utf8'));
      for (const parent of descendantsOrSelf(tree.root)) {
        const order = childOrder.find((candidate) => sameName(candidate.parent, parent));
        if (order === undefined) continue;
        for (const child of parent.children) {
          const listed = order.children.some((name) => name !== '*' && sameName(name, child));
          uncovered.delete(`${parent.localName}/${listed ? child.localName : '*'}`);
          const without = tree.text.slice(0, child.start) + tree.text.slice(child.end);
          const step = creatingStep(child);
          const others = parent.children.filter((sibling) => sibling !== child);
          if (matchingElements(others, step).length > 0 || !isValid(without, loaded)) continue;
          const steps = stepsTo(parent);
          const selector = { kind: 'element', steps: [...steps, step] } as const;
          const body = tree.text.slice(child.start, child.end);
          const put = putElement(read(without), selector, body, rulesForAlice(loaded));
          if (!('tree' in put) || !put.created) t.fail(`${file}: ${child.localName} was not created`);
        }
      }
    }
    t.same([...uncovered], [], 'every declared child stands in an example');
    t.end();
  });
}
