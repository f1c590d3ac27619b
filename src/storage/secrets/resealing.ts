/**
 * Seals what is in the database with the key of the moment, while servers run. Each batch is a statement of its own: who is killed
 * half-way loses nothing, and the next one goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { sealedPrefix, type SecretBox } from '../../subscribers/secret-box.js';
import type { DigestSecret } from '../../subscribers/subscriber.js';
import { appendAuditRecords } from '../audit-trail.js';
import { inOneTransaction, statementsOn, type Query } from '../database.js';
import { digestSecretOf, type DigestSecretRow } from '../subscribers/rows.js';
import { forgetOldKeys, lockKeys, readKeys } from './secrets-keys.js';

/** Rows of one statement: whoever wants to change one of them waits for no more than that. */
const secretsAtOnce = 500;
/** For those who have locked rows, before these are looked at again. */
const pauseMilliseconds = 200;

export interface Resealed {
  readonly sealed: number;
  /** Those that no key of this process opens. Nobody can log in with them. */
  readonly unreadable: number;
}

/**
 * Seals all secrets with the current key. One process at a time does it; others wait for their turn, and find it done. Afterwards no
 * other key is in use.
 *
 * @param box has all keys that secrets are sealed with
 * @param onProgress is told how many were sealed so far
 */
export async function reseal(
  client: pg.Client,
  box: SecretBox,
  onProgress: (sealed: number) => void,
): Promise<Resealed> {
  const query = statementsOn(client);
  // Until the end of the connection.
  await query({ text: "select pg_advisory_lock(hashtextextended('xcapd.resealing', 0))" });
  const keys = await inOneTransaction(client, async (query) => {
    // Who began to write before there was this key has finished.
    await lockKeys(query);
    return readKeys(query);
  });
  const keyId = keys.find(({ is_current }) => is_current)?.id;
  if (keyId === undefined || (keys.length === 1 && !(await hasPlainSecrets(query)))) {
    return { sealed: 0, unreadable: 0 };
  }
  let sealed = 0;
  const onSealed = (secrets: number) => {
    sealed += secrets;
    onProgress(sealed);
  };
  let round = await resealOnce(query, box, keyId, onSealed);
  while (round.left > 0) {
    await sleep(pauseMilliseconds);
    round = await resealOnce(query, box, keyId, onSealed);
  }
  const { unreadable } = round;
  await inOneTransaction(client, async (query) => {
    await lockKeys(query);
    await forgetOldKeys(query);
    const details = { key: keyId, sealed, unreadable };
    await appendAuditRecords(query, [{ actor: 'xcapd', action: 'secrets.encrypted', subject: '', details }]);
  });
  return { sealed, unreadable };
}

async function hasPlainSecrets(query: Query): Promise<boolean> {
  const [row] = await query<{ found: boolean }>({
    text: `select exists (select from xcapd.digest_secrets where not starts_with(ha1, '${sealedPrefix}')) as found`,
  });
  return row?.found === true;
}

interface Round {
  /** Those that somebody had locked, or changed meanwhile. */
  readonly left: number;
  readonly unreadable: number;
}

async function resealOnce(
  query: Query,
  box: SecretBox,
  keyId: string,
  onSealed: (secrets: number) => void,
): Promise<Round> {
  let [left, unreadable] = [0, 0];
  let last: DigestSecret | undefined;
  for (;;) {
    const page = await readPage(query, last);
    const opened = page.map((secret) => ({ secret, opened: box.open(secret) }));
    unreadable += opened.filter((one) => one.opened === undefined).length;
    const changes = opened.flatMap(({ secret, opened }) => {
      if (opened === undefined || opened.keyId === keyId) return [];
      return [{ secret, next: box.seal({ ...secret, ha1: opened.ha1 }, keyId).ha1 }];
    });
    if (changes.length > 0) {
      const changed = await replace(query, changes);
      left += changes.length - changed;
      onSealed(changed);
    }
    last = page.at(-1);
    if (page.length < secretsAtOnce) return { left, unreadable };
  }
}

async function readPage(query: Query, after: DigestSecret | undefined): Promise<DigestSecret[]> {
  const rows = await query<DigestSecretRow>({
    text:
      'select xui, realm, username, algorithm, ha1 from xcapd.digest_secrets ' +
      'where $1::text is null or (realm, username, algorithm) > ($1, $2, $3) ' +
      'order by realm, username, algorithm limit $4',
    values: [after?.realm, after?.username, after?.algorithm, secretsAtOnce],
  });
  return rows.map(digestSecretOf);
}

/**
 * Only what is as it was read. Rows that somebody has locked are passed over, because those who wait for each other cannot be made to
 * take turns here.
 *
 * @returns how many were replaced
 */
async function replace(
  query: Query,
  changes: readonly { readonly secret: DigestSecret; readonly next: string }[],
): Promise<number> {
  const rows = await query({
    text:
      'with free as (select realm, username, algorithm, asked.next from xcapd.digest_secrets as secrets ' +
      'join unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) ' +
      'as asked (realm, username, algorithm, xui, ha1, next) using (realm, username, algorithm, xui, ha1) ' +
      'for update of secrets skip locked) ' +
      'update xcapd.digest_secrets as secrets set ha1 = free.next from free where secrets.realm = free.realm ' +
      'and secrets.username = free.username and secrets.algorithm = free.algorithm returning 1',
    values: [
      changes.map(({ secret }) => secret.realm),
      changes.map(({ secret }) => secret.username),
      changes.map(({ secret }) => secret.algorithm),
      changes.map(({ secret }) => secret.xui),
      changes.map(({ secret }) => secret.ha1),
      changes.map(({ next }) => next),
    ],
  });
  return rows.length;
}
