/** §11.1: the report on values that have to be unique and are not. */
import { sameName, type SourceElement } from '../../xml/source-tree.js';
import { qualifiedName } from '../../xml/start-tag.js';
import type { UniquenessFailure } from './contract.js';
import { type Exists, Conflict } from '../conflict.js';
import { encodeSegment } from '../uri/percent-encoding.js';
import { encodeNamespaceBindings } from '../uri/uri.js';

/** A document may have as many failures as elements; a client mends one after the other. */
export const mostFailures = 20;

/** The report on these values, on the first 20 at most. */
export function uniquenessConflict(
  [failure, ...more]: readonly [UniquenessFailure, ...UniquenessFailure[]],
  defaultDocumentNamespace: string,
): Conflict {
  return new Conflict({
    condition: 'uniqueness-failure',
    phrase: uniquenessPhrase(failure),
    exists: [
      exists(failure, defaultDocumentNamespace),
      ...more.slice(0, mostFailures - 1).map((other) => exists(other, defaultDocumentNamespace)),
    ],
  });
}

function uniquenessPhrase({ element, attribute }: UniquenessFailure): string {
  const value = element.attributes.find((a) => a.localName === attribute)?.value ?? '';
  return `The ${attribute} '${value.slice(0, 200)}' of ${element.localName} (line ${String(element.line)}) is already in use.`;
}

function exists(failure: UniquenessFailure, defaultDocumentNamespace: string): Exists {
  return {
    field: relativeUri(failure.element, failure.attribute, defaultDocumentNamespace),
    alternatives: failure.alternatives ?? [],
  };
}

/** §11.1: the node selector of an attribute, relative to the document. */
function relativeUri(element: SourceElement, attribute: string, defaultDocumentNamespace: string): string {
  const bindings = new Map<string, string>();
  const steps: string[] = [];
  for (let e: SourceElement | undefined = element; e !== undefined; e = e.parent) {
    steps.unshift(encodeSegment(stepTo(e, defaultDocumentNamespace, bindings)));
  }
  return `${steps.join('/')}/@${attribute}${encodeNamespaceBindings(bindings)}`;
}

function stepTo(
  element: SourceElement,
  defaultDocumentNamespace: string,
  bindings: Map<string, string>,
): string {
  const prefix = element.namespace === defaultDocumentNamespace ? '' : prefixFor(element.namespace, bindings);
  const name = qualifiedName({ prefix, localName: element.localName });
  const siblings = element.parent?.children.filter((sibling) => sameName(sibling, element)) ?? [];
  return siblings.length > 1 ? `${name}[${String(siblings.indexOf(element) + 1)}]` : name;
}

function prefixFor(namespace: string, bindings: Map<string, string>): string {
  for (const [prefix, uri] of bindings) if (uri === namespace) return prefix;
  const prefix = `n${String(bindings.size + 1)}`;
  bindings.set(prefix, namespace);
  return prefix;
}
