/** A PostgreSQL for what is measured, with its data in a directory that is removed at the end. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type Connection } from '../src/storage/embedded/postgres.js';
import { say, undoings } from './undoings.js';

/** PostgreSQL may run under another account, which has to get through to its data. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'xcapd-bench-'));
  chmodSync(directory, 0o755);
  undoings.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The server's own embedded PostgreSQL with its usual settings, so that a commit waits for the disk. */
export async function startDatabase(directory: string): Promise<Connection> {
  const postgres = await startEmbeddedPostgres({
    dataDirectory: directory,
    log: (_level, message) => say(message),
  });
  undoings.push(() => postgres.stop());
  return postgres.connection;
}

export function urlOf({ host, user, database }: Connection): string {
  return `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}`;
}
