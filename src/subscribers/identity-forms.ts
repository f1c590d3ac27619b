/** What can be the identity of a subscriber, and how people write the one that they look for. */
import type { Xui } from '../xcap/terms.js';
import { canonicalXui } from '../xcap/uri/xui.js';

const host = String.raw`(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])`;
const patterns: readonly RegExp[] = [
  // RFC 3261 §25.1 and likewise the other schemes of addresses; a server has no user part.
  new RegExp(String.raw`^(?:sips?|im|pres|xmpp|mailto):(?:[^@\s%]|%[0-9A-F]{2})+@${host}(?::\d+)?(?:;\S*)?$`),
  new RegExp(String.raw`^sips?:${host}(?::\d+)?(?:;\S*)?$`),
  // RFC 3966 §3.
  /^tel:\+?[\da-f*#]+(?:;\S*)?$/,
  /^(?:urn|https?):\S+$/,
  // Devices, and private identities.
  /^[\w.~*!+-]+$/,
];

/** A sentence on why nobody can have that identity, which is in canonical form, or undefined. */
export function identityFault(identity: Xui): string | undefined {
  if (patterns.some((pattern) => pattern.test(identity))) return undefined;
  return (
    `'${identity}' is not the identity of anybody. It has to be a URI, such as sip:alice@example.com or tel:+15550100, ` +
    'or the name of a device without blanks.'
  );
}

/**
 * The canonical forms of what somebody may mean by a text, the likeliest first: as it stands, without its scheme, and as a
 * telephone number where it is one.
 */
export function identitiesMeant(given: string, defaultDomain: string | undefined): readonly Xui[] {
  const text = given.trim();
  const bare = text.replace(/^(?:sips?|tel):/i, '');
  const meant = [text, bare, ...(isNumber(bare) ? [`tel:${bare}`] : [])];
  return [...new Set(meant.map((one) => canonicalXui(one, defaultDomain)))];
}

/** How identities may begin that somebody means by a text. */
export function beginningsMeant(given: string): readonly string[] {
  if (given.includes(':')) return [given];
  const number = given.replace(/[-.() ]/g, '');
  return [`sip:${given}`, ...(/^\+?\d*$/.test(number) ? [`tel:${number}`] : []), given];
}

function isNumber(text: string): boolean {
  return /^\+?[\d() .-]+$/.test(text) && /\d/.test(text);
}
