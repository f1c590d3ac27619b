/** What the rules of each usage cost on the worst documents that it accepts. */
import { loadUsages } from '../../src/usages/registry.js';
import { usageFolders } from '../../src/package-files.js';
import type { DocumentSelector } from '../../src/xcap/terms.js';
import { readerOf } from '../../src/xcap/policy/common-policy.js';
import { claimsOf } from '../../src/xcap/usage/claims.js';
import { isStored, limitsOf, type LoadedStoredUsage } from '../../src/xcap/usage/loaded-usage.js';
import { readDocument } from '../../src/xml/fence.js';
import type { SourceTree } from '../../src/xml/source-tree.js';
import { textOf } from '../../src/xml/text-content.js';
import { shapesOf, type Shape } from './shapes.js';

export interface Cost {
  readonly what: string;
  readonly shape: string;
  readonly milliseconds: number;
}

const noticeableMilliseconds = 10;
const xui = 'sip:alice@example.com';
const reader = readerOf(Array.from({ length: 32 }, (_, i) => `sip:bob${i}@example.com`));

/** The dearest call of each function of each usage. */
export async function costOfRules(): Promise<Cost[]> {
  const usages = await loadUsages([usageFolders], { optionalUsages: 'all', policies: new Map() });
  const costs = [...usages.values()].filter(isStored).flatMap(costsOfUsage);
  return costs.toSorted((a, b) => b.milliseconds - a.milliseconds);
}

function costsOfUsage(loaded: LoadedStoredUsage): Cost[] {
  const { auid } = loaded.usage;
  const limits = limitsOf(loaded.usage, 1024 * 1024);
  const dearest = new Map<string, Cost>();
  for (const shape of shapesOf(auid, limits)) {
    const reading = readDocument(shape.text, { nodes: limits.nodes });
    if (!reading.ok) continue;
    for (const cost of costsOn(loaded, reading.value, shape)) {
      if (cost.milliseconds >= (dearest.get(cost.what)?.milliseconds ?? 0)) dearest.set(cost.what, cost);
    }
  }
  return [...dearest.values()];
}

function costsOn({ usage }: LoadedStoredUsage, tree: SourceTree, shape: Shape): Cost[] {
  const document: DocumentSelector = { tree: 'users', auid: usage.auid, xui, path: ['index'] };
  const context = {
    document,
    xcapRoots: ['/xcap-root'],
    hostnames: [],
    textOf: (element: SourceTree['root']) => textOf(tree.text, element),
  };
  const readers = [
    usage.readers,
    ...Object.values(usage.otherPolicies ?? {}).map((policy) => policy.readers),
  ];
  const works: Readonly<Record<string, () => unknown>> = {
    uniqueness: () => usage.uniqueness?.(tree.root),
    constraints: () => usage.constraints?.(tree.root, context),
    claims: () => claimsOf(tree, { usage, document }),
    readers: () => readers.map((one) => one?.admit(tree.root, reader, context.textOf)),
    'carried content': () => usage.carriedContent?.(tree.root, context.textOf),
  };
  return Object.entries(works).map(([name, work]) => {
    const milliseconds = shortestTime(work);
    return { what: `${usage.auid}: ${name}`, shape: shape.name, milliseconds };
  });
}

/** Of three, where one was long: others use the machine, too, and collected garbage is not the fault of the rule. */
function shortestTime(work: () => unknown): number {
  const time = () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  const first = time();
  return first < noticeableMilliseconds ? first : Math.min(first, time(), time());
}
