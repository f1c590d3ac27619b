/** §5.7: the authorization policy of application usages that define none. */
import type { AuthorizationPolicy } from './application-usage.js';

/** A user reads and writes what lies in his own home; the global tree is read by everyone and written by nobody. */
export const defaultAuthorizationPolicy: AuthorizationPolicy = (principal, operation, document) =>
  document.tree === 'users' ? principal.xuis.includes(document.xui) : operation === 'read';
