/** The port to where documents are kept. The core asks for nothing else, and knows no database. */
import { readDocument } from '../xml/fence.js';
import type { SourceTree } from '../xml/source-tree.js';
import type { DocumentSelector, EntityTag, Xui } from './terms.js';

/** One version of a document. */
export interface StoredDocument {
  readonly text: string;
  readonly entityTag: EntityTag;
  /** The source tree, read on first use. */
  readonly tree: () => SourceTree;
}

/** What a write makes of a document: its next version, or none where it is deleted. */
export interface Change<Outcome> {
  readonly next: SourceTree | undefined;
  readonly outcome: Outcome;
}

export interface Written<Outcome> {
  readonly outcome: Outcome;
  /** The entity tag of the new version; undefined where the document is gone. */
  readonly entityTag: EntityTag | undefined;
}

export interface DocumentStore {
  /** The current version, as of a moment after the call. */
  read(document: DocumentSelector): Promise<StoredDocument | undefined>;

  /**
   * Replaces the current version by what `change` makes of it. `change` is pure and may run several times; its last run
   * saw the very version that was replaced. What it throws is thrown here, and only when it threw on the current
   * version; then nothing was written.
   */
  write<Outcome>(
    document: DocumentSelector,
    author: Xui,
    change: (current: StoredDocument | undefined) => Change<Outcome>,
  ): Promise<Written<Outcome>>;
}

/** The store cannot be reached or does not answer. Whether a write that was under way took place is unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** A version as a store hands it out. `tree` may be given where it is known already. */
export function storedDocument(text: string, entityTag: EntityTag, tree?: SourceTree): StoredDocument {
  let known = tree;
  return {
    text,
    entityTag,
    tree: () => {
      if (known === undefined) {
        const reading = readDocument(text);
        if (!reading.ok) throw new Error(`a stored document is damaged: ${reading.refusal.message}`);
        known = reading.value;
      }
      return known;
    },
  };
}
