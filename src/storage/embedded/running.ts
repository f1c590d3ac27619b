/** The embedded PostgreSQL as other processes on its machine find it. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { databaseName } from './cluster.js';
import { isHeld } from './owner-lock.js';
import type { Connection } from './process.js';

/** Whether there is a cluster in the data directory. */
export function hasCluster(dataDirectory: string): boolean {
  return existsSync(join(resolve(dataDirectory), 'postgres', 'PG_VERSION'));
}

/**
 * How to connect to the PostgreSQL of the server that has the data directory. Undefined where none has it.
 *
 * @throws Error where its PostgreSQL is not ready
 */
export function runningPostgres(dataDirectory: string): Connection | undefined {
  const data = resolve(dataDirectory);
  if (!isHeld(join(data, 'xcapd.lock'))) return undefined;
  const [, , , port = '', host = ''] = postmasterLines(data);
  if (host === '')
    throw new Error(`The server on ${data} is just starting or stopping: try again in a moment.`);
  return { host, port: Number(port), user: 'postgres', database: databaseName };
}

function postmasterLines(data: string): string[] {
  try {
    return readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
