/** The one connection of a backup or a restore. */
import type pg from 'pg';
import { onOwnConnection, type DatabaseAddress } from '../database.js';

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

export function onConnection<Result>(
  address: DatabaseAddress,
  name: string,
  action: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  return onOwnConnection(address, name, async (client) => {
    await client.query(settings.join('; '));
    return action(client);
  });
}
