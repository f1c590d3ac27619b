/** Which key the digest secrets in the database are sealed with. The database decides it, for all servers alike. */
import {
  isSealed,
  secretBox,
  SecretsKeyError,
  sealedPrefix,
  type SecretBox,
  type SecretsKeys,
} from '../../subscribers/secret-box.js';
import type { DigestSecret } from '../../subscribers/subscriber.js';
import { appendAuditRecords } from '../audit-trail.js';
import type { Query } from '../database.js';
import { digestSecretOf, type DigestSecretRow } from '../subscribers/rows.js';
import type { Transactions } from '../transactions.js';
import { serversBy } from './server-names.js';

/** What servers of before schema version 11 sealed with: any key, which nobody has compared yet. */
const unknownKey = '';

/** So many secrets are tried with a key that is compared for the first time. */
const sampleSize = 1000;

interface KeyRow {
  readonly id: string;
  readonly is_current: boolean;
}

/** What holds of the secrets in the database. */
export type Agreement =
  /** They are stored as they are. */
  | { readonly kind: 'plain' }
  /** What is written is sealed with this key. */
  | { readonly kind: 'sealed'; readonly keyId: string }
  /** They are stored as they are, because servers run that do not have the key, in these places. */
  | { readonly kind: 'waiting'; readonly places: readonly string[] };

/** Seals what is to be written in this transaction. @throws SecretsKeyError where this process does not have the key */
export type SealSecrets = (
  query: Query,
  secrets: readonly DigestSecret[],
) => Promise<readonly DigestSecret[]>;

export function sealingWith(box: SecretBox): SealSecrets {
  return async (query, secrets) => {
    if (secrets.length === 0) return [];
    await shareKeys(query);
    const current = (await readKeys(query)).find(({ is_current }) => is_current);
    return secrets.map((secret) => box.seal(secret, current?.id));
  };
}

/**
 * Makes sure that the keys of this process are those that the secrets are sealed with. Where they are stored as they are and the
 * process has a key, what is written from now on is sealed with it: as soon as all servers that run have it.
 *
 * @throws SecretsKeyError where secrets are sealed with a key that this process does not have
 */
export async function agreeOnKey(
  inTransaction: Transactions['inTransaction'],
  box: SecretBox,
): Promise<Agreement> {
  // Mostly there is nothing to change, and nobody has to wait.
  const agreement = await inTransaction(async (query) => {
    await shareKeys(query);
    const keys = await readKeys(query);
    return keys.every(({ id }) => box.keyIds.includes(id)) ? agreementOn(query, keys, box) : undefined;
  });
  return agreement ?? inTransaction((query) => agreeAlone(query, box));
}

async function agreeAlone(query: Query, box: SecretBox): Promise<Agreement> {
  await lockKeys(query);
  const keys = await knownKeys(query, box);
  const agreement = await agreementOn(query, keys, box);
  if (agreement !== undefined) return agreement;
  const [keyId] = box.keyIds;
  if (keyId === undefined) return { kind: 'plain' };
  await query({ text: 'insert into xcapd.secrets_keys (id, is_current) values ($1, true)', values: [keyId] });
  await appendAuditRecords(query, [
    { actor: 'xcapd', action: 'secrets.encrypt', subject: '', details: { key: keyId } },
  ]);
  return { kind: 'sealed', keyId };
}

/** @returns undefined where secrets can be sealed from now on */
async function agreementOn(
  query: Query,
  keys: readonly KeyRow[],
  { keyId }: SecretBox,
): Promise<Agreement | undefined> {
  const current = keys.find(({ is_current }) => is_current);
  if (current !== undefined) return { kind: 'sealed', keyId: current.id };
  if (keyId === undefined) return { kind: 'plain' };
  const places = await serversBy(query, false, keyId);
  return places.length > 0 ? { kind: 'waiting', places } : undefined;
}

/** Nobody changes the key until the end of the transaction. */
async function shareKeys(query: Query): Promise<void> {
  await query({ text: `select pg_advisory_xact_lock_shared(${keysLock})` });
}

/** Nobody writes secrets or changes the key until the end of the transaction. */
export async function lockKeys(query: Query): Promise<void> {
  await query({ text: `select pg_advisory_xact_lock(${keysLock})` });
}

const keysLock = "hashtextextended('xcapd.secrets_keys', 0)";

/**
 * The keys that secrets are sealed with; this process has all of them. To be called under `lockKeys`, or where nobody else is.
 *
 * @throws SecretsKeyError where it has not
 */
async function knownKeys(query: Query, box: SecretBox): Promise<readonly KeyRow[]> {
  const recorded = await readKeys(query);
  if (recorded.length > 0 && recorded.every(({ id }) => box.keyIds.includes(id))) return recorded;
  const sample = await sealedSecrets(query);
  if (sample.length === 0 && !(await isUsedElsewhere(query, recorded))) {
    await query({ text: 'delete from xcapd.secrets_keys' });
    return [];
  }
  // Older programs record no key, neither before migration 11 nor where they run beside a newer one.
  const isUnknown = recorded.length === 0 || recorded.some(({ id }) => id === unknownKey);
  const found = isUnknown
    ? sample.map((secret) => box.open(secret)?.keyId).find((id) => id !== undefined)
    : undefined;
  if (found === undefined) throw new SecretsKeyError(refusalOf(box, recorded));
  if (recorded.length === 0) return [];
  await query({ text: 'update xcapd.secrets_keys set id = $1 where id = $2', values: [found, unknownKey] });
  return readKeys(query);
}

/**
 * The same for a database that was just restored, in that transaction. Whoever restores need not have the key; who has one, has the
 * right one.
 *
 * @returns what the operator should know
 * @throws SecretsKeyError where this process has another key
 */
export async function judgeRestored(query: Query, keys: SecretsKeys): Promise<string[]> {
  const box = secretBox(keys);
  try {
    await knownKeys(query, box);
    return [];
  } catch (error) {
    if (!(error instanceof SecretsKeyError) || box.keyId !== undefined) throw error;
    return [error.message];
  }
}

function refusalOf({ keyId, keyIds }: SecretBox, recorded: readonly KeyRow[]): string {
  if (keyId === undefined) {
    return 'The digest secrets in the database are encrypted, and XCAP_SECRETS_KEY is not set: set it to the key that they are encrypted with.';
  }
  const known = recorded.find(({ id }) => keyIds.includes(id));
  if (known === undefined) {
    return 'XCAP_SECRETS_KEY is not the key that the digest secrets in the database are encrypted with: set it to that key.';
  }
  return known.is_current
    ? 'Some digest secrets in the database have the key of before still: finish `xcapd rekey` first, or set XCAP_SECRETS_KEY to the key of before and XCAP_NEW_SECRETS_KEY to the new one.'
    : 'The digest secrets in the database are getting a new key by `xcapd rekey`: set XCAP_NEW_SECRETS_KEY to it.';
}

export function readKeys(query: Query): Promise<KeyRow[]> {
  return query<KeyRow>({ text: 'select id, is_current from xcapd.secrets_keys' });
}

/**
 * What is written from now on is sealed with this key, where all servers that run have it. Does nothing where it is so already. To be
 * called in a transaction.
 *
 * @throws SecretsKeyError where they have not
 */
export async function changeKey(query: Query, keyId: string): Promise<void> {
  await lockKeys(query);
  const current = (await readKeys(query)).find(({ is_current }) => is_current);
  if (current?.id === keyId) return;
  const places = await serversBy(query, false, keyId);
  if (places.length > 0) {
    throw new SecretsKeyError(
      `Servers without the new key are connected to the database (from ${places.join(', ')}): ` +
        'restart them with it as XCAP_NEW_SECRETS_KEY first.',
    );
  }
  await query({ text: 'update xcapd.secrets_keys set is_current = false' });
  await query({
    text:
      'insert into xcapd.secrets_keys (id, is_current) values ($1, true) ' +
      'on conflict (id) do update set is_current = true, since = clock_timestamp()',
    values: [keyId],
  });
  const details = { from: current?.id ?? '', to: keyId };
  await appendAuditRecords(query, [{ actor: 'xcapd', action: 'secrets.rekey', subject: '', details }]);
}

/** When nothing is sealed with them any more; under `lockKeys`. */
export async function forgetOldKeys(query: Query): Promise<void> {
  await query({ text: 'delete from xcapd.secrets_keys where not is_current' });
}

/** Some of the secrets that are sealed with whatever key. */
async function sealedSecrets(query: Query): Promise<DigestSecret[]> {
  const rows = await query<DigestSecretRow>({
    text:
      'select xui, realm, username, algorithm, ha1 from xcapd.digest_secrets ' +
      `where starts_with(ha1, '${sealedPrefix}') limit $1`,
    values: [sampleSize],
  });
  return rows.map(digestSecretOf).filter(isSealed);
}

/** Whether servers are connected that write with one of these keys, even if nothing that they wrote is left. */
async function isUsedElsewhere(query: Query, keys: readonly KeyRow[]): Promise<boolean> {
  for (const { id } of keys) {
    if (id !== unknownKey && (await serversBy(query, true, id)).length > 0) return true;
  }
  return false;
}
