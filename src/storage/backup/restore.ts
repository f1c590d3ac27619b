/**
 * Reads a backup into a database, in one transaction: afterwards the database has what is in the backup and nothing else, or what
 * it had before. It gets the schema that the backup had first, and the migrations from there on when the rows are in.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { statementsOn, type DatabaseAddress } from '../database.js';
import { judgeRestored } from '../secrets/secrets-keys.js';
import { isServer } from '../secrets/server-names.js';
import { applyMigrations, newestSchema, schemaLock } from '../migrations.js';
import {
  beginning,
  copiedTable,
  copyText,
  end,
  headerPart,
  isFirstLine,
  sequencePosition,
  sequenceText,
  totalsOf,
  type BackupHeader,
  type BackupTotals,
  type CopiedTable,
} from './backup-format.js';
import { backupReader, cutShort, type BackupReader } from './backup-reader.js';
import { schemaVersionOf, sequencesIn, tablesIn, type Table } from './catalog.js';
import { onConnection } from './connection.js';

export interface RestoreOptions {
  readonly database: DatabaseAddress;
  readonly source: AsyncIterable<Buffer>;
  readonly migrationsFolder: string;
  /** Where secrets in the backup are encrypted, one of these has to be their key, if there is one. */
  readonly keys: Parameters<typeof judgeRestored>[1];
  /** Whether what the database has now may be deleted. */
  readonly replace: boolean;
  /** Is told the table that is at work, and how many bytes of it are read. */
  readonly onProgress?: (table: string, bytes: number) => void;
}

export interface Restored extends BackupTotals {
  readonly header: BackupHeader;
  /** The migrations that the backup lacked. */
  readonly migrations: readonly string[];
  /** What the operator should know of them, and of the key of the secrets. */
  readonly sentences: readonly string[];
}

/** @throws Error with a sentence; then the database is as it was */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const reader = backupReader(options.source);
  const header = await readHeader(reader);
  return onConnection(options.database, 'xcapd restore', async (client) => {
    await client.query('begin');
    // Servers that start wait until it is done.
    await client.query('select pg_advisory_xact_lock($1)', [schemaLock]);
    // Somebody else's transaction that does not end is to be an error.
    await client.query("set local lock_timeout to '30s'");
    await refuseWhileServersRun(client);
    await refuseNewerBackup(client, header, options.migrationsFolder);
    await emptyDatabase(client, header, options);
    const totals = await readContents(client, reader, options);
    const { applied, sentences } = await applyMigrations(client, options.migrationsFolder);
    const onSecrets = await judgeRestored(statementsOn(client), options.keys);
    await client.query('commit');
    return { ...totals, header, migrations: applied, sentences: [...sentences, ...onSecrets] };
  });
}

async function readHeader(reader: BackupReader): Promise<BackupHeader> {
  let line = await reader.line();
  if (!isFirstLine(line)) throw new Error('The file is no backup of xcapd.');
  let header: Partial<BackupHeader> = {};
  for (; line !== beginning; line = await reader.line()) {
    const part = line === undefined ? undefined : headerPart(line);
    if (part === undefined) throw cutShort();
    header = { ...header, ...part };
  }
  const { programVersion, schemaVersion } = header;
  if (programVersion === undefined || schemaVersion === undefined) throw cutShort();
  return { programVersion, schemaVersion };
}

/** Servers keep what they read for a moment, and would write between old and new. */
async function refuseWhileServersRun(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ place: string }>(
    "select distinct coalesce(host(client_addr), 'this machine') as place from pg_catalog.pg_stat_activity " +
      `where datname = current_database() and ${isServer} order by 1`,
  );
  if (rows.length === 0) return;
  const places = rows.map(({ place }) => place).join(', ');
  throw new Error(`Servers are connected to the database (from ${places}): stop them first.`);
}

async function refuseNewerBackup(
  client: pg.Client,
  { programVersion, schemaVersion }: BackupHeader,
  folder: string,
): Promise<void> {
  const newest = await newestSchema(client, folder);
  if (schemaVersion <= newest) return;
  throw new Error(
    `The backup has schema version ${schemaVersion}, this program knows ${newest} at most: ` +
      `restore it with xcapd ${programVersion} or a later one.`,
  );
}

/** Leaves a database with the schema of the backup, and no rows. */
async function emptyDatabase(
  client: pg.Client,
  { schemaVersion }: BackupHeader,
  { replace, migrationsFolder }: RestoreOptions,
): Promise<void> {
  const current = await schemaVersionOf(client);
  const tables = current === undefined ? [] : await tablesIn(client);
  if (!replace) await refuseData(client, tables);
  if (current === schemaVersion) {
    const names = tables.map(({ name }) => `xcapd.${name}`).join(', ');
    await client.query(`truncate table ${names}`);
    return;
  }
  await client.query('drop schema if exists xcapd cascade');
  await applyMigrations(client, migrationsFolder, schemaVersion);
}

/** What a server that never had a user writes into its database: keys. */
const tablesOfEmptyServer = ['server_keys', 'secrets_keys'];

async function refuseData(client: pg.Client, tables: readonly Table[]): Promise<void> {
  for (const { name, isUnlogged } of tables) {
    if (isUnlogged || tablesOfEmptyServer.includes(name)) continue;
    const { rows } = await client.query<{ found: boolean }>(
      `select exists (select from xcapd.${name}) as found`,
    );
    if (rows[0]?.found === true) {
      throw new Error(
        'The database has data: --replace deletes all of it and puts what is in the backup in its place.',
      );
    }
  }
}

async function readContents(
  client: pg.Client,
  reader: BackupReader,
  { onProgress }: RestoreOptions,
): Promise<BackupTotals> {
  const tables = new Map((await tablesIn(client)).map((table) => [table.name, table]));
  const sequences = new Set((await sequencesIn(client)).map(({ name }) => name));
  const read = { tables: 0, rows: 0 };
  for (let line = await reader.line(); line !== end; line = await reader.line()) {
    if (line === undefined) throw cutShort();
    const table = copiedTable(line);
    const position = sequencePosition(line);
    if (table !== undefined && hasColumns(tables.get(table.name), table)) {
      read.rows += await readTable(client, reader, table, onProgress);
      read.tables += 1;
    } else if (position !== undefined && sequences.has(position.name)) {
      await client.query(sequenceText(position));
    } else {
      throw new Error(
        `The backup has a line that its schema version has no place for: ${line.slice(0, 100)}`,
      );
    }
  }
  const said = totalsOf((await reader.line()) ?? '');
  // Read to its end, so that a compressed file has been checked as a whole.
  if (said === undefined || (await reader.line()) !== undefined) throw cutShort();
  if (said.tables !== read.tables || said.rows !== read.rows) {
    throw new Error(
      `The backup says that it has ${said.rows} rows in ${said.tables} tables, and has ${read.rows} in ${read.tables}; ` +
        'nothing was restored.',
    );
  }
  return read;
}

function hasColumns(table: Table | undefined, { columns }: CopiedTable): boolean {
  return columns.every((column) => table?.columns.includes(column) === true);
}

async function readTable(
  client: pg.Client,
  reader: BackupReader,
  table: CopiedTable,
  onProgress: RestoreOptions['onProgress'],
): Promise<number> {
  const target = client.query(copyFrom(copyText(table)));
  let bytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const rows of reader.rows()) {
      bytes += rows.length;
      onProgress?.(table.name, bytes);
      yield rows;
    }
  }
  await pipeline(Readable.from(counted()), target);
  return target.rowCount;
}
