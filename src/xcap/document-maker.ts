/** §8.2.7: the documents that the server makes from others, as of the moment of each read. */
import { madeDocument, type StoredDocument } from './document/stored-document.js';
import type { ServedUsage } from './usage/contract.js';
import { maximalListedBytes, type DocumentStore, type ListedElements } from './document-store.js';
import { tooLargeToMake } from './refusal.js';
import type { GeneratedDocument } from './usage/generated.js';
import type { DocumentSelector, Xui } from './terms.js';

/** Makes one document of a usage. */
export type DocumentMaker = (
  generated: GeneratedDocument,
  selector: DocumentSelector,
) => Promise<StoredDocument>;

interface MadeFromClaims {
  readonly listed: ListedElements;
  /** Undefined where it would be too large. */
  readonly document: StoredDocument | undefined;
}

/** Documents of the global tree are kept until what they are made from has changed. */
export function documentMaker(store: DocumentStore, usages: readonly ServedUsage[]): DocumentMaker {
  const fromUsages = new Map<GeneratedDocument, StoredDocument>();
  const fromClaims = new Map<GeneratedDocument, MadeFromClaims>();

  return async (generated, selector) => {
    switch (generated.from) {
      case 'usages': {
        const document = fromUsages.get(generated) ?? madeDocument(generated.generate(usages));
        fromUsages.set(generated, document);
        return document;
      }
      case 'claims': {
        let known = fromClaims.get(generated);
        const listed = await store.listedElements(selector.auid, known?.listed);
        if (known?.listed.revision !== listed.revision) {
          const { elements } = listed;
          const document = elements === undefined ? undefined : madeDocument(generated.generate(elements));
          known = { listed, document };
          fromClaims.set(generated, known);
        }
        if (known.document === undefined) throw tooLargeToMake(maximalListedBytes);
        return known.document;
      }
      case 'user':
        return madeDocument(generated.generate(ownerOf(selector)));
      case 'home': {
        const xui = ownerOf(selector);
        return madeDocument(generated.generate({ xui, usages, documents: await store.home(xui) }));
      }
    }
  };
}

/** Documents of the users' tree are made at places in the users' tree. */
function ownerOf(selector: DocumentSelector): Xui {
  return selector.tree === 'users' ? selector.xui : '';
}
