/** TLS client certificates: the subjectAltName URIs of a certificate are the identities (RFC 5922 §7.1). */
import { canonicalXui } from '../xcap/uri/xui.js';
import type { AuthenticationScheme } from './authentication.js';

const identityScheme = /^(sips?|tel|im|pres|xmpp|mailto):[!-~]+$/i;

/** Believes certificates that the listener has verified; URIs that are no identities (`urn:uuid:…`) do not matter. */
export function certificate(): AuthenticationScheme {
  return {
    name: 'certificate',
    async identify({ certificateUris }) {
      const uris = certificateUris.filter((uri) => identityScheme.test(uri));
      const [first, ...others] = new Set(uris.map((uri) => canonicalXui(uri)));
      if (first === undefined) return { kind: 'none' };
      return { kind: 'identified', identities: [first, ...others], access: 'read-write', headers: {} };
    },
    challenges: () => [],
  };
}

/**
 * The URIs of a subjectAltName as Node.js prints it: `DNS:a.example, URI:sip:alice@example.com`. A name with a comma, a
 * quote or a control character is printed as a JSON string, so that it cannot look like several names. Text that is not
 * of this form yields none at all: half of it may be what a forger wants to be read.
 */
export function alternativeUris(subjectAltName: string): string[] {
  const entry = /([A-Za-z][A-Za-z ]*):(?:"((?:[^"\\]|\\.)*)"|([^",]*))(, |$)/gy;
  const uris: string[] = [];
  let isLast = subjectAltName === '';
  while (!isLast) {
    const [, type, quoted, bare, separator] = entry.exec(subjectAltName) ?? [];
    if (type === undefined) return [];
    // A quoted name has what no URI of a user has.
    if (type === 'URI' && quoted === undefined && bare !== undefined) uris.push(bare);
    isLast = separator === '';
  }
  return uris;
}
