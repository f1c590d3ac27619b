/** The database for a command that works on it without a server. */
import type { Config } from '../config/config.js';
import type { DatabaseAddress } from '../storage/database.js';
import { startEmbeddedPostgres } from '../storage/embedded/postgres.js';
import { hasCluster, runningPostgres } from '../storage/embedded/running.js';

type Where = Pick<Config, 'databaseUrl' | 'dataDirectory'>;

/**
 * Reads the database: that of DATABASE_URL, that of a server which runs on the data directory, or the embedded one, which is
 * started for as long as it takes.
 *
 * @throws Error with a sentence where there is none
 */
export async function withExistingDatabase<Result>(
  { databaseUrl, dataDirectory }: Where,
  action: (address: DatabaseAddress) => Promise<Result>,
): Promise<Result> {
  const running = databaseUrl === undefined ? runningPostgres(dataDirectory) : { url: databaseUrl };
  if (running !== undefined) return action(running);
  if (!hasCluster(dataDirectory)) {
    throw new Error(
      `There is no database in ${dataDirectory}: XCAP_DATA_DIR or DATABASE_URL says where it is.`,
    );
  }
  return withStartedPostgres(dataDirectory, action);
}

/**
 * Has the database for this command alone, as far as the data directory goes; a new one is made where there is none.
 *
 * @throws Error with a sentence where a server runs on the data directory
 */
export async function withOwnDatabase<Result>(
  { databaseUrl, dataDirectory }: Where,
  action: (address: DatabaseAddress) => Promise<Result>,
): Promise<Result> {
  return databaseUrl === undefined
    ? withStartedPostgres(dataDirectory, action)
    : action({ url: databaseUrl });
}

async function withStartedPostgres<Result>(
  dataDirectory: string,
  action: (address: DatabaseAddress) => Promise<Result>,
): Promise<Result> {
  const log = (level: string, message: string) => {
    if (level !== 'info') process.stderr.write(`${message}\n`);
  };
  const embedded = await startEmbeddedPostgres({ dataDirectory, log });
  try {
    return await action(embedded.connection);
  } finally {
    await embedded.stop();
  }
}
