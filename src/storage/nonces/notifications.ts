/** A connection on which other processes ask this one for nonces. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { clientConfig, timeouts, type DatabaseAddress } from '../database.js';

export interface NotificationListener {
  end(): Promise<void>;
}

const retryMilliseconds = 1000;

/**
 * Listens on a channel, and again after the connection was lost. What is sent meanwhile is missed.
 *
 * @returns when it listens.
 * @throws where it cannot connect for the first time.
 */
export async function listenToNotifications(
  address: DatabaseAddress,
  channel: string,
  onMessage: (message: string) => void,
  onError: (error: Error) => void,
): Promise<NotificationListener> {
  const ending = new AbortController();
  let client: pg.Client | undefined;

  async function connect(): Promise<void> {
    const next = new pg.Client({
      ...clientConfig(address),
      connectionTimeoutMillis: timeouts.connectionTimeoutMillis,
      keepAlive: true,
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
    if (ending.signal.aborted) await next.end();
    else next.on('end', () => void connectAgain());
  }

  async function connectAgain(): Promise<void> {
    for (;;) {
      await sleep(retryMilliseconds, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      try {
        await connect();
        return;
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)));
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
