/** §8.5: one version of a document with its entity tag. */
import { createHash } from 'node:crypto';
import { readDocument, UNLIMITED } from '../../xml/fence.js';
import type { SourceTree } from '../../xml/source-tree.js';
import type { EntityTag } from '../terms.js';

/** One version of a document. */
export interface StoredDocument {
  readonly text: string;
  readonly entityTag: EntityTag;
  /** The rule of its usage that it breaks, as a sentence; undefined for all but what an operator keeps so. */
  readonly flaw: string | undefined;
  /** UTF-16 units of earlier texts that stay in memory with its tree. */
  readonly earlierText: number;
  /** The source tree, read on first use. */
  readonly tree: () => SourceTree;
}

interface MoreOfVersion {
  /** Where it is known already. */
  readonly tree?: SourceTree;
  readonly flaw?: string | undefined;
  /** Of a text that this server has made. */
  readonly size?: typeof UNLIMITED;
}

/** A version as a store hands it out. */
export function storedDocument(
  text: string,
  entityTag: EntityTag,
  { tree, flaw, size }: MoreOfVersion = {},
): StoredDocument {
  let known = tree;
  return {
    text,
    entityTag,
    flaw,
    earlierText: tree?.earlierText ?? 0,
    tree: () => {
      if (known === undefined) {
        const reading = readDocument(text, size);
        if (!reading.ok) throw new Error(`a stored document is damaged: ${reading.refusal.message}`);
        known = reading.value;
      }
      return known;
    },
  };
}

/** Measured, of the heap: an element of a tree with what it refers to, and an attribute. */
const bytesOfElement = 450;
const bytesOfAttribute = 100;
const [lessThan, slash, equals] = [0x3c, 0x2f, 0x3d];

/** What a version takes in memory together with its tree, in bytes; estimated without reading it. */
export function memoryOf({ text, earlierText }: Pick<StoredDocument, 'text' | 'earlierText'>): number {
  let bytes = 500 + 2 * (text.length + earlierText);
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === lessThan && text.charCodeAt(i + 1) !== slash) bytes += bytesOfElement;
    else if (character === equals) bytes += bytesOfAttribute;
  }
  return bytes;
}

/** A document that the server made: its entity tag is a hash, so it changes exactly when the text does, in all processes. */
export function madeDocument(text: string): StoredDocument {
  const entityTag = createHash('sha256').update(text).digest('base64url').slice(0, 16);
  return storedDocument(text, entityTag, { size: UNLIMITED });
}
