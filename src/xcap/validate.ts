/** §8.2.5: schema, uniqueness and other constraints, judged on the resulting document. */
import { validate } from '../xml/schema.js';
import { descendantsOrSelf, sameName, type SourceElement, type SourceTree } from '../xml/source-tree.js';
import { qualifiedName } from '../xml/start-tag.js';
import { textOf } from '../xml/text-content.js';
import type { ApplicationUsage, UniquenessFailure } from './application-usage.js';
import type { Exists } from './conflict.js';
import type { DocumentRules, LoadedStoredUsage } from './loaded-usage.js';
import { Conflict } from './refusal.js';
import { encodeNamespaceBindings, encodeSegment } from './uri.js';

/** Handsets show phrases on a small screen. */
const longestPhrase = 500;

/**
 * Judges a document by all rules of its usage.
 *
 * @throws Conflict schema-validation-error, uniqueness-failure or constraint-failure.
 */
export function validateDocument(tree: SourceTree, rules: DocumentRules): void {
  const fault = schemaFault(tree, rules);
  if (fault !== undefined) throw schemaValidationError(fault);
  checkConstraints(tree, rules);
}

/** What the first part of the validation goes by. */
export interface SchemaRules extends Pick<LoadedStoredUsage, 'schema' | 'knownNames'> {
  readonly usage: ApplicationUsage;
}

/** A sentence on how the document breaks the schema, or undefined. */
export function schemaFault(
  tree: SourceTree,
  { usage, schema, knownNames }: SchemaRules,
): string | undefined {
  if (!sameName(tree.root, usage.rootElement)) {
    return `The root element is '${usage.rootElement.localName}' of the namespace '${usage.rootElement.namespace}'`;
  }
  const validity = validate(tree.text, schema);
  if (!validity.valid) {
    const line = validity.line === undefined ? '' : ` (line ${String(validity.line)})`;
    return `${validity.message}${line}`;
  }
  return unknownName(tree.root, knownNames);
}

/**
 * The part of §8.2.5 behind the schema.
 *
 * @throws Conflict uniqueness-failure or constraint-failure.
 */
export function checkConstraints(tree: SourceTree, { usage, document, xcapRoots }: DocumentRules): void {
  const [failure, ...more] = usage.uniqueness?.(tree.root) ?? [];
  if (failure !== undefined) {
    throw new Conflict({
      condition: 'uniqueness-failure',
      phrase: uniquenessPhrase(failure),
      exists: [
        exists(failure, usage.defaultDocumentNamespace),
        ...more.slice(0, 20).map((f) => exists(f, usage.defaultDocumentNamespace)),
      ],
    });
  }
  const broken = usage.constraints?.(tree.root, {
    document,
    xcapRoots,
    textOf: (element) => textOf(tree.text, element),
  });
  if (broken !== undefined) {
    // The sentence may quote the document.
    throw new Conflict({ condition: 'constraint-failure', phrase: broken.slice(0, longestPhrase) });
  }
}

export function schemaValidationError(phrase: string): Conflict {
  return new Conflict({ condition: 'schema-validation-error', phrase });
}

/**
 * §8.2.5: what stands in a namespace that the server advertises has to be declared by its schemas, even where a lax
 * wildcard lets it through.
 */
function unknownName(root: SourceElement, knownNames: LoadedStoredUsage['knownNames']): string | undefined {
  for (const element of descendantsOrSelf(root)) {
    if (knownNames.get(element.namespace)?.elements.has(element.localName) === false) {
      return `The schema of its namespace has no element '${element.localName}' (line ${String(element.line)})`;
    }
    for (const attribute of element.attributes) {
      if (knownNames.get(attribute.namespace)?.attributes.has(attribute.localName) === false) {
        return `The schema of its namespace has no attribute '${attribute.localName}' (line ${String(element.line)})`;
      }
    }
  }
  return undefined;
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
