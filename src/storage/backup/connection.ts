/** The one connection of a backup or a restore. */
import pg from 'pg';
import { clientConfig, type DatabaseAddress } from '../database.js';

/** Values as text that any PostgreSQL reads as the same ones, and statements that may take their time. */
const settings = [
  "set client_encoding to 'UTF8'",
  "set datestyle to 'ISO'",
  "set intervalstyle to 'postgres'",
  "set timezone to 'UTC'",
  'set extra_float_digits to 3',
  "set bytea_output to 'hex'",
  'set statement_timeout to 0',
  'set idle_in_transaction_session_timeout to 0',
];

export async function onConnection<Result>(
  address: DatabaseAddress,
  name: string,
  action: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    ...clientConfig(address),
    application_name: name,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  });
  // A connection that breaks fails the statement, or the next one.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(settings.join('; '));
    return await action(client);
  } finally {
    // Without a commit nothing happened.
    await client.end().catch(() => undefined);
  }
}
