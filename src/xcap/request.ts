/** What the operations take and give, beside the document itself. */
import type { Admits } from './admission.js';
import type { Conflict } from './conflict.js';
import type { Grant } from './policy/authorization.js';
import type { Conditions } from './document/conditions.js';
import type { Preference, Representation } from './document/representation.js';
import type { DocumentMaker } from './document-maker.js';
import type { AuditEntry, DocumentStore } from './document-store.js';
import type { LoadedUsage } from './usage/loaded-usage.js';
import type { EntityTag, Principal, Xui } from './terms.js';
import type { XcapUri } from './uri/uri.js';

/** What the operations work with. */
export interface Xcap {
  readonly store: DocumentStore;
  readonly maker: DocumentMaker;
  /** The grants of that owner to any of these identities that have not expired. */
  readonly grantsOf: (owner: Xui, grantees: readonly Xui[]) => Promise<readonly Grant[]>;
  readonly admits: Admits;
  readonly spend: Spend;
  readonly maximalDocumentBytes: number;
  readonly strictMediaTypes: boolean;
  /** Without a trailing slash; the first is the primary one. */
  readonly xcapRoots: readonly string[];
  /** The names of this server, where the operator has said them. */
  readonly hostnames: readonly string[];
}

/**
 * Does work on a text of so many characters at the expense of who wants it, since it is long where the text is. It is done in any
 * case.
 */
export type Spend = <T>(principal: Principal, characters: number, work: () => T) => T;

/** A request whose sender is known. */
export interface XcapRequest {
  readonly principal: Principal;
  readonly uri: XcapUri;
  readonly usage: LoadedUsage;
  readonly conditions: Conditions;
  /** What the audit trail says of a write, which may have a flaw. By default it says nothing. */
  readonly audit?: (flaw: Conflict | undefined) => AuditEntry;
}

export interface GetRequest extends XcapRequest, Pick<Preference, 'prefers'> {}

export interface PutRequest extends XcapRequest {
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
  /**
   * A document that breaks the schema, uniqueness or constraints of its usage is stored as well: with that flaw, and
   * without claims. Whatever else refuses a document refuses it all the same: the fence, its place, quotas, and what is
   * provisioned.
   */
  readonly keepsInvalid?: boolean;
}

/** §8.3: a representation, or 304. */
export type ReadResult = (Representation & { readonly status: 200 }) | NotModified;

interface NotModified {
  readonly status: 304;
  readonly entityTag: EntityTag;
}

/** §8.2, §8.4: the entity tag is missing where the document is gone. */
export interface WriteResult {
  readonly status: 200 | 201;
  readonly entityTag: EntityTag | undefined;
  /** The rule of its usage that the document breaks and with which it was stored all the same. */
  readonly flaw?: Conflict;
}
