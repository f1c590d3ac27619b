/** Writes a backup: all tables, as they were at one moment. Servers go on meanwhile. */
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { DatabaseAddress } from '../database.js';
import { schemaLock } from '../migrations.js';
import {
  copyText,
  endOfRows,
  headerText,
  sequenceText,
  totalsText,
  type BackupTotals,
} from './backup-format.js';
import { schemaVersionOf, sequencesIn, tablesIn, type Table } from './catalog.js';
import { onConnection } from './connection.js';

export interface BackupOptions {
  readonly database: DatabaseAddress;
  readonly programVersion: string;
  /** Waits until there is room for more. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Is told the table that is at work, and how many bytes of it are written. */
  readonly onProgress?: (table: string, bytes: number) => void;
}

/** @throws Error with a sentence where the database has no schema of ours */
export async function backUp(options: BackupOptions): Promise<BackupTotals> {
  return onConnection(options.database, 'xcapd backup', async (client) => {
    const { schemaVersion, tables } = await openSnapshot(client);
    const write = (text: string) => options.write(Buffer.from(text));
    await write(headerText({ programVersion: options.programVersion, schemaVersion }, new Date()));
    let rows = 0;
    for (const table of tables) rows += await writeTable(client, table, options);
    for (const position of await sequencesIn(client)) await write(sequenceText(position));
    const totals = { tables: tables.length, rows };
    await write(totalsText(totals));
    return totals;
  });
}

/** While the tables are looked up and locked no migration changes them; afterwards it waits for those that it changes. */
async function openSnapshot(client: pg.Client): Promise<{ schemaVersion: number; tables: Table[] }> {
  await client.query('select pg_advisory_lock_shared($1)', [schemaLock]);
  const schemaVersion = await schemaVersionOf(client);
  if (schemaVersion === undefined) throw new Error('The database has no data of xcapd.');
  const tables = (await tablesIn(client)).filter(({ isUnlogged }) => !isUnlogged);
  const names = tables.map(({ name }) => `xcapd.${name}`).join(', ');
  await client.query('begin isolation level repeatable read read only');
  await client.query(`lock table ${names} in access share mode`);
  // The first query takes the snapshot.
  await client.query('select pg_advisory_unlock_shared($1)', [schemaLock]);
  return { schemaVersion, tables };
}

async function writeTable(
  client: pg.Client,
  table: Table,
  { write, onProgress }: BackupOptions,
): Promise<number> {
  const { name, columns, key } = table;
  await write(Buffer.from(copyText(table)));
  // In an order of its own, so that two backups of the same data are the same text.
  const order = key.length === 0 ? '' : ` order by ${key.join(', ')}`;
  const rows = client.query(
    copyTo(`copy (select ${columns.join(', ')} from xcapd.${name}${order}) to stdout`),
  );
  let bytes = 0;
  let count = 0;
  for await (const chunk of rows as AsyncIterable<Buffer>) {
    await write(chunk);
    bytes += chunk.length;
    count += lineEndsIn(chunk);
    onProgress?.(name, bytes);
  }
  await write(Buffer.from(endOfRows));
  return count;
}

/** Within rows they are escaped. The stream ends before the server has said how many rows there were. */
function lineEndsIn(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', at + 1)) count += 1;
  return count;
}
