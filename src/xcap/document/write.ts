/** §8.2, §8.4: a write as a value, and what it makes of the version that it replaces. */
import type { SourceTree } from '../../xml/source-tree.js';
import { Conflict } from '../conflict.js';
import { noSuchDocument } from '../refusal.js';
import type { ParsedNodeSelector } from '../uri/node-selector.js';
import type { XcapUri } from '../uri/uri.js';
import type { DocumentLimits } from '../usage/contract.js';
import type { DocumentRules } from '../usage/loaded-usage.js';
import { checkWriteConditions, type Conditions } from './conditions.js';
import { noDocument, noElement } from './no-parent.js';
import {
  putAttributeValue,
  putElement,
  removeNode,
  type AttributeSelector,
  type ElementSelector,
  type PutResult,
} from './node-changes.js';
import type { NoParent } from './splice.js';
import type { StoredDocument } from './stored-document.js';

/** Everything that a write needs beside the version that it replaces. */
export interface Write {
  readonly target: XcapUri;
  readonly conditions: Conditions;
  readonly rules: DocumentRules;
  readonly limits: DocumentLimits;
  readonly edit: Edit;
}

export type Edit =
  | {
      readonly kind: 'put-document';
      readonly tree: SourceTree;
      /** The rule that the document breaks. Whatever it replaces, that is the same: it is judged on the first call only. */
      readonly flaw: () => Conflict | undefined;
      /** Whether it is stored with its flaw instead of being refused. */
      readonly keepsInvalid: boolean;
    }
  | {
      readonly kind: 'put-element';
      readonly node: ParsedNodeSelector;
      readonly selector: ElementSelector;
      /** One element, as the fence accepted it. */
      readonly element: string;
    }
  | {
      readonly kind: 'put-attribute';
      readonly node: ParsedNodeSelector;
      readonly selector: AttributeSelector;
      /** As it stands between quotes. */
      readonly value: string;
    }
  | { readonly kind: 'remove-document' }
  | { readonly kind: 'remove-node'; readonly selector: ElementSelector | AttributeSelector };

/** The version after a write: none where the document is gone. */
export interface Applied {
  readonly next: SourceTree | undefined;
  /** Whether the write created what its URI names (201). */
  readonly created: boolean;
  readonly flaw?: Conflict | undefined;
}

/**
 * What a write makes of the current version, undefined where there is no document. Pure: it may run again on another
 * version.
 *
 * @throws Refusal 404, 412; Conflict
 */
export function apply(
  { target, conditions, rules, limits, edit }: Write,
  current: StoredDocument | undefined,
): Applied {
  const removes = edit.kind === 'remove-document' || edit.kind === 'remove-node';
  if (removes && current === undefined) throw noSuchDocument();
  checkWriteConditions(conditions, current?.entityTag);
  if (edit.kind === 'put-document') return replaceDocument(edit, current);
  if (edit.kind === 'remove-document') return { next: undefined, created: false };
  if (current === undefined) throw noDocument(target);
  if (edit.kind === 'remove-node') {
    return { next: removeNode(current.tree(), edit.selector, rules), created: false };
  }
  const result = putNode(edit, current.tree(), rules);
  if ('kind' in result) throw noElement(target, edit.node, result.matchedSteps);
  checkSize(result.tree, limits);
  return { next: result.tree, created: result.created };
}

function replaceDocument(
  { tree, flaw: flawOf, keepsInvalid }: Edit & { kind: 'put-document' },
  current: StoredDocument | undefined,
): Applied {
  const flaw = flawOf();
  if (flaw !== undefined && !keepsInvalid) throw flaw;
  return { next: tree, created: current === undefined, flaw };
}

function putNode(
  edit: Edit & { kind: 'put-element' | 'put-attribute' },
  tree: SourceTree,
  rules: DocumentRules,
): PutResult | NoParent {
  return edit.kind === 'put-element'
    ? putElement(tree, edit.selector, edit.element, rules)
    : putAttributeValue(tree, edit.selector, edit.value, rules);
}

function checkSize({ text, nodes }: SourceTree, limits: DocumentLimits): void {
  if (Buffer.byteLength(text) > limits.bytes) throw tooLarge(`${String(limits.bytes)} bytes`);
  if (nodes > limits.nodes) throw tooLarge(`${String(limits.nodes)} elements and attributes`);
}

function tooLarge(most: string): Conflict {
  return new Conflict({
    condition: 'constraint-failure',
    phrase: `The document would have more than ${most}.`,
  });
}
