/** One connection for single statements that do not wait for each other: reads of all requests travel together. */
import pg from 'pg';
import { clientConfig, timeouts, type DatabaseAddress } from './database.js';

export interface PipelinedClient {
  /** Connects where there is no connection. Rejects when the database is away or a time-out has passed. */
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
  end(): Promise<void>;
}

/** Opens the connection with the first statement, and a new one with the first statement after it was lost. */
export function openPipelinedClient(
  address: DatabaseAddress,
  onError: (error: Error) => void,
): PipelinedClient {
  let current: Promise<pg.Client> | undefined;

  function connect(): Promise<pg.Client> {
    const client = new pg.Client({ ...clientConfig(address), ...timeouts, pipeline: true });
    const connected = client.connect().then(() => client);
    const forget = () => {
      if (current === connected) current = undefined;
    };
    client.on('end', forget);
    client.on('error', (error) => {
      forget();
      onError(error);
    });
    connected.catch(forget);
    return connected;
  }

  return {
    async query(statement) {
      current ??= connect();
      return (await current).query(statement);
    },
    async end() {
      const client = await current?.catch(() => undefined);
      await client?.end();
    },
  };
}
