/** §8.2.5: schema, uniqueness and other constraints, judged on the resulting document. */
import { Conflict } from '../conflict.js';
import { validate, type Schema } from '../../xml/schema.js';
import { descendantsOrSelf, sameName, type SourceElement, type SourceTree } from '../../xml/source-tree.js';
import { textOf } from '../../xml/text-content.js';
import type { ApplicationUsage } from './contract.js';
import { oversizedClaim, repeatedClaims } from './claims.js';
import type { DocumentRules, LoadedStoredUsage } from './loaded-usage.js';
import { uniquenessConflict } from './uniqueness.js';

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

/** The first rule of its usage that a document breaks, undefined where it is valid. */
export function flawOf(tree: SourceTree, rules: DocumentRules): Conflict | undefined {
  try {
    validateDocument(tree, rules);
    return undefined;
  } catch (error) {
    if (error instanceof Conflict) return error;
    throw error;
  }
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
  const { rootElement } = usage;
  if (rootElement !== undefined && !sameName(tree.root, rootElement)) {
    return `The root element is '${rootElement.localName}' of the namespace '${rootElement.namespace}'`;
  }
  return (
    (schema && invalidity(tree, schema)) ??
    strangeChild(tree.root, usage) ??
    unknownName(tree.root, knownNames)
  );
}

/** A sentence on the first child of a namespace that nobody has named where the schema takes any, or undefined. */
function strangeChild(root: SourceElement, { foreignChildren }: ApplicationUsage): string | undefined {
  if (foreignChildren === undefined) return undefined;
  const { parent, variable, namespaces = [] } = foreignChildren;
  const strange = descendantsOrSelf(root)
    .filter((element) => sameName(element, parent))
    .flatMap(({ children }) => children)
    .find(({ namespace }) => namespace !== parent.namespace && !namespaces.includes(namespace));
  return (
    strange &&
    `Element '${strange.localName}': This element is not expected in the namespace '${strange.namespace}', which is none ` +
      `of those in ${variable} of this server (line ${String(strange.line)})`
  );
}

function invalidity({ text }: SourceTree, schema: Schema): string | undefined {
  const validity = validate(text, schema);
  if (validity.valid) return undefined;
  const line = validity.line === undefined ? '' : ` (line ${String(validity.line)})`;
  return `${validity.message}${line}`;
}

/**
 * The part of §8.2.5 behind the schema.
 *
 * @throws Conflict uniqueness-failure or constraint-failure.
 */
export function checkConstraints(tree: SourceTree, rules: DocumentRules): void {
  const { usage, document, xcapRoots, hostnames } = rules;
  const [failure, ...more] = [...(usage.uniqueness?.(tree.root) ?? []), ...repeatedClaims(tree, rules)];
  if (failure !== undefined) throw uniquenessConflict([failure, ...more], usage.defaultDocumentNamespace);
  const textIn = (element: SourceElement) => textOf(tree.text, element);
  const context = { document, xcapRoots, hostnames, textOf: textIn };
  const broken = usage.constraints?.(tree.root, context) ?? oversizedClaim(tree, rules);
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
