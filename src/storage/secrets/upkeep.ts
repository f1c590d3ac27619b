/** What a server does about secrets beside serving: it makes sure of its key when it starts, and seals what is not sealed yet. */
import { setTimeout as sleep } from 'node:timers/promises';
import { secretBox, type SecretsKeys } from '../../subscribers/secret-box.js';
import { inOneTransaction, onOwnConnection, type DatabaseAddress } from '../database.js';
import { reseal } from './resealing.js';
import { agreeOnKey, type Agreement } from './secrets-keys.js';

/** Until others have been restarted with the key, and until the database is back. */
const retryMilliseconds = 1000;
const secretsBetweenReports = 50_000;

type Tell = (facts: object, sentence: string) => void;

export interface UpkeepOptions {
  readonly database: DatabaseAddress;
  readonly keys: SecretsKeys;
  readonly log: { readonly info: Tell; readonly warn: Tell };
}

export interface SecretsUpkeep {
  /** Breaks off what is under way; the next start goes on. */
  readonly stop: () => Promise<void>;
}

/**
 * Goes on in the background until all secrets are sealed, where there is a key.
 *
 * @throws SecretsKeyError where secrets are sealed with a key that this server does not have
 */
export async function beginUpkeep({ database, keys, log }: UpkeepOptions): Promise<SecretsUpkeep> {
  const box = secretBox(keys);
  const stopping = new AbortController();
  const { signal } = stopping;

  const onConnection = <Result>(action: Parameters<typeof onOwnConnection<Result>>[2]) =>
    onOwnConnection(database, 'xcapd keys', (client) => {
      signal.throwIfAborted();
      // Whatever it waits for.
      signal.addEventListener('abort', () => void client.end().catch(() => undefined));
      return action(client);
    });
  const agree = () => onConnection((client) => agreeOnKey((action) => inOneTransaction(client, action), box));

  async function sealAll(): Promise<void> {
    let reported = 0;
    const { sealed, unreadable } = await onConnection((client) =>
      reseal(client, box, (soFar) => {
        if (soFar - reported < secretsBetweenReports) return;
        reported = soFar;
        log.info({ sealed: soFar }, 'digest secrets are being encrypted');
      }),
    );
    if (sealed > 0) log.info({ sealed }, 'all digest secrets are encrypted with the current key');
    if (unreadable > 0) {
      log.warn(
        { unreadable },
        'digest secrets are encrypted with a key that is not here; nobody can log in with them',
      );
    }
  }

  async function run(first: Agreement): Promise<void> {
    let agreement = first;
    let places = '';
    for (;;) {
      try {
        if (agreement.kind === 'plain') return;
        if (agreement.kind === 'sealed') {
          if (agreement.keyId === box.newKeyId && box.newKeyId !== box.keyId) {
            log.info({}, 'digest secrets have the key of XCAP_NEW_SECRETS_KEY: make it XCAP_SECRETS_KEY');
          }
          await sealAll();
          return;
        }
        if (places !== agreement.places.join(', ')) {
          places = agreement.places.join(', ');
          log.warn(
            { places },
            'digest secrets are not encrypted yet: servers without XCAP_SECRETS_KEY are connected to the database',
          );
        }
        await sleep(retryMilliseconds, undefined, { signal });
        agreement = await agree();
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error }, 'digest secrets could not be encrypted; they will be');
        await sleep(retryMilliseconds, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  const running = run(await agree());
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };
}
