/** §6, §8: what kind of resource a URI names, and what can be done with it. */
import { readOnlyMethods } from './refusal.js';
import type { NodeSelector } from './terms.js';
import type { XcapUri } from './uri/uri.js';
import { claimedUriIn, generatedAt, isStored, type LoadedUsage } from './usage/loaded-usage.js';

const allMethods = ['GET', 'HEAD', 'PUT', 'DELETE'] as const;

/** §8: the methods that are defined for a resource, be it there or not. */
export function methodsFor(uri: XcapUri, usage: LoadedUsage): readonly string[] {
  const isReadOnly =
    !isStored(usage) ||
    uri.isHome ||
    resourceKind(uri) === 'namespace-bindings' ||
    generatedAt(usage, uri.document) !== undefined ||
    claimedUriIn(usage, uri.document) !== undefined;
  return isReadOnly ? readOnlyMethods : allMethods;
}

/** A short form for logs and metrics: what kind of resource the URI names. */
export function resourceKind(uri: XcapUri): 'document' | NodeSelector['kind'] {
  if (uri.node === undefined) return 'document';
  const last = uri.node.selector.slice(uri.node.selector.lastIndexOf('/') + 1);
  // That slash may stand in the value of an attribute test, as in `list[@name="a/@b"]`.
  if (/["'\]]|%(22|27|5d)/i.test(last)) return 'element';
  if (/^namespace(::|%3a%3a)(\*|%2a)$/i.test(last)) return 'namespace-bindings';
  return /^(@|%40)/.test(last) ? 'attribute' : 'element';
}
