/** Brings a database to the schema of this program. */
import type pg from 'pg';
import Postgrator from 'postgrator';
import { onOwnConnection, statementsOn, type DatabaseAddress } from './database.js';
import { respell, sentencesOnKept } from './respelling.js';

/**
 * Who holds it changes the schema, or all that is in it. Any number that no other program takes for its advisory lock: 'xcapd' in
 * ASCII.
 */
export const schemaLock = 0x7863617064;

/** The migration with which URIs of users get their one form, which no SQL could make. */
const respellingVersion = 8;

/** The migration from which on each one says which older programs work with it. */
const compatibilityVersion = 7;

/**
 * Applies the migrations in `directory` (`NNNN.do.name.sql`) that the database lacks, in one transaction under an
 * advisory lock, so that servers which start at once do not race.
 *
 * @param tell is told, in sentences, what the operator should know: that the database is newer than the program, which works with
 *   it nevertheless, or what a migration could not do
 * @returns the names of the applied migrations.
 * @throws where the database is newer than what the program works with, is not UTF-8, or has a migration that was edited
 *   since.
 */
export async function migrate(
  address: DatabaseAddress,
  directory: string,
  tell: (sentence: string) => void = () => undefined,
): Promise<string[]> {
  return onOwnConnection(address, 'xcapd migrate', async (client) => {
    await checkServer(client);
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [schemaLock]);
    const { applied, sentences } = await applyMigrations(client, directory);
    await client.query('commit');
    sentences.forEach(tell);
    return applied;
  });
}

/** The newest schema version of the migrations in `directory`. */
export async function newestSchema(client: pg.Client, directory: string): Promise<number> {
  return postgratorOn(client, directory).getMaxVersion();
}

function postgratorOn(client: pg.Client, directory: string): Postgrator {
  return new Postgrator({
    driver: 'pg',
    migrationPattern: `${globEscaped(directory)}/*.sql`,
    schemaTable: 'xcapd.schema_version',
    validateChecksums: true,
    execQuery: (query) => client.query(query),
  });
}

/**
 * Applies what is missing in a transaction of the caller, who holds `schemaLock`.
 *
 * @param version where to end; by default with the newest
 */
export async function applyMigrations(
  client: pg.Client,
  directory: string,
  version?: number,
): Promise<{ applied: string[]; sentences: string[] }> {
  await client.query('create schema if not exists xcapd');
  const postgrator = postgratorOn(client, directory);
  const databaseVersion = await postgrator.getDatabaseVersion();
  const programVersion = version ?? (await postgrator.getMaxVersion());
  if (databaseVersion > programVersion) {
    const oldest = await oldestProgram(client, programVersion);
    const facts = `The database has schema version ${String(databaseVersion)}, this program knows ${String(programVersion)} at most`;
    if (oldest > programVersion) {
      const wanted = Number.isFinite(oldest) ? ` that knows at least ${String(oldest)}` : '';
      throw new Error(
        `${facts}, and does not work with it. Run a newer xcapd${wanted}, or restore a backup from before the upgrade.`,
      );
    }
    await postgrator.validateMigrations(programVersion);
    return { applied: [], sentences: [`${facts}, and works with it.`] };
  }
  const needsRespelling = databaseVersion < respellingVersion && programVersion >= respellingVersion;
  const before = needsRespelling ? await postgrator.migrate(String(respellingVersion)) : [];
  if (needsRespelling) await respell(statementsOn(client));
  const applied = [...before, ...(await postgrator.migrate(String(programVersion)))];
  if (programVersion >= compatibilityVersion)
    await checkCompatibilityIsSaid(
      client,
      applied.map(({ version }) => version),
    );
  return {
    applied: applied.map(({ name, version }) => `${String(version)} ${name}`),
    sentences: programVersion >= respellingVersion ? await sentencesOnKept(statementsOn(client)) : [],
  };
}

/** What a program has to know at least, for the migrations that this one does not know. Infinite where one does not say. */
async function oldestProgram(client: pg.Client, programVersion: number): Promise<number> {
  const { rows } = await client.query<{ oldest: number | null }>(
    'select compatible.oldest from xcapd.schema_version left join xcapd.compatible_programs as compatible ' +
      'on compatible.migration = schema_version.version where schema_version.version > $1',
    [programVersion],
  );
  return Math.max(...rows.map(({ oldest }) => oldest ?? Number.POSITIVE_INFINITY));
}

/** A migration that leaves it out would make each rollback behind it impossible. */
async function checkCompatibilityIsSaid(client: pg.Client, applied: readonly number[]): Promise<void> {
  const { rows } = await client.query<{ migration: number }>(
    'select migration from unnest($1::integer[]) as applied (migration) ' +
      'where not exists (select from xcapd.compatible_programs as said where said.migration = applied.migration)',
    [applied],
  );
  const [silent] = rows;
  if (silent !== undefined) {
    throw new Error(
      `Migration ${String(silent.migration)} does not say which older programs work with it (xcapd.compatible_programs).`,
    );
  }
}

async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: number; encoding: string }>(
    "select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding",
  );
  const [server] = rows;
  if (server === undefined || server.version < 140000) {
    throw new Error('xcapd needs PostgreSQL 14 or later.');
  }
  if (server.encoding !== 'UTF8') {
    throw new Error(`xcapd needs a database with encoding UTF8; this one has ${server.encoding}.`);
  }
}

function globEscaped(path: string): string {
  return path.replace(/[[\]*?{}()!+@]/g, '[$&]');
}
