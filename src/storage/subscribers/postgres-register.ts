/** The register of subscribers on PostgreSQL. */
import type pg from 'pg';
import type { SubscriberRegister } from '../../subscribers/register.js';
import { openAuditTrail } from '../audit-trail.js';
import { openDocumentRecords } from '../documents/versions.js';
import { openSubscriberRecords } from './records.js';
import { openCredentialRegister, openGrantRegister, openRoleRegister } from './rights.js';
import { openTransactions } from '../transactions.js';

/** @returns the register; its functions throw StoreUnavailable where the database is away. */
export function openSubscriberRegister(pool: pg.Pool): SubscriberRegister {
  const transactions = openTransactions(pool);
  return {
    ...openSubscriberRecords(transactions),
    ...openCredentialRegister(transactions),
    ...openGrantRegister(transactions),
    ...openRoleRegister(transactions),
    ...openDocumentRecords(transactions),
    ...openAuditTrail(transactions),
  };
}
