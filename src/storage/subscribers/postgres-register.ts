/** The register of subscribers on PostgreSQL. */
import type pg from 'pg';
import type { SubscriberRegister } from '../../subscribers/register.js';
import type { SecretBox } from '../../subscribers/secret-box.js';
import { openAuditTrail } from '../audit-trail.js';
import { openDocumentRecords } from '../documents/versions.js';
import { openSubscriberRecords } from './records.js';
import { openCredentialRegister, openGrantRegister, openRoleRegister } from './rights.js';
import { sealingWith } from '../secrets/secrets-keys.js';
import { openTransactions } from '../transactions.js';

/** @returns the register; its functions throw StoreUnavailable where the database is away. */
export function openSubscriberRegister(pool: pg.Pool, box: SecretBox): SubscriberRegister {
  const transactions = openTransactions(pool);
  const seal = sealingWith(box);
  return {
    ...openSubscriberRecords(transactions, seal),
    ...openCredentialRegister(transactions, seal),
    ...openGrantRegister(transactions),
    ...openRoleRegister(transactions),
    ...openDocumentRecords(transactions),
    ...openAuditTrail(transactions),
  };
}
