/**
 * The words of RFC 4825, once and unabbreviated. Everything in this folder uses them as they stand here.
 *
 * - XCAP root (§6.1): the path below which all XCAP resources of this server lie.
 * - application usage, AUID (§5.1): a document type with its rules, and its name.
 * - XUI, XCAP User Identifier (§6.2): the name of the user below whose home directory a document lies.
 * - document selector (§6.2): AUID, tree, XUI and path, which name one document.
 * - node selector (§6.3): the part behind `/~~/`, which names an element, an attribute or namespace bindings.
 * - default document namespace (§5.2): the namespace of unprefixed element names in a node selector.
 * - entity tag (§8.5): one for a document and everything in it, new on every change.
 */
import type { ExpandedName } from '../xml/source-tree.js';

export type { ExpandedName, SourceAttribute, SourceElement, SourceTree } from '../xml/source-tree.js';

/** A canonical XCAP User Identifier, see `canonicalXui`. */
export type Xui = string;

/** The entity tag of a document, without the quotes. */
export type EntityTag = string;

/** §6.2: which document. `path` holds the decoded segments behind the XUI or `global`; the last is the document's name. */
export type DocumentSelector = UserDocumentSelector | GlobalDocumentSelector;

export interface UserDocumentSelector {
  readonly tree: 'users';
  readonly auid: string;
  readonly xui: Xui;
  readonly path: readonly [string, ...string[]];
}

export interface GlobalDocumentSelector {
  readonly tree: 'global';
  readonly auid: string;
  readonly path: readonly [string, ...string[]];
}

/** §6.3: one step to a child element. */
export interface Step {
  /** The expanded name, or '*' for any. */
  readonly name: ExpandedName | '*';
  readonly position?: number;
  readonly attribute?: { readonly name: ExpandedName; readonly value: string };
}

/** §6.3: which node of a document. */
export type NodeSelector =
  | { readonly kind: 'element'; readonly steps: readonly [Step, ...Step[]] }
  | {
      readonly kind: 'attribute';
      readonly steps: readonly [Step, ...Step[]];
      readonly attribute: ExpandedName & { readonly prefix: string };
    }
  | { readonly kind: 'namespace-bindings'; readonly steps: readonly [Step, ...Step[]] };

/** §6.4: prefixes bound by the query component. */
export type NamespaceBindings = ReadonlyMap<string, string>;

/** What an authorization policy decides about (§5.7). */
export type Operation = 'read' | 'write';

/** Who asks. */
export interface Principal {
  /** Every XUI that the authentication vouches for. The first is the one that records show. */
  readonly xuis: readonly [Xui, ...Xui[]];
  /** What the operator made of this principal, beside a subscriber. */
  readonly role: Role | undefined;
  /** The AUIDs of which this principal reads and writes the documents of all users. Default: none. */
  readonly writableUsages?: readonly string[];
  /** What the credentials allow at most: a token may be for reading only. */
  readonly access: Access;
}

/**
 * - trusted-element: an RLS, a presence server, an application server; reads what its service needs.
 * - administrator: reads and writes everything.
 * - support: reads everything.
 */
export type Role = 'trusted-element' | 'administrator' | 'support';

export type Access = 'read-write' | 'read' | 'write';

/** A document as a listing of its home tells of it. */
export interface HomeDocument {
  readonly auid: string;
  /** The document selector, percent-encoded, relative to the XCAP root. */
  readonly selector: string;
  readonly entityTag: EntityTag;
  /** Of the last change: RFC 3339, UTC. Undefined where the user has not changed yet what was provisioned for them. */
  readonly lastModified: string | undefined;
  /** The length of the document. */
  readonly bytes: number;
}
