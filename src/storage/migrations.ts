/** Brings a database to the schema of this program. */
import pg from 'pg';
import Postgrator from 'postgrator';
import { clientConfig, type DatabaseAddress } from './database.js';

/** Any number that no other program takes for its advisory lock: 'xcapd' in ASCII. */
const advisoryLock = 0x7863617064;

/**
 * Applies the migrations in `directory` (`NNNN.do.name.sql`) that the database lacks, in one transaction under an
 * advisory lock, so that servers which start at once do not race.
 *
 * @returns the names of the applied migrations.
 * @throws where the database is newer than the program, is not UTF-8, or has a migration that was edited since.
 */
export async function migrate(address: DatabaseAddress, directory: string): Promise<string[]> {
  const client = new pg.Client({ ...clientConfig(address), connectionTimeoutMillis: 5000 });
  // A connection that breaks fails the statement, or the next one.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await checkServer(client);
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [advisoryLock]);
    const applied = await applyMissing(client, directory);
    await client.query('commit');
    return applied;
  } finally {
    await client.end();
  }
}

async function applyMissing(client: pg.Client, directory: string): Promise<string[]> {
  await client.query('create schema if not exists xcapd');
  const postgrator = new Postgrator({
    driver: 'pg',
    migrationPattern: `${globEscaped(directory)}/*.sql`,
    schemaTable: 'xcapd.schema_version',
    validateChecksums: true,
    execQuery: (query) => client.query(query),
  });
  const databaseVersion = await postgrator.getDatabaseVersion();
  const programVersion = await postgrator.getMaxVersion();
  if (databaseVersion > programVersion) {
    throw new Error(
      `The database has schema version ${String(databaseVersion)}, this program knows ${String(programVersion)} at most. ` +
        'Run a newer xcapd on it.',
    );
  }
  const applied = await postgrator.migrate();
  return applied.map(({ name, version }) => `${String(version)} ${name}`);
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
