/** One connection for single statements that do not wait for each other: reads of many requests travel together. */
import { Socket } from 'node:net';
import pg from 'pg';
import { clientConfig, sqlStateOf, timeouts, type DatabaseAddress } from './database.js';

export interface PipelinedClient {
  /**
   * Connects where there is no connection. Rejects when the database is away or a time-out has passed. A statement whose
   * connection is lost is done again, once: it has to be one that may be done twice.
   */
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
  end(): Promise<void>;
}

/** How long a statement may take, with those that went before it on the connection. */
export interface Patience {
  readonly query_timeout: number;
  readonly statement_timeout: number;
}

interface Line {
  readonly client: Promise<pg.Client>;
  readonly socket: Socket;
  /** Nobody is answered on it any more. */
  isLost: boolean;
}

/** When a statement is done again, its request has waited already. */
const secondPatienceMilliseconds = 2000;

/** Opens the connection with the first statement, and a new one with the first statement after it was lost. */
export function openPipelinedClient(
  address: DatabaseAddress,
  onError: (error: Error) => void,
  patience: Patience = timeouts,
): PipelinedClient {
  let current: Line | undefined;

  function leave(line: Line): void {
    line.isLost = true;
    if (current === line) current = undefined;
  }

  function connect(): Line {
    const socket = new Socket();
    const stream = () => socket;
    const client = new pg.Client({
      ...clientConfig(address),
      ...timeouts,
      ...patience,
      pipeline: true,
      stream,
    });
    const line: Line = { client: client.connect().then(() => client), socket, isLost: false };
    client.on('end', () => leave(line));
    client.on('error', (error) => {
      leave(line);
      onError(error);
    });
    line.client.catch(() => leave(line));
    return line;
  }

  async function ask<Row extends pg.QueryResultRow>(
    statement: pg.QueryConfig & { query_timeout?: number },
    isLast: boolean,
  ): Promise<pg.QueryResult<Row>> {
    const line = (current ??= connect());
    const client = await line.client;
    leaveTogether(line.socket);
    try {
      return await client.query<Row>(statement);
    } catch (error) {
      // It is the statement in front that times out first; pg then destroys the connection under all others.
      const isStuck = isReadTimeout(error) && !line.isLost;
      const isInnocent = !isStuck && (isReadTimeout(error) || isLoss(error));
      if (isStuck || isInnocent) leave(line);
      if (isLast || !isInnocent) throw error;
    }
    return ask({ ...statement, query_timeout: secondPatienceMilliseconds }, true);
  }

  return {
    query: (statement) => ask(statement, false),
    async end() {
      const client = await current?.client.catch(() => undefined);
      await client?.end();
    },
  };
}

/** Handing something to the kernel costs more than making it: what is written in one turn of the event loop goes at once. */
function leaveTogether(socket: Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  setImmediate(() => socket.uncork());
}

function isReadTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** No answer to the statement, unlike what the server says of it (a SQLSTATE, but for those of connections that end). */
function isLoss(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || /^(08|57P)/.test(state);
}
