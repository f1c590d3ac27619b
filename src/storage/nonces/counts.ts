/**
 * The counts of nonces (the port `NonceCounts` of `src/identity/`), for all processes on one database.
 *
 * Nearly all requests with a nonce arrive where it was made, because a client that keeps its connection keeps its worker.
 * So the counts of a nonce are in the memory of its maker, which costs nothing, until another process sees the nonce. That
 * process asks the maker over the database (NOTIFY), the maker moves the counts into a row, and from then on everybody, the
 * maker among them, counts in that row.
 *
 * Why no count is good for two requests:
 *
 * - At each moment one place decides. Without a row it is the maker's memory: all others find no row and refuse. The
 *   maker stops deciding by itself before it makes the row, and never begins again. `xcapd.use_nonce_count` is one
 *   atomic update.
 * - A nonce whose counts were lost is not taken for a new one. A row is made only by the maker, once. The maker forgets
 *   only with `forgottenUntil`, and refuses what may be among the forgotten. A process that starts anew has a new name,
 *   so nobody makes a row for the nonces of one that is gone, and a row that is lost in a crash of PostgreSQL does not
 *   come back.
 * - None of this depends on clocks. They decide only how long something is kept.
 *
 * What is refused this way is answered with a new nonce (`stale=true`), with which the client repeats by itself.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseAddress } from '../database.js';
import { listenToNotifications } from './notifications.js';
import { unusedWindow, useCount, windowSize, type NonceWindow } from './window.js';
import type { PipelinedClient } from '../pipelined-client.js';
import { orUnavailable } from '../database.js';

export interface NonceCountsOptions {
  readonly reader: PipelinedClient;
  /** For a connection of its own, on which other processes ask for nonces. */
  readonly address: DatabaseAddress;
  readonly onError: (error: Error) => void;
  /** How many nonces are kept in memory. */
  readonly capacity?: number;
}

export interface PostgresNonceCounts {
  readonly maker: string;
  /** @throws StoreUnavailable */
  use(nonce: string, count: number, expiresAt: number): Promise<boolean>;
  end(): Promise<void>;
}

/** A nonce of this process that was used at least once. */
interface OwnNonce {
  readonly expiresAt: number;
  /** Where its counts are: in memory, or in the database as soon as that promise is kept. */
  readonly counts: NonceWindow | Promise<unknown>;
}

const channel = 'xcapd_nonces';
const makerBytes = 6;
/** For how long the maker is waited for, in steps: it may be gone. */
const waitMilliseconds = [2, 4, 8, 16, 32, 64, 128] as const;

/** Opens the counts of one process. */
export async function openNonceCounts(options: NonceCountsOptions): Promise<PostgresNonceCounts> {
  const { reader, address, onError, capacity = 100_000 } = options;
  const maker = randomBytes(makerBytes).toString('hex');
  // In the order of their first use, which is about that of their expiry.
  const own = new Map<string, OwnNonce>();
  const asked = new Map<string, Promise<void>>();
  let forgottenUntil = 0;

  function remember(nonce: string, known: OwnNonce): void {
    own.set(nonce, known);
    for (const [oldest, { expiresAt }] of own) {
      if (own.size <= capacity && expiresAt > Date.now()) break;
      own.delete(oldest);
      forgottenUntil = Math.max(forgottenUntil, expiresAt);
    }
  }

  /** Undefined where it may be one whose counts were forgotten. */
  function findOwn(nonce: string, expiresAt: number): OwnNonce | undefined {
    const known = own.get(nonce);
    if (known !== undefined) return known;
    return expiresAt <= forgottenUntil ? undefined : { expiresAt, counts: unusedWindow };
  }

  /** Null where there is no row. */
  async function useRow(nonce: string, count: number): Promise<boolean | null> {
    const { rows } = await orUnavailable(
      reader.query<{ used: boolean | null }>({
        name: 'xcapd-nonce-use',
        text: 'select xcapd.use_nonce_count($1, $2) as used',
        values: [nonce, count],
      }),
    );
    return rows[0]?.used ?? null;
  }

  async function useOwn(nonce: string, count: number, expiresAt: number): Promise<boolean> {
    const known = findOwn(nonce, expiresAt);
    if (known === undefined) return false;
    if (known.counts instanceof Promise) {
      await known.counts;
      return (await useRow(nonce, count)) ?? false;
    }
    const counts = useCount(known.counts, count);
    if (counts === undefined) return false;
    remember(nonce, { expiresAt, counts });
    return true;
  }

  /** Another process wants it: the counts move to the database, for good. */
  function share(message: string): void {
    const [nonce = '', time] = message.split(' ');
    if (!nonce.startsWith(maker)) return;
    const known = findOwn(nonce, Number(time));
    if (known === undefined || known.counts instanceof Promise) return;
    const { highest, used } = known.counts;
    const values = [nonce, highest, BigInt.asIntN(windowSize, used), new Date(known.expiresAt)];
    const shared = reader
      .query({ name: 'xcapd-nonce-share', text: 'select xcapd.share_nonce($1, $2, $3, $4)', values })
      .catch(onError);
    remember(nonce, { expiresAt: known.expiresAt, counts: shared });
  }

  async function askMaker(nonce: string, expiresAt: number): Promise<void> {
    const message = `${nonce} ${expiresAt}`;
    await orUnavailable(
      reader.query({
        name: 'xcapd-nonce-ask',
        text: 'select pg_notify($1, $2)',
        values: [channel, message],
      }),
    );
    for (const milliseconds of waitMilliseconds) {
      await sleep(milliseconds);
      const { rows } = await orUnavailable(
        reader.query({
          name: 'xcapd-nonce-is-shared',
          text: 'select from xcapd.nonce_counts where nonce = $1',
          values: [nonce],
        }),
      );
      if (rows.length > 0) return;
    }
  }

  async function useForeign(nonce: string, count: number, expiresAt: number): Promise<boolean> {
    const used = await useRow(nonce, count);
    if (used !== null) return used;
    const asking = asked.get(nonce) ?? askMaker(nonce, expiresAt).finally(() => asked.delete(nonce));
    asked.set(nonce, asking);
    await asking;
    return (await useRow(nonce, count)) ?? false;
  }

  const listener = await listenToNotifications(address, channel, share, onError);
  return {
    maker,
    use: (nonce, count, expiresAt) =>
      nonce.startsWith(maker) ? useOwn(nonce, count, expiresAt) : useForeign(nonce, count, expiresAt),
    end: () => listener.end(),
  };
}
