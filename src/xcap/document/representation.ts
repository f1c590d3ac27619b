/** §8.3: a document, a node of it, or what it carries, as a GET answers with it. */
import { noSuchNode } from '../refusal.js';
import type { StoredDocument } from './stored-document.js';
import { attributeSpan } from '../../xml/start-tag.js';
import type { SourceTree } from '../../xml/source-tree.js';
import { textOf } from '../../xml/text-content.js';
import type { ApplicationUsage, CarriedContent } from '../usage/contract.js';
import { selectNode, type SelectedNode } from './locate.js';
import { attributeMediaType, elementMediaType, namespaceBindingsMediaType } from './media-type.js';
import { namespaceBindingsOf } from '../uri/namespace-bindings.js';
import type { EntityTag, NodeSelector } from '../terms.js';

export interface Representation {
  readonly entityTag: EntityTag;
  readonly mediaType: string;
  readonly body: string | Buffer;
  /** There is another representation, for clients that accept another media type. */
  readonly isNegotiated?: true;
  /** Carried content is what its writer says it is, and nothing else. */
  readonly isCarriedContent?: true;
  /** The rule of its usage that the document breaks. */
  readonly flaw?: string;
}

/** Which of two representations a client wants. */
export interface Preference {
  /** The URI asks for what the document carries. */
  readonly isRaw: boolean;
  /** Does the client prefer content of that media type to the document of the other type that carries it? */
  readonly prefers: (contentType: string, documentType: string) => boolean;
}

/** @throws Refusal 404 where the selector selects nothing. */
export function representNode({ entityTag, tree }: StoredDocument, selector: NodeSelector): Representation {
  const selected = selectNode(tree().root, selector);
  if (selected === undefined) throw noSuchNode();
  return { entityTag, ...nodeText(tree(), selected) };
}

/** §8.3, §10: an element is the text of its source, an attribute the text between its quotes. */
function nodeText({ text }: SourceTree, node: SelectedNode): { mediaType: string; body: string } {
  switch (node.kind) {
    case 'element':
      return { mediaType: elementMediaType, body: text.slice(node.element.start, node.element.end) };
    case 'attribute': {
      const span = attributeSpan(text, node.element, node.attribute);
      if (span === undefined) throw new Error('an attribute of the tree is missing in its text');
      return { mediaType: attributeMediaType, body: text.slice(span.valueStart, span.valueEnd) };
    }
    case 'namespace-bindings':
      return { mediaType: namespaceBindingsMediaType, body: namespaceBindingsOf(node.element) };
  }
}

/**
 * The document, or what it carries where the client asks for that. These are two representations, so they have two entity
 * tags (RFC 9110 §8.8.3).
 */
export function representDocument(
  document: StoredDocument,
  usage: ApplicationUsage,
  { isRaw, prefers }: Preference,
): Representation {
  const { entityTag, text, flaw } = document;
  const { mediaType } = usage;
  // What a document carries is checked by the rules of its usage, so one that breaks them delivers none of it.
  const content = flaw === undefined ? carriedContentOf(document, usage) : undefined;
  if (content === undefined)
    return { entityTag, mediaType, body: text, ...(flaw === undefined ? {} : { flaw }) };
  if (!isRaw && !prefers(content.mediaType, mediaType)) {
    return { entityTag, mediaType, body: text, isNegotiated: true };
  }
  return {
    entityTag: `${entityTag}-raw`,
    mediaType: content.mediaType,
    body: Buffer.from(content.base64, 'base64'),
    isNegotiated: true,
    isCarriedContent: true,
  };
}

function carriedContentOf(document: StoredDocument, usage: ApplicationUsage): CarriedContent | undefined {
  if (usage.kind !== 'stored' || usage.carriedContent === undefined) return undefined;
  const tree = document.tree();
  return usage.carriedContent(tree.root, (element) => textOf(tree.text, element));
}
