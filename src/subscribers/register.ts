/**
 * The port of the management API: everything that is kept about subscribers, and how it changes. Each write is one
 * transaction together with its audit record. XUIs and identities are in canonical form.
 */
import type { AuditEntry } from '../xcap/document-store.js';
import type { EntityTag, UserDocumentSelector, DocumentSelector, Xui } from '../xcap/terms.js';
import type { DigestSecret, Grant, Quota, Role, Subscriber } from './subscriber.js';

/** All that the management API needs. */
export interface SubscriberRegister
  extends SubscriberRecords, CredentialRegister, GrantRegister, RoleRegister, DocumentRecords, AuditTrail {}

/** Who changes something, for the audit trail: the name of a token, never a person. */
export type Actor = string;

/** One page of a list that is sorted by a key. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** What to ask for the next page with; undefined on the last one. */
  readonly next: string | undefined;
}

export interface PageRequest {
  /** The `next` of the page before; undefined for the first page. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** Nobody but this subscriber may have it. */
export type ConflictCode = 'identity-taken' | 'impi-taken' | 'username-taken' | 'documents-in-the-way';

/** Something belongs to somebody else already; the message is a sentence that names it. */
export class SubscriberConflict extends Error {
  override readonly name = 'SubscriberConflict';

  constructor(
    readonly code: ConflictCode,
    message: string,
  ) {
    super(message);
  }
}

/**
 * What proves who a subscriber is. All of it is secret. Digest secrets are given to the register as they are; it seals them, and
 * gives them out sealed.
 */
export interface StoredCredentials {
  readonly digest: readonly Omit<DigestSecret, 'xui'>[];
  readonly passwordHash: string | undefined;
}

/** A name by which a subscriber logs in. */
export type Login = Pick<DigestSecret, 'realm' | 'username'>;

/** A subscriber as they are made. */
export interface NewSubscriber extends Omit<Subscriber, 'identities'> {
  /** Beside the XUI. */
  readonly otherIdentities: readonly Xui[];
  readonly credentials: StoredCredentials;
}

/** What can be changed of a subscriber; what is missing stays. */
export interface SubscriberChanges {
  readonly impi?: string | undefined;
  readonly isDisabled?: boolean;
  readonly profile?: string | undefined;
  readonly quota?: Partial<Quota>;
}

export interface SubscriberRecords {
  /** Makes those that nobody is in the way of; the answer has one item for each subscriber, in their order. */
  create(
    subscribers: readonly NewSubscriber[],
    actor: Actor,
  ): Promise<readonly (SubscriberConflict | undefined)[]>;
  /** The subscriber with that identity. */
  read(identity: Xui): Promise<Subscriber | undefined>;
  /** Whether somebody kept this spelling of a URI when all others got their one form, which was somebody else's. */
  isKeptSpelling(spelling: string): Promise<boolean>;
  /** Sorted by XUI: those with an identity that begins in one of these ways; all where there is none. */
  list(page: PageRequest, beginnings: readonly string[]): Promise<Page<Subscriber>>;
  /** How many subscribers have each of these profiles; without those that nobody has. */
  countWithProfiles(names: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /**
   * Whether there is such a subscriber.
   *
   * @param logins names that end with the change
   * @param check looks at what is changed, in the transaction of the change; what it throws, this throws
   * @throws SubscriberConflict
   */
  update(
    xui: Xui,
    changes: SubscriberChanges,
    logins: readonly Login[],
    actor: Actor,
    check?: (current: Subscriber) => void,
  ): Promise<boolean>;
  /**
   * Removes the subscriber and all that is known of them: documents and their versions, claims, credentials, grants by
   * and to them, roles. Their name in the versions of other users' documents and in the audit trail is taken out.
   *
   * @param check looks at the subscriber, if there is one, in the transaction of the erasure, where anything is stored of them;
   *   what it throws, this throws
   * @returns whether anything was stored
   */
  erase(xui: Xui, actor: Actor, check?: (current: Subscriber | undefined) => void): Promise<boolean>;
  /** Whether there is such a subscriber. @throws SubscriberConflict */
  addIdentity(xui: Xui, identity: Xui, actor: Actor): Promise<boolean>;
  /**
   * Takes an identity away, with the rights that others gave to it and with `logins`, the names that came from it.
   * Whether the subscriber had it; the XUI itself stays.
   */
  removeIdentity(xui: Xui, identity: Xui, logins: readonly Login[], actor: Actor): Promise<boolean>;
}

export interface CredentialRegister {
  /** Replaces all credentials. Whether there is such a subscriber. @throws SubscriberConflict */
  setCredentials(xui: Xui, credentials: StoredCredentials, actor: Actor): Promise<boolean>;
  credentials(xuis: readonly Xui[]): Promise<ReadonlyMap<Xui, StoredCredentials>>;
}

export interface GrantRegister {
  /** Undefined where there is no such owner. */
  createGrant(grant: Omit<Grant, 'id'>, actor: Actor): Promise<Grant | undefined>;
  /** Those of an owner, or those to somebody; sorted by id. Expired ones are among them. */
  listGrants(
    who: { readonly owner: Xui } | { readonly grantee: Xui },
    page: PageRequest,
  ): Promise<Page<Grant>>;
  deleteGrant(owner: Xui, id: string, actor: Actor): Promise<boolean>;
}

/** Who has which role. */
export interface RoleAssignment {
  readonly xui: Xui;
  readonly role: Role;
}

export interface RoleRegister {
  setRole(assignment: RoleAssignment, actor: Actor): Promise<void>;
  removeRole(xui: Xui, actor: Actor): Promise<boolean>;
  roleOf(xui: Xui): Promise<Role | undefined>;
  listRoles(page: PageRequest): Promise<Page<RoleAssignment>>;
}

/** A document without its content. */
export interface DocumentRecord {
  readonly document: UserDocumentSelector;
  readonly entityTag: EntityTag;
  readonly version: number;
  readonly bytes: number;
  readonly changedAt: string;
  /** The rule of its usage that it breaks, where it was kept so; undefined for all others. */
  readonly invalid: string | undefined;
}

/** One change of a document. */
export interface VersionRecord {
  readonly version: number;
  readonly entityTag: EntityTag;
  /** Undefined where the document was deleted. */
  readonly bytes: number | undefined;
  readonly author: Xui;
  readonly changedAt: string;
}

/** What a subscriber has stored, to compare with their quota. */
export interface Usage {
  readonly documents: number;
  readonly bytes: number;
}

/** Documents and their versions as they are stored, without the rules of their usages. */
export interface DocumentRecords {
  documentsOf(xui: Xui): Promise<readonly DocumentRecord[]>;
  usageOf(xui: Xui): Promise<Usage>;
  /** The latest first. */
  versions(document: DocumentSelector, page: PageRequest): Promise<Page<VersionRecord>>;
  /** The text of a version; undefined where there is none or it was a deletion. */
  versionText(document: DocumentSelector, version: number): Promise<string | undefined>;
  currentText(document: DocumentSelector): Promise<string | undefined>;
  /** Documents of the user that are gone and of which there are versions still. */
  deletedDocumentsOf(xui: Xui): Promise<readonly UserDocumentSelector[]>;
  /** How many documents there are of other usages than these, by AUID. Reads all documents. */
  countOfOtherUsages(auids: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The URIs that their documents claim. */
  claimsOf(xui: Xui): Promise<readonly string[]>;
}

/** Who did what when. */
export interface AuditRecord extends AuditEntry {
  readonly id: string;
  readonly at: string;
}

export interface AuditTrail {
  /** For what is written by other ways than this register, and for reading what is personal. */
  record(entry: AuditEntry): Promise<void>;
  /** The latest first; of one subject, or all. */
  auditRecords(page: PageRequest, subject: Xui | undefined): Promise<Page<AuditRecord>>;
}
