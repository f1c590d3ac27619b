/** From the identities of a request to the principal that policies judge. */
import type { Principal, Xui } from '../xcap/terms.js';

/** @param trustedElements canonical XUIs */
export function principalOf(
  identities: readonly [Xui, ...Xui[]],
  trustedElements: readonly Xui[],
): Principal {
  return { xuis: identities, isTrustedElement: trustedElements.some((xui) => identities.includes(xui)) };
}
