/** The document store on PostgreSQL: compare-and-swap on the entity tag, and a cache that is confirmed at every use. */
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import {
  storedDocument,
  StoreUnavailable,
  type Change,
  type DocumentStore,
  type StoredDocument,
  type Written,
} from '../xcap/document-store.js';
import type { PipelinedClient } from './pipelined-client.js';
import type { DocumentSelector, EntityTag, Xui } from '../xcap/terms.js';
import { encodeSegment } from '../xcap/uri.js';

export interface StoreOptions {
  /** For writes: a commit waits for the disk, and others need not wait for it. */
  readonly pool: pg.Pool;
  /** For reads. */
  readonly reader: PipelinedClient;
  /** How many versions of a document are kept; 0 keeps none. */
  readonly historyVersions: number;
  /** The name of this machine in version records. */
  readonly node: string;
}

/** For the metrics: what the pool and the cache do. */
export interface StoreFigures {
  readonly poolConnections: number;
  readonly poolIdle: number;
  readonly poolWaiting: number;
  readonly cacheDocuments: number;
  readonly cacheBytes: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
}

export interface PostgresDocumentStore extends DocumentStore {
  /** A real round trip. @throws StoreUnavailable */
  ping(): Promise<void>;
  figures(): StoreFigures;
}

interface CurrentRow {
  readonly entity_tag: string;
  /** Null where the caller has it. */
  readonly content: string | null;
}

type Key = readonly [xui: string, auid: string, path: string];

const cacheBytes = 64 * 1024 * 1024;
/** What a parsed document takes for each character of its text: 9 to 12 bytes of tree (measured), and the text. */
const bytesPerCharacter = 14;

const readQuery = {
  name: 'xcapd-read',
  // Where the caller has the current version, its content does not travel.
  text:
    'select entity_tag, case when entity_tag = $4 then null else content end as content ' +
    'from xcapd.documents where xui = $1 and auid = $2 and path = $3',
};

const writeQuery = {
  name: 'xcapd-write',
  text: 'select xcapd.write_document($1, $2, $3, $4, $5, $6, $7, $8, $9) as swapped',
};

/** Opens the store on a pool; the schema is there already. */
export function openDocumentStore({
  pool,
  reader,
  historyVersions,
  node,
}: StoreOptions): PostgresDocumentStore {
  const cache = new LRUCache<string, StoredDocument>({
    maxSize: cacheBytes,
    sizeCalculation: ({ text }) => 200 + text.length * bytesPerCharacter,
  });
  const writers = new Map<string, Promise<unknown>>();
  let cacheHits = 0;
  let cacheMisses = 0;

  async function readCurrent(key: Key): Promise<StoredDocument | undefined> {
    const cacheKey = cacheKeyOf(key);
    const cached = cache.get(cacheKey);
    const values = [...key, cached?.entityTag ?? null];
    const { rows } = await orUnavailable(reader.query<CurrentRow>({ ...readQuery, values }));
    const [row] = rows;
    if (row === undefined) {
      cache.delete(cacheKey);
      return undefined;
    }
    if (row.content === null && cached !== undefined) {
      cacheHits++;
      return cached;
    }
    cacheMisses++;
    const document = storedDocument(row.content ?? '', row.entity_tag);
    cache.set(cacheKey, document);
    return document;
  }

  async function swap(
    key: Key,
    author: Xui,
    current: StoredDocument | undefined,
    next: StoredDocument | { entityTag: EntityTag; text: null },
  ): Promise<boolean> {
    const tags = [current?.entityTag ?? null, next.entityTag];
    const values = [...key, ...tags, next.text, author, node, historyVersions];
    const { rows } = await orUnavailable(pool.query<{ swapped: boolean }>({ ...writeQuery, values }));
    return rows[0]?.swapped === true;
  }

  async function changeAndSwap<Outcome>(
    key: Key,
    author: Xui,
    change: (current: StoredDocument | undefined) => Change<Outcome>,
  ): Promise<Written<Outcome>> {
    const cacheKey = cacheKeyOf(key);
    let current = cache.get(cacheKey);
    let isCurrent = current === undefined;
    if (isCurrent) current = await readCurrent(key);
    for (;;) {
      let changed: Change<Outcome>;
      try {
        changed = change(current);
      } catch (refusal) {
        // No check is ever stale: a refusal counts only on the version that is current.
        const actual = isCurrent ? current : await readCurrent(key);
        if (actual?.entityTag === current?.entityTag) throw refusal;
        current = actual;
        isCurrent = true;
        continue;
      }
      const { next, outcome } = changed;
      const entityTag = newEntityTag();
      const version = next === undefined ? undefined : storedDocument(next.text, entityTag, next);
      cache.delete(cacheKey);
      if (await swap(key, author, current, version ?? { entityTag, text: null })) {
        if (version === undefined) return { outcome, entityTag: undefined };
        cache.set(cacheKey, version);
        return { outcome, entityTag };
      }
      current = await readCurrent(key);
      isCurrent = true;
    }
  }

  return {
    read: (document) => readCurrent(keyOf(document)),
    write(document, author, change) {
      const key = keyOf(document);
      return inTurn(writers, cacheKeyOf(key), () => changeAndSwap(key, author, change));
    },
    async ping() {
      await orUnavailable(
        reader.query({ name: 'xcapd-ping', text: 'select 1 from xcapd.documents limit 1' }),
      );
    },
    figures: () => ({
      poolConnections: pool.totalCount,
      poolIdle: pool.idleCount,
      poolWaiting: pool.waitingCount,
      cacheDocuments: cache.size,
      cacheBytes: cache.calculatedSize,
      cacheHits,
      cacheMisses,
    }),
  };
}

/** @throws StoreUnavailable where the database is away. */
async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw isOutage(error) ? new StoreUnavailable('the database is away', { cause: error }) : error;
  }
}

/** Short, because some SIP servers keep entity tags in small buffers; 90 random bits are never drawn twice. */
function newEntityTag(): EntityTag {
  return randomUUID().replaceAll('-', '').slice(0, 24);
}

function keyOf(document: DocumentSelector): Key {
  const xui = document.tree === 'users' ? document.xui : '';
  return [xui, document.auid, document.path.map(encodeSegment).join('/')];
}

/** No part of a key has a NUL: the URI refuses control characters. */
function cacheKeyOf(key: Key): string {
  return key.join('\0');
}

/** Writers of one document in this process queue, instead of losing the swap to each other. */
function inTurn<T>(queue: Map<string, Promise<unknown>>, key: string, task: () => Promise<T>): Promise<T> {
  const previous = queue.get(key) ?? Promise.resolve();
  const turn = previous.then(task, task);
  queue.set(key, turn);
  const leave = () => {
    if (queue.get(key) === turn) queue.delete(key);
  };
  turn.then(leave, leave);
  return turn;
}

/**
 * Anything but a fault of ours (SQLSTATE classes of bad data, constraints, syntax and schema, internal errors): no
 * connection, timeouts, a server that starts, stops, recovers or refuses connections. All that passes by itself.
 */
function isOutage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return !/^(0A|21|22|23|42|P0|XX)[0-9A-Z]{3}$/.test(code);
}
