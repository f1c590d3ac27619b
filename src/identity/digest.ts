/** HTTP Digest (RFC 7616): the challenge. Responses to it are not verified yet, so nobody gets in by it. */
import { randomBytes } from 'node:crypto';
import type { IdentityMethod } from './authentication.js';

/** `realm` has no quotes and no backslash. */
export function digest(realm: string): IdentityMethod {
  return {
    name: 'digest',
    identify: () => Promise.resolve({ kind: 'none' }),
    // Handsets parse challenges by hand: no blanks inside values, one challenge a header.
    challenges: () => [
      `Digest realm="${realm}",nonce="${randomBytes(16).toString('hex')}",algorithm=MD5,qop="auth"`,
    ],
  };
}
