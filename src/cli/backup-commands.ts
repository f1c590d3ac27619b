/** `backup` and `restore`: the whole database, without the programs of PostgreSQL. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { migrationsFolder } from '../package-files.js';
import { messageOf, refused, wrongUsage } from './command-error.js';
import { addHelp } from './help.js';
import { print, progress } from './output.js';
import { writeAll } from './private-file.js';
import { configuration } from './server-commands.js';

interface BackupOptions {
  readonly progress?: true;
}

interface RestoreOptions extends BackupOptions {
  readonly replace?: true;
}

export function addBackupCommands(program: Command): void {
  const backupCommand = program
    .command('backup')
    .description(
      'write all tables of the database as they are at this moment; servers may go on. The file is as secret as they are',
    )
    .argument('<file>', 'where to, compressed where the name ends in .gz; - for standard output')
    .option('--progress', 'show the progress also where standard error is no terminal')
    .action((file: string, options: BackupOptions) => runBackup(file, options, program.version() ?? ''));
  addHelp(backupCommand, [
    'xcapd backup /var/backups/xcapd-$(date +%F).sql.gz',
    'XCAP_DATA_DIR=/var/lib/xcapd xcapd backup - | ssh backup.example.com "cat > xcapd.sql"',
    'DATABASE_URL=postgres://xcapd@db/xcapd xcapd backup xcapd.sql.gz',
  ]);

  const restoreCommand = program
    .command('restore')
    .description(
      'put a backup into a database that has no data, and bring it to the schema of this program; no server may run',
    )
    .argument('<file>', 'as backup wrote it; - for standard input')
    .option('--replace', 'delete what the database has now')
    .option('--progress', 'show the progress also where standard error is no terminal')
    .action(runRestore);
  addHelp(restoreCommand, [
    'xcapd restore /var/backups/xcapd-2027-01-31.sql.gz',
    'xcapd restore --replace xcapd.sql.gz',
    'DATABASE_URL=postgres://xcapd@db/xcapd xcapd restore - < xcapd.sql',
  ]);
}

async function runBackup(file: string, options: BackupOptions, programVersion: string): Promise<void> {
  const { withExistingDatabase } = await import('../processes/command-database.js');
  const { backUp } = await import('../storage/backup/backup.js');
  const line = progress(options.progress === true);
  const totals = await withExistingDatabase(await configuration(), async (database) => {
    let result = { tables: 0, rows: 0 };
    await writeAll(file, async (write) => {
      const output = compressed(file, write);
      result = await backUp({
        database,
        programVersion,
        write: (bytes) => output.write(bytes),
        onProgress: (table, bytes) => line.show(`${table}: ${megabytes(bytes)}`),
      });
      await output.end();
    });
    return result;
  }).finally(() => line.end());
  const text = `${totals.rows} rows of ${totals.tables} tables were written${file === '-' ? '' : ` to ${file}`}.\n`;
  if (file === '-') process.stderr.write(text);
  else await print(text);
}

interface Output {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

function compressed(file: string, write: (bytes: Uint8Array) => Promise<void>): Output {
  if (!file.endsWith('.gz')) return { write, end: () => Promise.resolve() };
  const gzip = createGzip();
  const written = pipeline(gzip, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) await write(chunk);
  });
  // Where it fails, so does the next write.
  written.catch(() => undefined);
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        gzip.write(bytes, (error) => (error == null ? resolve() : reject(error)));
      }),
    end() {
      gzip.end();
      return written;
    },
  };
}

async function runRestore(file: string, options: RestoreOptions): Promise<void> {
  const { withOwnDatabase } = await import('../processes/command-database.js');
  const { restore } = await import('../storage/backup/restore.js');
  const source = await openSource(file);
  const line = progress(options.progress === true);
  const config = await configuration();
  const restored = await withOwnDatabase(config, (database) =>
    restore({
      database,
      source,
      migrationsFolder,
      keys: config.passwords,
      replace: options.replace === true,
      onProgress: (table, bytes) => line.show(`${table}: ${megabytes(bytes)}`),
    }),
  ).finally(() => line.end());
  const { rows, tables, migrations, sentences } = restored;
  await print(`${rows} rows of ${tables} tables were restored.\n`);
  if (migrations.length > 0) await print(`Applied: ${migrations.join(', ')}\n`);
  for (const sentence of sentences) process.stderr.write(`${sentence}\n`);
}

/** RFC 1952 §2.3.1: what a compressed file begins with. */
const gzipMagic = Buffer.from([0x1f, 0x8b]);

/** The bytes of the backup; what is compressed says so itself. @throws CommandError */
async function openSource(file: string): Promise<AsyncIterable<Buffer>> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file);
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next().catch((error: unknown) => {
    throw wrongUsage(`The file cannot be read: ${messageOf(error)}.`);
  });
  async function* all(): AsyncGenerator<Buffer> {
    for (let next = first; next.done !== true; next = await chunks.next()) yield next.value;
  }
  if (first.done === true || !first.value.subarray(0, 2).equals(gzipMagic)) return all();
  return unpacked(all());
}

async function* unpacked(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  // Its errors come out where it is read.
  pipeline(Readable.from(source), gunzip).catch(() => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    throw refused(`The file is cut short or damaged (${messageOf(error)}); nothing was restored.`);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
