/** The document store on PostgreSQL: compare-and-swap on the entity tag, and a cache that is confirmed at every use. */
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { memoryOf, storedDocument, type StoredDocument } from '../../xcap/document/stored-document.js';
import {
  HomeChanged,
  StoreUnavailable,
  type Change,
  type DocumentStore,
  type Written,
} from '../../xcap/document-store.js';
import type { EntityTag, Xui, HomeDocument } from '../../xcap/terms.js';
import { encodeDocumentSelector } from '../../xcap/uri/uri.js';
import { readClaimant, readFreeUris, readListedElements } from './claim-queries.js';
import { keyOf, selectorOf, type DocumentKey } from './key.js';
import { orUnavailable } from '../database.js';
import type { PipelinedClient } from '../pipelined-client.js';
import { inPages, queryOn } from '../transactions.js';
import { versionWriter } from './version-writer.js';
import { claimedHomeConflict, quotaConflict, type Owner } from './write-statement.js';

export interface StoreOptions {
  /** For writes: a commit waits for the disk, and others need not wait for it. */
  readonly pool: pg.Pool;
  /** For reads of one document each. */
  readonly reader: PipelinedClient;
  /** For what may be slow or large: nobody who reads a document waits behind it. */
  readonly listings: pg.Pool;
  /** How many versions of a document are kept; 0 keeps none. */
  readonly historyVersions: number;
  /** The name of this machine in version records. */
  readonly node: string;
  /** Whose home it is. By default nobody is a subscriber, and nobody is limited. */
  readonly ownerOf?: (xui: Xui) => Promise<Owner>;
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
  readonly flaw: string | null;
}

/** Others write the same document at the same time, in other processes. */
const maximalAttempts = 200;
const stranger: Owner = { isSubscriber: false, quota: undefined };
const cacheBytes = 64 * 1024 * 1024;

const readQuery = {
  name: 'xcapd-read',
  // Where the caller has the current version, its content does not travel, and its flaw is not looked for.
  text:
    'select entity_tag, case when entity_tag = $4 then null else content end as content, ' +
    'case when entity_tag = $4 then null else (select reason from xcapd.flagged_documents as flagged where ' +
    '(flagged.xui, flagged.auid, flagged.path, flagged.entity_tag) = (d.xui, d.auid, d.path, d.entity_tag)) end as flaw ' +
    'from xcapd.documents as d where xui = $1 and auid = $2 and path = $3',
};

const homeQuery = {
  name: 'xcapd-home',
  text:
    'select xui, auid, path, entity_tag, changed_at, octet_length(content) as bytes ' +
    'from xcapd.documents where xui = $1 and (auid, path) > ($2, $3) order by auid, path limit $4',
};

interface HomeRow extends DocumentKey {
  readonly entity_tag: string;
  readonly changed_at: Date;
  readonly bytes: number;
}

/** Opens the store on a pool; the schema is there already. */
export function openDocumentStore({
  pool,
  reader,
  listings,
  historyVersions,
  node,
  ownerOf = async () => stranger,
}: StoreOptions): PostgresDocumentStore {
  const cache = new LRUCache<string, StoredDocument>({
    maxSize: cacheBytes,
    sizeCalculation: memoryOf,
  });
  const list = queryOn(listings);
  const writeVersion = versionWriter(pool, { node, historyVersions });
  const writers = new Map<string, Promise<unknown>>();
  let cacheHits = 0;
  let cacheMisses = 0;

  async function query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<Row[]> {
    const { rows } = await orUnavailable(reader.query<Row>(statement));
    return rows;
  }

  async function readCurrent(key: DocumentKey): Promise<StoredDocument | undefined> {
    const cacheKey = cacheKeyOf(key);
    const cached = cache.get(cacheKey);
    const values = [key.xui, key.auid, key.path, cached?.entityTag ?? null];
    const [row] = await query<CurrentRow>({ ...readQuery, values });
    if (row === undefined) {
      cache.delete(cacheKey);
      return undefined;
    }
    if (row.content === null && cached !== undefined) {
      cacheHits++;
      return cached;
    }
    cacheMisses++;
    const document = storedDocument(row.content ?? '', row.entity_tag, { flaw: row.flaw ?? undefined });
    cache.set(cacheKey, document);
    return document;
  }

  async function changeAndSwap<Outcome>(
    key: DocumentKey,
    author: Xui,
    change: (current: StoredDocument | undefined) => Change<Outcome>,
  ): Promise<Written<Outcome>> {
    const cacheKey = cacheKeyOf(key);
    const owner = key.xui === '' ? stranger : await ownerOf(key.xui);
    let current = cache.get(cacheKey);
    let isCurrent = current === undefined;
    if (isCurrent) current = await readCurrent(key);
    for (let attempt = 0; attempt < maximalAttempts; attempt++) {
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
      const { next, claims, flaw, audit, outcome } = changed;
      const entityTag = newEntityTag();
      const version =
        next === undefined ? undefined : storedDocument(next.text, entityTag, { tree: next, flaw });
      cache.delete(cacheKey);
      const { swapped, taken, exceeded, home } = await writeVersion({
        key,
        author,
        expectedTag: current?.entityTag,
        newTag: entityTag,
        text: version?.text ?? null,
        claims,
        flaw,
        audit,
        owner,
      });
      if (home === 'claimed') throw claimedHomeConflict();
      if (home !== null) throw new HomeChanged(home);
      if (exceeded !== null) throw quotaConflict(exceeded, owner.quota);
      if (swapped) {
        if (version === undefined) return { kind: 'written', outcome, entityTag: undefined };
        cache.set(cacheKey, version);
        return { kind: 'written', outcome, entityTag };
      }
      const actual = await readCurrent(key);
      if (taken !== null && actual?.entityTag === current?.entityTag)
        return { kind: 'taken', outcome, uris: taken };
      current = actual;
      isCurrent = true;
    }
    throw new StoreUnavailable('others are always faster');
  }

  return {
    read: (document) => readCurrent(keyOf(document)),
    write(document, author, change) {
      const key = keyOf(document);
      return inTurn(writers, cacheKeyOf(key), () => changeAndSwap(key, author, change));
    },
    claimant: (uri) => readClaimant(list, uri),
    freeUris: (uris) => readFreeUris(list, uris),
    listedElements: (auid, known) => readListedElements(list, auid, known),
    async home(xui) {
      const rows = await inPages<HomeRow>((after, limit) =>
        list({ ...homeQuery, values: [xui, after?.auid ?? '', after?.path ?? '', limit] }),
      );
      return rows.map(homeDocument);
    },
    async ping() {
      const [row] = await query<{ read_only: boolean }>({
        name: 'xcapd-ping',
        text: "select current_setting('transaction_read_only')::boolean as read_only, (select count(*) from (select from xcapd.documents limit 1) as any_document)",
      });
      if (row?.read_only !== false) throw new StoreUnavailable('the database is read-only');
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

/** Short, because some SIP servers keep entity tags in small buffers; 90 random bits are never drawn twice. */
function newEntityTag(): EntityTag {
  return randomUUID().replaceAll('-', '').slice(0, 24);
}

function homeDocument({ xui, auid, path, entity_tag, changed_at, bytes }: HomeRow): HomeDocument {
  return {
    auid,
    selector: encodeDocumentSelector(selectorOf({ xui, auid, path })),
    entityTag: entity_tag,
    lastModified: changed_at.toISOString(),
    bytes,
  };
}

/** No part of a key has a NUL: the URI refuses control characters. */
function cacheKeyOf({ xui, auid, path }: DocumentKey): string {
  return `${xui}\0${auid}\0${path}`;
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
