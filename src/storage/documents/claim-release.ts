/** The end of claims to URIs that become the identities of a subscriber. */
import { randomBytes } from 'node:crypto';
import type { Query } from '../database.js';
import type { DocumentKey } from './key.js';

/**
 * To be asked under `lockNames`. The documents stay as they are: their next version has to do without the URI.
 *
 * @returns the documents that claimed one of them
 */
export async function releaseClaims(query: Query, uris: readonly string[]): Promise<DocumentKey[]> {
  const released = await query<DocumentKey & { is_listed: boolean }>({
    text:
      'delete from xcapd.claims where uri = any($1::text[]) ' +
      'returning xui, auid, path, element is not null as is_listed',
    values: [uris],
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
