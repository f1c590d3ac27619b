/** A connection on which other processes ask this one for nonces. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { clientConfig, timeouts, type DatabaseAddress } from '../database.js';

export interface NotificationListener {
  end(): Promise<void>;
}

const retryMilliseconds = 1000;

/** Nothing is sent on a connection that listens, so nobody would notice that the other end is gone. */
export interface Heartbeat {
  readonly intervalMilliseconds: number;
  /** For the answer. */
  readonly timeoutMilliseconds: number;
}

const usualHeartbeat: Heartbeat = { intervalMilliseconds: 15_000, timeoutMilliseconds: 5000 };

/**
 * Listens on a channel, and again after the connection was lost or gave no sign of life. What is sent meanwhile is missed.
 *
 * @returns when it listens.
 * @throws where it cannot connect for the first time.
 */
export async function listenToNotifications(
  address: DatabaseAddress,
  channel: string,
  onMessage: (message: string) => void,
  onError: (error: Error) => void,
  { intervalMilliseconds, timeoutMilliseconds } = usualHeartbeat,
): Promise<NotificationListener> {
  const ending = new AbortController();
  let client: pg.Client | undefined;

  const tell = (error: unknown) => onError(error instanceof Error ? error : new Error(String(error)));

  async function connect(): Promise<void> {
    const next = new pg.Client({
      ...clientConfig(address),
      ...timeouts,
      query_timeout: timeoutMilliseconds,
    });
    client = next;
    next.on('notification', ({ payload }) => onMessage(payload ?? ''));
    next.on('error', onError);
    try {
      await next.connect();
      await next.query(`listen ${channel}`);
    } catch (error) {
      await next.end().catch(() => undefined);
      throw error;
    }
    if (ending.signal.aborted) {
      await next.end();
      return;
    }
    const heartbeat = setInterval(() => {
      // Where there is no answer, `end` waits for none.
      next.query('select').catch((error: unknown) => {
        tell(error);
        return next.end();
      });
    }, intervalMilliseconds).unref();
    next.on('end', () => {
      clearInterval(heartbeat);
      void connectAgain();
    });
  }

  async function connectAgain(): Promise<void> {
    for (;;) {
      await sleep(retryMilliseconds, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      try {
        await connect();
        return;
      } catch (error) {
        tell(error);
      }
    }
  }

  await connect();
  return {
    async end() {
      ending.abort();
      await client?.end();
    },
  };
}
