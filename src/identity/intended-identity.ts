/** The identity that a client wants to be known by (3GPP TS 24.109 §7.2). */
import { Refusal } from '../xcap/refusal.js';
import type { Xui } from '../xcap/terms.js';
import { canonicalXui } from '../xcap/uri/xui.js';
import { parseIdentityList } from './asserted-identity.js';

export const intendedIdentityHeader = 'x-3gpp-intended-identity';

/**
 * The identities with the one of the header `X-3GPP-Intended-Identity` first, quoted or not. Without the header they stay
 * as they are.
 *
 * @param identities all of those who was authenticated, in canonical form
 * @throws Refusal where the header names somebody else
 */
export function chooseIdentity(
  identities: readonly [Xui, ...Xui[]],
  header: string | string[] | undefined,
  defaultDomain: string | undefined,
): readonly [Xui, ...Xui[]] {
  const intended = new Set(
    parseIdentityList(header).map((identity) => canonicalXui(identity, defaultDomain)),
  );
  const [chosen, ...more] = intended;
  if (chosen === undefined) return identities;
  if (more.length > 0 || !identities.includes(chosen)) {
    throw new Refusal(403, 'X-3GPP-Intended-Identity is none of the identities of who sends this request.');
  }
  return [chosen, ...identities.filter((identity) => identity !== chosen)];
}
