/** What can be the identity of a subscriber, and how people write the one that they look for. */
import type { Xui } from '../xcap/terms.js';
import { addressFault } from '../xcap/uri/address-fault.js';
import { addressParts, canonicalXui, writtenUri } from '../xcap/uri/xui.js';

const forms: readonly RegExp[] = [
  /^(?:urn|https?):\S+$/,
  // Devices, and private identities.
  /^[\w.~*!+-]+$/,
];

/** A sentence on why nobody can have that identity, or undefined. */
export function identityFault(given: string, defaultDomain?: string): string | undefined {
  const identity = canonicalXui(given, defaultDomain);
  const [scheme] = /^(?:sips?|im|pres|xmpp|mailto|tel):/.exec(identity) ?? [];
  if (scheme === undefined) {
    if (forms.some((form) => form.test(identity))) return undefined;
    return (
      `'${identity}' is not the identity of anybody. It has to be a URI, such as sip:alice@example.com or tel:+15550100, ` +
      'or the name of a device without blanks.'
    );
  }
  // What is kept is read again where it is imported, and has fewer escapes there.
  const fault = faultAsWritten(given) ?? addressFault(identity) ?? faultOfIdentity(scheme, identity);
  return fault && `'${identity}' is not the identity of anybody, because ${fault}.`;
}

/** A name without scheme and domain gets both by the configuration. */
function faultAsWritten(given: string): string | undefined {
  const { scheme, rest } = writtenUri(given);
  return scheme === undefined && addressParts(rest).user === undefined ? undefined : addressFault(given);
}

/** What others of these URIs may be: a server has no name, and no identity has headers (RFC 3261 §19.1.1, Table 1). */
function faultOfIdentity(scheme: string, identity: Xui): string | undefined {
  if (scheme === 'tel:') return undefined;
  const { user, tail } = addressParts(writtenUri(identity).rest);
  if (tail.includes('?')) return 'it has headers';
  return user === undefined && !scheme.startsWith('sip') ? 'it has no name' : undefined;
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
