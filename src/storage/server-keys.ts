/** Keys that all processes on one database share. */
import { randomBytes } from 'node:crypto';
import type { PipelinedClient } from './pipelined-client.js';

/** Reads the key of that name; whoever comes first makes it. */
export async function readServerKey(client: PipelinedClient, name: string): Promise<Uint8Array> {
  const known = await selectKey(client, name);
  if (known !== undefined) return known;
  // Of several processes that start at once, one inserts; the others read what it inserted.
  await client.query({
    text: 'insert into xcapd.server_keys (name, key) values ($1, $2) on conflict (name) do nothing',
    values: [name, randomBytes(32)],
  });
  const made = await selectKey(client, name);
  if (made === undefined) throw new Error(`The database did not keep the key '${name}'.`);
  return made;
}

async function selectKey(client: PipelinedClient, name: string): Promise<Uint8Array | undefined> {
  const { rows } = await client.query<{ key: Buffer }>({
    text: 'select key from xcapd.server_keys where name = $1',
    values: [name],
  });
  return rows[0]?.key;
}
