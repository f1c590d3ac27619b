/** §5.7: authorization policies. A usage names one of them, or brings its own. */
import type { DocumentSelector, Operation, Principal } from './terms.js';

/** May this principal do this to that document? */
export type AuthorizationPolicy = (
  principal: Principal,
  operation: Operation,
  document: DocumentSelector,
) => boolean;

/**
 * The default: a user reads and writes what lies in his own home; the global tree is read by everyone and written by
 * nobody. Trusted elements read what their service needs.
 */
export const ownerAndTrustedElements: AuthorizationPolicy = (principal, operation, document) => {
  if (operation === 'write') return isOwner(principal, document);
  return document.tree === 'global' || isOwner(principal, document) || principal.isTrustedElement;
};

/** As by default, but the global tree is for trusted elements: it says something about users. */
export const globalTreeForTrustedElements: AuthorizationPolicy = (principal, operation, document) =>
  ownerAndTrustedElements(principal, operation, document) &&
  (document.tree === 'users' || principal.isTrustedElement);

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
