/**
 * The latest requests of each subscriber, written in the background, at most one batch in a second. Under pressure, and where
 * the database is away, requests are lost and counted: serving goes on.
 */
import type {
  AnsweredRequest,
  PastRequest,
  RequestFacts,
  RequestHistory,
} from '../../subscribers/request-history.js';
import type { Xui } from '../../xcap/terms.js';
import type { Query } from '../database.js';
import type { Transactions } from '../transactions.js';

export interface KeptRequests extends RequestHistory {
  /** How many were lost in this process. */
  lost(): number;
  /** Writes what waits. */
  flush(): Promise<void>;
}

export interface KeptRequestsOptions {
  /** Of one subscriber; 0 keeps none. */
  readonly most: number;
  readonly flushMilliseconds?: number;
  readonly maximalWaiting?: number;
}

interface RequestRow {
  readonly at: Date;
  readonly status: number;
  readonly asker: string | null;
  readonly facts: RequestFacts;
}

export function openKeptRequests(
  { query, inTransaction }: Transactions,
  { most, flushMilliseconds = 1000, maximalWaiting = 1000 }: KeptRequestsOptions,
): KeptRequests {
  let waiting: AnsweredRequest[] = [];
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  async function writeBatch(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      await inTransaction((query) => insert(query, batch));
    } catch {
      lost += batch.length;
      return;
    }
    // Two processes may be in each other's way here; what one leaves is pruned with the next request.
    await prune(query, [...new Set(batch.map(({ subscriber }) => subscriber))], most).catch(() => undefined);
  }

  function flush(): Promise<void> {
    writing = writing.then(writeBatch);
    return writing;
  }

  return {
    isOn: most > 0,
    remember(request) {
      if (most === 0) return;
      // What was refused is what somebody will ask for: the others have half of the room.
      if (request.status < 400 && waiting.length >= maximalWaiting / 2) {
        lost++;
        return;
      }
      if (waiting.length >= maximalWaiting) {
        waiting.shift();
        lost++;
      }
      waiting.push(request);
      timer ??= setTimeout(() => void flush(), flushMilliseconds).unref();
    },
    async latest(xui, { isRefused }) {
      await flush();
      const rows = await query<RequestRow>({
        text:
          'select at, status, asker, facts from xcapd.requests where xui = $1 and (not $2 or status >= 400) ' +
          'order by at desc, id desc limit $3',
        values: [xui, isRefused, most],
      });
      return rows.map(pastRequest);
    },
    lost: () => lost,
    flush,
  };
}

function pastRequest({ at, status, asker, facts }: RequestRow): PastRequest {
  return { at: at.toISOString(), status, ...(asker === null ? {} : { asker }), ...facts };
}

/**
 * Of those who are subscribers at this moment. Whoever asked and has been erased since, or lost that identity, is not named:
 * see migration 9 for the lock.
 */
async function insert(query: Query, batch: readonly AnsweredRequest[]): Promise<void> {
  await query({ text: "select pg_advisory_xact_lock_shared(hashtextextended('xcapd.requests', 0))" });
  await query({
    text:
      'insert into xcapd.requests (xui, at, status, asker, facts) ' +
      'select subscribers.xui, request.at, request.status, ' +
      'case when request.asker_xui is null or exists (select from xcapd.identities ' +
      'where identity = request.asker and identities.xui = request.asker_xui) then request.asker end, request.facts ' +
      'from jsonb_to_recordset($1::jsonb) as request ' +
      '(xui text, at timestamptz, status integer, asker text, asker_xui text, facts jsonb) ' +
      'join xcapd.subscribers on subscribers.xui = request.xui order by request.at',
    values: [JSON.stringify(batch.map(rowOf))],
  });
}

function rowOf({ subscriber, askerSubscriber, at, status, asker, ...facts }: AnsweredRequest): object {
  return { xui: subscriber, at, status, asker, asker_xui: askerSubscriber, facts };
}

async function prune(query: Query, xuis: readonly Xui[], most: number): Promise<void> {
  await query({
    text:
      'delete from xcapd.requests using unnest($1::text[]) as owner (xui), ' +
      'lateral (select id from xcapd.requests as kept where kept.xui = owner.xui order by id desc offset $2 limit 1) as last ' +
      'where requests.xui = owner.xui and requests.id <= last.id',
    values: [xuis, most],
  });
}
