/**
 * The names under which servers are connected to the database. They say which keys of secrets a server has, so that none begins to
 * use a key while another one runs that could not read what it writes.
 */
import type { Query } from '../database.js';

const prefix = 'xcapd secrets=';
/** PostgreSQL cuts names after 63 bytes. So much tells keys from each other. */
const idCharacters = 16;

/** The name (`application_name`) of the connections of a server with these keys. */
export function serverName(keyIds: readonly string[]): string {
  return prefix + keyIds.map(shortId).join(',');
}

function shortId(keyId: string): string {
  return keyId.slice(0, idCharacters);
}

/** For `pg_stat_activity`: the connection is one of a server. Those of releases before schema version 11 say no more than that. */
export const isServer = `(application_name = 'xcapd' or starts_with(application_name, '${prefix}'))`;

/** From where servers are connected that have this key (or do not have it), each once. */
export async function serversBy(query: Query, hasKey: boolean, keyId: string): Promise<string[]> {
  const rows = await query<{ place: string }>({
    text:
      "select distinct coalesce(host(client_addr), 'this machine') as place from pg_catalog.pg_stat_activity " +
      `where datname = current_database() and ${isServer} and (position($1 in application_name) > 0) = $2 order by 1`,
    values: [shortId(keyId), hasKey],
  });
  return rows.map(({ place }) => place);
}
