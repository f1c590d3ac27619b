/**
 * Who owns a PostgreSQL cluster: the lock of a live server, and the PostgreSQL that a dead one left behind.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Takes human-readable lines. */
export type Log = (level: 'info' | 'warn' | 'error', message: string) => void;

/** A lock that this process holds. */
export interface OwnerLock {
  /** Removes the lock. Idempotent. */
  release(): void;
}

/** What PostgreSQL makes in its socket directory. */
export const socketFiles = ['.s.PGSQL.5432', '.s.PGSQL.5432.lock'] as const;

interface Owner {
  readonly pid: number;
  /** What `processBirth` said of the owner; '' where that cannot be known. */
  readonly birth: string;
}

/**
 * When a process was born, as a text that is different for every process that ever had this pid: `undefined` if there
 * is no such process (a zombie is none), '' if it lives but the system does not tell.
 */
export function processBirth(pid: number): string | undefined {
  if (!exists(pid)) return undefined;
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return exists(pid) ? '' : undefined;
  // proc(5): the command name in parentheses may contain anything; behind it are field 3, the state, and the others.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const boot = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return `${boot}/${fields[19] ?? ''}`;
}

/**
 * Takes the lock `file` for this process. A lock whose owner is dead is taken over, also if another process has its pid
 * by now.
 *
 * @param subject what is locked, for the error message
 * @throws Error that names the owner's pid, if that is alive
 */
export function acquireOwnerLock(file: string, subject: string): OwnerLock {
  const self = JSON.stringify({ pid: process.pid, birth: processBirth(process.pid) ?? '' });
  while (!createExclusively(file, self)) {
    const text = readLock(file);
    if (text === undefined) continue;
    const owner = parseOwner(text);
    if (owner !== undefined && isAlive(owner)) {
      const who = owner.pid === process.pid ? 'this very process' : 'another running xcapd, process';
      throw new Error(
        `${subject} is in use by ${who} ${owner.pid} (lock ${file}). ` +
          'Stop that one first, or give this one a data directory of its own.',
      );
    }
    // Two servers may find the same stale lock: only the holder of a second lock may remove it, after another look.
    const takeover = acquireOwnerLock(`${file}.takeover`, subject);
    try {
      if (readLock(file) === text) remove(file);
    } finally {
      takeover.release();
    }
  }
  return {
    release: () => {
      if (readText(file) === self) remove(file);
    },
  };
}

/** Whether a live process has the lock `file`. */
export function isHeld(file: string): boolean {
  const owner = parseOwner(readText(file) ?? '');
  return owner !== undefined && isAlive(owner);
}

/**
 * Sees to it that no PostgreSQL runs on `cluster` any more that a dead server left behind, and that what it left in
 * postmaster.pid does not hinder the next one. Only for the holder of the owner lock.
 *
 * @param socketDirectory the one of the caller; the one of the orphan is removed if it is another
 */
export async function stopOrphan(cluster: string, socketDirectory: string, log: Log): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  const lines = readText(file)?.split('\n') ?? [];
  // A negative pid is that of a single-user PostgreSQL.
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  if (pid > 1 && pid !== process.pid && exists(pid)) {
    // A zombie, which nobody reaps in some containers, is a living process to PostgreSQL.
    const kind = processBirth(pid) === undefined ? 'stranger' : processOn(cluster, pid);
    if (kind === 'postgres') await stopPostgres(pid, cluster, log);
    if (kind === 'stranger') disown(file, lines, log);
  }
  const left = lines[4] ?? '';
  if (left !== socketDirectory) removeSocketDirectory(left);
}

/** Removes a socket directory that no PostgreSQL uses any more, and nothing else. */
export function removeSocketDirectory(directory: string): void {
  if (!/^xcapd-\w{6}$/.test(basename(directory))) return;
  try {
    for (const name of socketFiles) remove(join(directory, name));
    rmdirSync(directory);
  } catch {
    // Already gone, or not ours: an empty directory does no harm.
  }
}

async function stopPostgres(pid: number, cluster: string, log: Log): Promise<void> {
  log('warn', `PostgreSQL (process ${pid}) still runs on ${cluster}, but its server is dead: stopping it.`);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    sendSignal(pid, signal);
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline) {
      if (processBirth(pid) === undefined) return;
      await sleep(20);
    }
  }
  throw new Error(
    `PostgreSQL (process ${pid}) on ${cluster} was left by a dead server and does not stop. Kill it.`,
  );
}

/** Is this process a PostgreSQL on this cluster, or certainly not? */
function processOn(cluster: string, pid: number): 'postgres' | 'stranger' | 'unknown' {
  const command = readText(`/proc/${pid}/cmdline`) ?? commandFromPs(pid);
  if (command === undefined) return 'unknown';
  const isPostgres = /^postgres\b/.test(basename(command.split('\0')[0]?.split(' -')[0] ?? ''));
  if (!isPostgres) return 'stranger';
  try {
    // PostgreSQL's processes all work in the data directory.
    return readlinkSync(`/proc/${pid}/cwd`) === cluster ? 'postgres' : 'stranger';
  } catch {
    // Another account's, and we lack the capability (root in a container); or there is no /proc.
    return command.includes(cluster) ? 'postgres' : 'unknown';
  }
}

/**
 * The pid in a stale postmaster.pid is that of another program by now (usual in containers, where pids repeat) or of a
 * zombie, and PostgreSQL would refuse to start if that has the same account. It does not mind the pid of its parent.
 * The other lines stay: by them it finds out whether processes of the dead one still use the shared memory.
 */
function disown(file: string, lines: readonly string[], log: Log): void {
  log(
    'info',
    `PostgreSQL was not shut down properly: process ${lines[0] ?? ''} in ${file} is none any more.`,
  );
  const descriptor = openSync(file, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW);
  try {
    writeFileSync(descriptor, [String(process.pid), ...lines.slice(1)].join('\n'));
  } finally {
    closeSync(descriptor);
  }
}

function commandFromPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner): boolean {
  const birth = processBirth(owner.pid);
  return birth !== undefined && (birth === '' || owner.birth === '' || birth === owner.birth);
}

function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('birth' in value))
      return undefined;
    const { pid, birth } = value;
    return typeof pid === 'number' && typeof birth === 'string' ? { pid, birth } : undefined;
  } catch {
    return undefined; // Cut short by a power failure.
  }
}

/** The file appears with its content or not at all, so that nobody reads an empty lock. */
function createExclusively(file: string, text: string): boolean {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, text, { flag: 'wx' });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    remove(draft);
  }
}

function exists(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function readLock(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** The `code` of a system error. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
