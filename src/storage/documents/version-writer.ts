/**
 * Writes versions. Those that wait at the same moment travel in one statement and share one commit; there is no timer, so a
 * write that nobody is before goes at once.
 */
import type pg from 'pg';
import { isUndoneByOthers, orUnavailable, saysNothingWasWritten } from '../database.js';
import {
  writesStatement,
  writeStatement,
  type Swap,
  type VersionToWrite,
  type WriteOptions,
} from './write-statement.js';

/** @throws StoreUnavailable where the database is away; the version may have been written then. */
export type VersionWriter = (version: VersionToWrite) => Promise<Swap>;

/** While these wait for the disk, the next ones gather. */
const batchesAtOnce = 2;
const writesInBatch = 64;
const charactersInBatch = 2 * 1024 * 1024;
/** Of one write that other transactions undo. */
const attempts = 3;

interface Waiting {
  readonly version: VersionToWrite;
  readonly resolve: (swap: Swap | Promise<Swap>) => void;
  readonly reject: (error: unknown) => void;
}

export function versionWriter(pool: pg.Pool, options: WriteOptions): VersionWriter {
  const waiting: Waiting[] = [];
  let underWay = 0;

  async function writeAlone(version: VersionToWrite, attempt = 1): Promise<Swap> {
    try {
      const { rows } = await orUnavailable(pool.query<Swap>(writeStatement(version, options)));
      return rows[0] ?? nothingWritten;
    } catch (error) {
      if (attempt < attempts && isUndoneByOthers(error)) return writeAlone(version, attempt + 1);
      throw error;
    }
  }

  /**
   * What is wrong with one of them fails none of the others: they are done again one by one. A single write goes this way as well,
   * because the statement gives up on locks soon: whoever waits longer must not keep those that gather behind it.
   */
  async function writeTogether(batch: readonly Waiting[]): Promise<void> {
    const versions = batch.map(({ version }) => version);
    try {
      const { rows } = await orUnavailable(
        pool.query<Swap & { place: number }>(writesStatement(versions, options)),
      );
      const swaps = new Map(rows.map((row) => [row.place, row]));
      batch.forEach(({ resolve }, i) => resolve(swaps.get(i + 1) ?? nothingWritten));
    } catch (error) {
      for (const { version, resolve, reject } of batch) {
        if (saysNothingWasWritten(error)) resolve(writeAlone(version));
        else reject(error);
      }
    }
  }

  function depart(): void {
    while (waiting.length > 0 && underWay < batchesAtOnce) {
      const batch = waiting.splice(0, lengthOfBatch(waiting));
      underWay++;
      void writeTogether(batch).finally(() => {
        underWay--;
        depart();
      });
    }
  }

  return (version) => {
    // Who changes claims holds a lock that all others who do wait for.
    if (version.claims !== undefined) return writeAlone(version);
    return new Promise((resolve, reject) => {
      waiting.push({ version, resolve, reject });
      depart();
    });
  };
}

const nothingWritten: Swap = { swapped: false, taken: null, exceeded: null, home: null };

/** At least one. */
function lengthOfBatch(waiting: readonly Waiting[]): number {
  let characters = 0;
  const first = waiting.slice(0, writesInBatch);
  const over = first.findIndex(({ version: { text } }, i) => {
    characters += text?.length ?? 0;
    return i > 0 && characters > charactersInBatch;
  });
  return over < 0 ? first.length : over;
}
