/** The cluster of the embedded PostgreSQL: where it lies, how it is made, and whether it can be used. */
import {
  lstat,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  canWrite,
  giveTo,
  majorVersion,
  makeReachable,
  randomId,
  requireNamedAccount,
  runAs,
  unusable,
  type Account,
} from './binaries.js';
import { removeSocketDirectory, type Log } from './owner-lock.js';

/** The database that is made in a new cluster. */
export const databaseName = 'xcapd';

/** Where a cluster lies or will lie, and for whom. */
export interface Place {
  readonly account: Account;
  readonly binaries: string;
  /** The data directory. */
  readonly data: string;
  /** Where the cluster is put if PostgreSQL cannot reach the data directory. */
  readonly base: string;
  readonly log: Log;
}

/** Gives the real path of the cluster, which is made if there is none. */
export async function openCluster(place: Place, unsafe: boolean): Promise<string> {
  const { account, data, base, log } = place;
  const link = join(data, 'postgres');
  await discardDrafts(place);
  await rmdir(link).catch(() => undefined); // An empty directory, which somebody made for us.
  const found = await lstat(link).catch(() => undefined);
  if (found === undefined) await createCluster(place, link, unsafe);
  const cluster = await realpath(link).catch(async () => {
    const target = await readlink(link);
    throw new Error(
      `${link} leads to ${target}, which is gone: bring the data back, or remove the link to start anew.`,
    );
  });
  if (dirname(cluster) === (await realpath(join(base, 'clusters')).catch(() => undefined))) {
    const reason = `its account ${account.name} cannot reach ${data}`;
    log('info', `PostgreSQL's data lies in ${cluster}, for ${reason}.`);
  }
  return cluster;
}

/** What a server left that was killed while it made a cluster. */
async function discardDrafts({ data, base }: Place): Promise<void> {
  for (const name of await readdir(data)) {
    if (!name.startsWith('postgres.new-')) continue;
    const draft = join(data, name);
    const target = await readlink(draft).catch(() => draft);
    const ours = target === draft || dirname(target) === join(base, 'clusters');
    // Its initdb may still be at work.
    if (ours) await rm(target, { recursive: true, force: true, maxRetries: 10 });
    await rm(draft, { force: true });
  }
}

/** The cluster appears under its name when it is complete. */
async function createCluster(place: Place, link: string, unsafe: boolean): Promise<void> {
  const { account, binaries, data, base, log } = place;
  if (account.identity.uid === undefined) requireNamedAccount();
  const draft = join(data, `postgres.new-${randomId()}`);
  await makeReachable(draft, account, base);
  const directory = await realpath(draft);
  log('info', `Making a PostgreSQL cluster in ${data}.`);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = ['--username=postgres', '--auth-local=trust', '--auth-host=reject'];
  const flags = ['-D', directory, ...locale, ...access, ...(unsafe ? ['--no-sync'] : [])];
  const initdb = await runAs(account, join(binaries, 'bin', 'initdb'), flags);
  if (!initdb.ok) throw unusable(`initdb failed: ${initdb.output}.`);
  const postgres = join(binaries, 'bin', 'postgres');
  const sql = `create database ${databaseName};\n`;
  const single = await runAs(account, postgres, ['--single', '-D', directory, 'postgres'], sql);
  if (!single.ok || /ERROR|FATAL|PANIC/.test(single.output)) {
    throw unusable(`the database ${databaseName} could not be made: ${single.output}.`);
  }
  await rename(draft, link);
  const parent = await open(data);
  await parent.sync().finally(() => parent.close());
}

/** Refuses what PostgreSQL would refuse with less plain words. */
export async function checkCluster({ account, binaries }: Place, cluster: string): Promise<void> {
  const made = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (made === '')
    throw new Error(`${cluster} is no PostgreSQL cluster: move it away, and a new one will be made.`);
  const ours = await majorVersion(binaries, account);
  if (made !== ours) {
    throw new Error(
      `${cluster} was made by PostgreSQL ${made}, but this is PostgreSQL ${ours}, which cannot read it. ` +
        `Dump it with PostgreSQL ${made} and restore the dump, or set DATABASE_URL to a PostgreSQL ${made}.`,
    );
  }
  const owner = (await stat(cluster)).uid;
  const { uid, gid } = account.identity;
  if (uid !== undefined && gid !== undefined && owner !== uid) {
    await runAs({ name: 'root', identity: {} }, 'chown', ['-R', '-h', `${uid}:${gid}`, cluster]);
  }
  if (!(await canWrite(account, cluster))) {
    throw unusable(
      `its account ${account.name} cannot reach ${cluster}, which belongs to uid ${owner}. ` +
        'Let it search the directories above (chmod o+x), or start xcapd as the owner.',
    );
  }
}

/** The path of a Unix socket has at most 107 bytes (103 on macOS), so that it cannot lie in the data directory. */
export async function makeSocketDirectory(account: Account): Promise<string> {
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    if (Buffer.byteLength(parent) > 70) continue;
    const directory = await mkdtemp(join(parent, 'xcapd-')).catch(() => undefined);
    if (directory === undefined) continue;
    await giveTo(account, directory);
    if (await canWrite(account, directory)) return directory;
    removeSocketDirectory(directory);
  }
  throw unusable(`there is no place for its socket: let ${account.name} write into /tmp.`);
}
