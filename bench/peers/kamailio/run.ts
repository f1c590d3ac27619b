/**
 * `npm run bench:kamailio [-- PROCESSES]`: Kamailio's XCAP server with a PostgreSQL of its own on loopback, until it is
 * interrupted. It needs the Debian packages of Kamailio.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { packageFolder } from '../../../src/package-files.js';
import type { Connection } from '../../../src/storage/embedded/postgres.js';
import { makeDirectory, startDatabase, urlOf } from '../../database.js';
import { freePort, spawnGuarded, untilAnswered } from '../../servers.js';
import { runAndUndo, undoings } from '../../undoings.js';

const packages = 'kamailio, kamailio-presence-modules and kamailio-postgres-modules';
const program = '/usr/sbin/kamailio';
const configuration = join(packageFolder, 'bench/peers/kamailio/kamailio.cfg');
/** The definitions of tables that come with the packages. */
const tables = ['standard', 'presence'].map((name) => `/usr/share/kamailio/postgres/${name}-create.sql`);

async function run(): Promise<void> {
  const processes = readProcesses(process.argv.slice(2));
  if (![program, ...tables].every(existsSync)) throw new Error(`The Debian packages ${packages} are needed.`);
  const directory = makeDirectory();
  const database = await startDatabase(directory);
  await makeTables(database);
  const port = await freePort();
  const logFile = join(directory, 'kamailio.log');
  const kamailio = spawnGuarded(
    [
      ...[program, '-DD', '-f', configuration, '-Y', directory],
      ...['-l', `tcp:127.0.0.1:${port}`, '-n', '1', '-N', String(processes)],
      ...['-A', `DATABASE="postgres://${database.user}@/${database.database}"`],
    ],
    logFile,
    // Kamailio's URL of a database cannot name the directory of a socket; libpq finds it here.
    { ...process.env, PGHOST: database.host },
  );
  undoings.push(() => kamailio.stop());
  const root = `http://127.0.0.1:${port}/xcap-root`;
  try {
    await untilAnswered(
      `${root}/resource-lists/users/sip:nobody@example.com/index`,
      ({ status }) => status === 404,
    );
  } catch {
    throw new Error(`Kamailio did not start:\n${readFileSync(logFile, 'utf8')}`);
  }
  process.stdout.write(`Kamailio answers until it is interrupted. Measure it with:

npm run bench -- --peer ${root} --peer-pid ${process.pid}
`);
  // A signal ends it.
  await new Promise(() => undefined);
}

function readProcesses([value = '2', ...others]: readonly string[]): number {
  const processes = Number(value);
  if (others.length === 0 && Number.isInteger(processes) && processes > 0) return processes;
  throw new Error('npm run bench:kamailio takes one whole number greater than 0: how many processes answer.');
}

async function makeTables(database: Connection): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(database) });
  await client.connect();
  try {
    for (const file of tables) await client.query(readFileSync(file, 'utf8'));
  } finally {
    await client.end();
  }
}

await runAndUndo('bench:kamailio', run);
