/** The port to where documents are kept. The core asks for nothing else, and knows no database. */
import type { SourceTree } from '../xml/source-tree.js';
import type { StoredDocument } from './document/stored-document.js';
import type { DocumentSelector, EntityTag, HomeDocument, Xui } from './terms.js';
import type { StoredClaim } from './usage/claims.js';

/** What a write makes of a document: its next version, or none where it is deleted. */
export interface Change<Outcome> {
  readonly next: SourceTree | undefined;
  /** The URIs that the next version claims; undefined where documents of its usage never claim any. */
  readonly claims?: readonly StoredClaim[] | undefined;
  /** The rule of its usage that the next version breaks, as a sentence; undefined for all but what an operator keeps so. */
  readonly flaw?: string | undefined;
  /** What the audit trail says of it, in the transaction of the write. */
  readonly audit?: AuditEntry | undefined;
  readonly outcome: Outcome;
}

/** What an operator did. */
export interface AuditEntry {
  readonly actor: string;
  readonly action: string;
  /** The XUI of whom it is about; '' where it is about nobody. */
  readonly subject: string;
  /** No contents, no secrets, and no identities but those of the subject, so that their erasure finds all of them. */
  readonly details: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export type Written<Outcome> =
  /** The entity tag is that of the new version; undefined where the document is gone. */
  | { readonly kind: 'written'; readonly outcome: Outcome; readonly entityTag: EntityTag | undefined }
  /** Nothing was written, because other documents claim these URIs or users have them. */
  | { readonly kind: 'taken'; readonly outcome: Outcome; readonly uris: readonly string[] };

/** The listed elements of all documents of a usage. */
export interface ListedElements {
  /** Another one whenever the elements are others. */
  readonly revision: string;
  /** In the order of their URIs; undefined where they are larger than `maximalListedBytes` in all. */
  readonly elements: readonly string[] | undefined;
}

/** Some 20,000 services of a usual size; a document made of more would stop a worker for seconds. */
export const maximalListedBytes = 8 * 1024 * 1024;

export interface DocumentStore {
  /** The current version, as of a moment after the call. */
  read(document: DocumentSelector): Promise<StoredDocument | undefined>;

  /**
   * Replaces the current version by what `change` makes of it, together with its claims. `change` is pure and may run
   * several times; its last run saw the very version that was replaced. What it throws is thrown here, and only when it
   * threw on the current version; then nothing was written.
   */
  write<Outcome>(
    document: DocumentSelector,
    author: Xui,
    change: (current: StoredDocument | undefined) => Change<Outcome>,
  ): Promise<Written<Outcome>>;

  /** The document that claims the URI. */
  claimant(uri: string): Promise<DocumentSelector | undefined>;

  /** Those of the URIs that nobody has at this moment. */
  freeUris(uris: readonly string[]): Promise<ReadonlySet<string>>;

  /** The elements behind the listed claims. Where `known` is still their revision, it is returned as it is. */
  listedElements(auid: string, known: ListedElements | undefined): Promise<ListedElements>;

  /** The documents in the user's homes, sorted by AUID and path. */
  home(xui: Xui): Promise<readonly HomeDocument[]>;
}

/** The store cannot be reached or does not answer. Whether a write that was under way took place is unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/**
 * Nothing was written, because the home is not what the writer took it for: `moved` where it is that of another
 * subscriber's identity now, `gone` where the subscriber was erased.
 */
export class HomeChanged extends Error {
  override readonly name = 'HomeChanged';

  constructor(readonly change: 'moved' | 'gone') {
    super(`the home has ${change === 'moved' ? 'moved' : 'gone'}`);
  }
}
