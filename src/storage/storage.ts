/** All that is kept in PostgreSQL, opened together: documents, subscribers, the counts of nonces. */
import { hostname } from 'node:os';
import type { SubscriberRegister } from '../subscribers/register.js';
import type { SecretBox } from '../subscribers/secret-box.js';
import type { Quota } from '../subscribers/subscriber.js';
import type { Xui } from '../xcap/terms.js';
import { openPool, poolSizes, type DatabaseAddress } from './database.js';
import { openDocumentStore, type PostgresDocumentStore } from './documents/store.js';
import { openNonceCounts, type PostgresNonceCounts } from './nonces/counts.js';
import { openPipelinedClient } from './pipelined-client.js';
import { agreeOnKey } from './secrets/secrets-keys.js';
import { serverName } from './secrets/server-names.js';
import { readServerKey } from './server-keys.js';
import { openKeptRequests, type KeptRequests } from './subscribers/kept-requests.js';
import { openSubscriberDirectory, type CachedSubscriberDirectory } from './subscribers/directory.js';
import { openSubscriberRegister } from './subscribers/postgres-register.js';
import { openTransactions } from './transactions.js';

export interface StorageOptions {
  readonly database: DatabaseAddress;
  readonly historyVersions: number;
  /** How many requests of each subscriber are kept. */
  readonly requestHistory: number;
  /** For users whose subscription says nothing else. */
  readonly quota: Quota;
  /** The keys of this process. */
  readonly secretBox: SecretBox;
  /** A connection was lost. */
  readonly onError: (error: Error) => void;
}

export interface Storage {
  readonly documents: PostgresDocumentStore;
  readonly directory: CachedSubscriberDirectory;
  readonly register: SubscriberRegister;
  readonly requests: KeptRequests;
  readonly nonceCounts: PostgresNonceCounts;
  /** A key that all processes on this database share. */
  readonly serverKey: (name: string) => Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens the storage on a database that has its schema.
 *
 * @throws where the database is away
 * @throws SecretsKeyError where secrets are sealed with a key that this process does not have
 */
export async function openStorage({
  database: address,
  historyVersions,
  requestHistory,
  quota,
  secretBox,
  onError,
}: StorageOptions): Promise<Storage> {
  const database = { ...address, applicationName: serverName(secretBox.keyIds) };
  // Each of these waits for none of the others, whatever blocks it.
  const pool = openPool(database, onError);
  const listings = openPool(database, onError, poolSizes.listings);
  // When others can see which keys are here, so that none begins to use another one between the two.
  await agreeOnKey(openTransactions(listings).inTransaction, secretBox).catch(async (error: unknown) => {
    await listings.end();
    throw error;
  });
  const reader = openPipelinedClient(database, onError);
  const subscriberReader = openPipelinedClient(database, onError);
  const directory = openSubscriberDirectory(subscriberReader);
  const ownerOf = async (xui: Xui) => {
    const subscriber = await directory.withIdentity(xui);
    return { isSubscriber: subscriber !== undefined, quota: limitsWith(quota, subscriber?.quota) };
  };
  const documents = openDocumentStore({ pool, reader, listings, historyVersions, node: hostname(), ownerOf });
  const nonceCounts = await openNonceCounts({ reader: subscriberReader, address: database, onError });
  const requests = openKeptRequests(openTransactions(listings), { most: requestHistory });
  return {
    documents,
    requests,
    directory,
    register: openSubscriberRegister(listings, secretBox),
    nonceCounts,
    serverKey: (name) => readServerKey(subscriberReader, name),
    async close() {
      await requests.flush();
      await Promise.all(
        [pool, listings, nonceCounts, reader, subscriberReader].map((opened) => opened.end()),
      );
    },
  };
}

/** What the subscription says, and what it leaves to the configuration. */
function limitsWith(quota: Quota, own?: Quota): Quota | undefined {
  const documents = own?.documents ?? quota.documents;
  const bytes = own?.bytes ?? quota.bytes;
  return documents === undefined && bytes === undefined ? undefined : { documents, bytes };
}
