/** From the configuration to the identity methods that rest on passwords which this server knows. */
import type { Config } from '../config/config.js';
import type { IdentityMethod } from './authentication.js';
import { basic } from './passwords/basic.js';
import { digest, type DigestOptions } from './digest/digest.js';
import { secretBox } from './passwords/secrets.js';
import type { SubscriberDirectory } from '../subscribers/subscriber.js';

/** What methods share with the rest of the server. */
export interface PasswordParts extends Pick<DigestOptions, 'nonces' | 'counts' | 'uriStrictness'> {
  readonly directory: SubscriberDirectory;
}

/** Both are always there; whether they are on is another variable. */
export function passwordMethods(
  config: Config,
  parts: PasswordParts,
): Record<'digest' | 'basic', IdentityMethod> {
  const { defaultDomain, passwords } = config;
  const defaultRealm = defaultRealmOf(config);
  return {
    digest: digest({
      ...parts,
      defaultRealm,
      algorithms: passwords.digestAlgorithms,
      secretBox: secretBox(passwords.secretsKey),
    }),
    basic: basic({ ...parts, defaultRealm, defaultDomain }),
  };
}

/** The realm of what belongs to no domain. */
export function defaultRealmOf({ defaultDomain }: Config): string {
  return defaultDomain?.toLowerCase() ?? 'xcapd';
}
