/** What the operations take and give, beside the document itself. */
import type { Grant } from './policy/authorization.js';
import type { Conditions } from './document/conditions.js';
import type { DocumentMaker } from './document-maker.js';
import type { DocumentStore } from './document-store.js';
import type { LoadedUsage } from './usage/loaded-usage.js';
import type { Conflict } from './refusal.js';
import type { EntityTag, Principal, Xui } from './terms.js';
import type { XcapUri } from './uri/uri.js';

/** What the operations work with. */
export interface Xcap {
  readonly store: DocumentStore;
  readonly maker: DocumentMaker;
  /** The grants of that owner to any of these identities that have not expired. */
  readonly grantsOf: (owner: Xui, grantees: readonly Xui[]) => Promise<readonly Grant[]>;
  readonly maximalDocumentBytes: number;
  readonly strictMediaTypes: boolean;
  /** Without a trailing slash; the first is the primary one. */
  readonly xcapRoots: readonly string[];
}

/** A request whose sender is known. */
export interface XcapRequest {
  readonly principal: Principal;
  readonly uri: XcapUri;
  readonly usage: LoadedUsage;
  readonly conditions: Conditions;
}

export interface GetRequest extends XcapRequest {
  /** Does the client prefer content of that media type to the document of the other type that carries it? */
  readonly prefers: (contentType: string, documentType: string) => boolean;
}

export interface PutRequest extends XcapRequest {
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

/** §8.3: a representation, or 304. */
export type ReadResult = (Representation & { readonly status: 200 }) | NotModified;

export interface Representation {
  readonly entityTag: EntityTag;
  readonly mediaType: string;
  readonly body: string | Buffer;
  /** There is another representation, for clients that accept another media type. */
  readonly isNegotiated?: true;
  /** Carried content is what its writer says it is, and nothing else. */
  readonly isCarriedContent?: true;
}

interface NotModified {
  readonly status: 304;
  readonly entityTag: EntityTag;
}

/** §8.2, §8.4: the entity tag is missing where the document is gone. */
export interface WriteResult {
  readonly status: 200 | 201;
  readonly entityTag: EntityTag | undefined;
}

/** A document that is written although it may break the rules of its usage. */
export interface KeepResult extends WriteResult {
  /** The rule that it breaks. */
  readonly flaw?: Conflict;
}
