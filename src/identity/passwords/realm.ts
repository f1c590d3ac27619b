/** The realm of a password (RFC 9110 §11.5): the domain of its user. */
import type { Credentials } from '../authentication.js';

/** The domain may be anything that a path can hold: what is no name of a domain would break out of the header. */
export function realmOf({ domain }: Pick<Credentials, 'domain'>, defaultRealm: string): string {
  return domain !== undefined && /^[a-z0-9.-]+$/i.test(domain) ? domain : defaultRealm;
}

/** The realm of what belongs to no domain. */
export function defaultRealmOf({ defaultDomain }: { readonly defaultDomain: string | undefined }): string {
  return defaultDomain?.toLowerCase() ?? 'xcapd';
}
