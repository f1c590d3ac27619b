/** The end of claims to URIs that become the identities of a subscriber. */
import { randomBytes } from 'node:crypto';
import type { Query } from '../database.js';
import type { DocumentKey } from './key.js';

/**
 * Of claims that lead to one of the identities there stay those of an owner who has the address as well, unless they are the
 * identity itself. To be asked under `lockNames`, when the identities are there and their documents adopted. The documents stay
 * as they are: their next version has to do without the URI.
 *
 * @returns the documents whose claims have ended
 */
export async function releaseClaims(query: Query, identities: readonly string[]): Promise<DocumentKey[]> {
  const released = await query<DocumentKey & { is_listed: boolean }>({
    text:
      'with ended as (select distinct claims.uri from unnest($1::text[]) as given (identity) ' +
      'join xcapd.claims on xcapd.address_of(claims.uri) = xcapd.address_of(given.identity) ' +
      'where claims.uri = given.identity or not exists (select from xcapd.identities where ' +
      'identities.xui = claims.xui and xcapd.address_of(identities.identity) = xcapd.address_of(claims.uri))) ' +
      'delete from xcapd.claims where uri in (select uri from ended) ' +
      'returning xui, auid, path, element is not null as is_listed',
    values: [identities],
  });
  const listings = released.filter(({ is_listed }) => is_listed).map(({ auid }) => auid);
  if (listings.length > 0) {
    await query({
      text: 'update xcapd.listed_claims_revisions set revision = $2 where auid = any($1::text[])',
      values: [listings, randomBytes(12).toString('base64url')],
    });
  }
  return released.map(({ xui, auid, path }) => ({ xui, auid, path }));
}
