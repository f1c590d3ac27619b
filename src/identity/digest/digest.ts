/** HTTP Digest (RFC 7616) with the passwords of subscribers. */
import { randomBytes } from 'node:crypto';
import type { SecretBox } from '../../subscribers/secret-box.js';
import type { DigestSecret, SubscriberDirectory } from '../../subscribers/subscriber.js';
import type { Credentials, AuthenticationScheme } from '../authentication.js';
import { digestChallenge, isDigest, parseDigestAuthorization } from './header.js';
import { qops } from './response.js';
import { refused, verifyDigest, type DigestRules } from './verification.js';
import { realmOf } from '../passwords/realm.js';

export interface DigestOptions extends Omit<DigestRules, 'qops'> {
  readonly directory: Pick<SubscriberDirectory, 'digestSecret'>;
  readonly secretBox: SecretBox;
  /** For what belongs to no domain. Has no quotes and no backslash. */
  readonly defaultRealm: string;
}

/**
 * The realm is the domain of the user whose documents are asked for. Credentials for another realm of this server are
 * good as well: a client keeps those that it has when it goes on to the documents of somebody else (§5.11, §3.6).
 */
export function digest(options: DigestOptions): AuthenticationScheme {
  const { directory, secretBox, defaultRealm, nonces, algorithms } = options;
  const rules: DigestRules = { ...options, qops };
  const nobody = secretBox.seal(
    { xui: '', realm: '', username: '', algorithm: 'SHA-256', ha1: randomBytes(32).toString('hex') },
    secretBox.keyId,
  );
  return {
    name: 'digest',
    async identify(credentials) {
      const { authorization: header } = credentials.headers;
      if (!isDigest(header)) return { kind: 'none' };
      const authorization = parseDigestAuthorization(header);
      if (authorization === undefined) return refused('the header breaks the syntax, or has no qop');
      const { realm, username } = authorization;
      // GBA uses the same scheme, with `3GPP-bootstrapping@…`.
      if (realm.includes('@')) return { kind: 'none' };
      return verifyDigest(rules, credentials, authorization, async (algorithm) => {
        const secret: DigestSecret | undefined = await directory.digestSecret(realm, username, algorithm);
        const opened = secretBox.open(secret ?? nobody);
        if (opened === undefined)
          throw new Error('A digest secret cannot be decrypted with XCAP_SECRETS_KEY.');
        return { ha1: opened.ha1, identities: secret && [secret.xui] };
      });
    },
    challenges(credentials: Credentials, isStale) {
      const realm = realmOf(credentials, defaultRealm);
      const nonce = nonces.make(realm);
      return algorithms.map((algorithm) => digestChallenge({ realm, nonce, algorithm, qops, isStale }));
    },
  };
}
