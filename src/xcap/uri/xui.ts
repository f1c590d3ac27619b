/** §6.2: XCAP User Identifiers. */
import type { Xui } from '../terms.js';

const schemePattern = /^([a-z][a-z0-9+.-]*):(.*)$/is;

/**
 * The one form of an XUI that is stored and compared. `alice@example.com` and `sip:alice@example.com` are one user; the
 * scheme and the domain compare without case; a password in the userinfo (some handsets send their call-barring
 * password there) is dropped, so that it is neither stored nor logged. So are the visual separators of telephone numbers
 * and `;user=phone`, which say nothing about who it is; other parameters stay, because the URIs of services have some. An
 * identifier without scheme and domain gets `defaultDomain` where there is one, and stays as it is otherwise (MCX device
 * identifiers are such).
 */
export function canonicalXui(identifier: string, defaultDomain?: string): Xui {
  const [, scheme, rest] = schemePattern.exec(identifier) ?? [];
  if (rest !== undefined && scheme !== undefined && isUriScheme(scheme)) {
    const canonicalRest = /^tel$/i.test(scheme) ? withoutVisualSeparators(rest) : canonicalUserAtDomain(rest);
    return `${scheme.toLowerCase()}:${canonicalRest}`;
  }
  if (identifier.includes('@')) return `sip:${canonicalUserAtDomain(identifier)}`;
  if (defaultDomain !== undefined && defaultDomain !== '' && !identifier.includes(':')) {
    return `sip:${identifier}@${defaultDomain.toLowerCase()}`;
  }
  return identifier;
}

/** `user:password@domain` has what looks like a scheme: only these are schemes of public identities. */
function isUriScheme(scheme: string): boolean {
  return ['sip', 'sips', 'tel', 'im', 'pres', 'xmpp', 'mailto', 'urn', 'http', 'https'].includes(
    scheme.toLowerCase(),
  );
}

function canonicalUserAtDomain(userAtDomain: string): string {
  const at = userAtDomain.lastIndexOf('@');
  if (at < 0) return userAtDomain;
  const [user = ''] = userAtDomain.slice(0, at).split(':');
  const [domain = ''] = /^[^;?]*/.exec(userAtDomain.slice(at + 1)) ?? [];
  const parameters = userAtDomain.slice(at + 1 + domain.length).replace(/;user=phone(?=[;?]|$)/gi, '');
  return `${user}@${domain.toLowerCase()}${parameters}`;
}

/** RFC 3966 §3: separators do not count. Dots and hyphens in the parameters do: those may be domains. */
function withoutVisualSeparators(telephone: string): string {
  const [number = ''] = /^[^;]*/.exec(telephone) ?? [];
  return `${number.replace(/[-.() ]/g, '')}${telephone.slice(number.length)}`;
}
