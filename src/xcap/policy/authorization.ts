/** §5.7: authorization policies, of which a usage names one or brings its own, and the decision. */
import type { DocumentSelector, Operation, Principal, Xui } from '../terms.js';
import { encodeSegment } from '../uri/percent-encoding.js';

/** May this principal do this to that document? */
export type AuthorizationPolicy = (
  principal: Principal,
  operation: Operation,
  document: DocumentSelector,
) => boolean;

/** What the owner of documents lets somebody else do with them. */
export interface Grant {
  readonly owner: Xui;
  readonly grantee: Xui;
  /** Undefined for all usages. */
  readonly auid: string | undefined;
  /** The percent-encoded path below the home directory; undefined for all documents of the usage. */
  readonly path: string | undefined;
  /** Who may write may read, too. */
  readonly access: Operation;
}

/**
 * The decision: by what the credentials allow, the role, the policy of the usage, and the grants (those that have not
 * expired).
 */
export function isPermitted(
  principal: Principal,
  operation: Operation,
  document: DocumentSelector,
  policy: AuthorizationPolicy,
  grants: readonly Grant[],
): boolean {
  if (!['read-write', operation].includes(principal.access)) return false;
  if (principal.role === 'administrator') return true;
  if (principal.role === 'support' && operation === 'read') return true;
  if (document.tree === 'users' && principal.writableUsages?.includes(document.auid) === true) return true;
  if (policy(principal, operation, document)) return true;
  return grants.some((grant) => covers(grant, principal, operation, document));
}

function covers(
  { owner, grantee, auid, path, access }: Grant,
  { xuis }: Principal,
  operation: Operation,
  document: DocumentSelector,
): boolean {
  return (
    document.tree === 'users' &&
    document.xui === owner &&
    xuis.includes(grantee) &&
    (access === 'write' || operation === 'read') &&
    (auid === undefined || auid === document.auid) &&
    (path === undefined || path === document.path.map(encodeSegment).join('/'))
  );
}

/**
 * The default: a user reads and writes what lies in their own home; the global tree is read by everyone and written by
 * nobody. Trusted elements read what their service needs.
 */
export const ownerAndTrustedElements: AuthorizationPolicy = (principal, operation, document) => {
  if (operation === 'write') return isOwner(principal, document);
  return document.tree === 'global' || isOwner(principal, document) || isTrustedElement(principal);
};

/** As by default, but the global tree is for trusted elements: it says something about users. */
export const globalTreeForTrustedElements: AuthorizationPolicy = (principal, operation, document) =>
  ownerAndTrustedElements(principal, operation, document) &&
  (document.tree === 'users' || isTrustedElement(principal));

/** Everyone reads; the owner writes. */
export const readableByEveryone: AuthorizationPolicy = (principal, operation, document) =>
  operation === 'read' || isOwner(principal, document);

/** Everyone reads; no user writes. */
export const readOnly: AuthorizationPolicy = (_principal, operation) => operation === 'read';

/** The owner and trusted elements read; no user writes. */
export const readableByOwner: AuthorizationPolicy = (principal, operation, document) =>
  operation === 'read' && ownerAndTrustedElements(principal, operation, document);

function isOwner(principal: Principal, document: DocumentSelector): boolean {
  return document.tree === 'users' && principal.xuis.includes(document.xui);
}

function isTrustedElement({ role }: Principal): boolean {
  return role === 'trusted-element';
}
