/** Another server's database as the input of an import. */
import type { ImportDocument, ImportInput, ImportSubscriber, RefusedPart } from '../import-input.js';
import { credentialsOf } from './source-credentials.js';
import { documentName } from './document-names.js';
import type { SourceDatabase } from './source-database.js';
import type { SourceKind } from './source-kinds.js';
import { sourceTables, type DocumentRow, type SubscriberRow } from './source-rows.js';

export interface MigrationOptions {
  readonly kind: SourceKind;
  /** The domain of users whose row has none. */
  readonly domain: string | undefined;
  /** The realm of all HA1; by default the domain of each user. */
  readonly realm: string | undefined;
}

/** Subscribers with their documents, then users who only have documents. */
export async function* inputsOfDatabase(
  database: SourceDatabase,
  options: MigrationOptions,
): AsyncGenerator<ImportInput> {
  const tables = await sourceTables(database);
  for await (const rows of tables.subscribers()) {
    for (const row of rows) yield* inputsOfSubscriber(row, options);
  }
  for await (const rows of tables.otherDocuments()) {
    const users = new Set(rows.map((row) => userOf(row, options)));
    for (const user of users) {
      const documents = rows.filter((row) => userOf(row, options) === user);
      yield* inputsOfUser(user ?? '', {}, documents, options);
    }
  }
}

function inputsOfSubscriber(row: SubscriberRow, options: MigrationOptions): readonly ImportInput[] {
  const user = userOf(row, options) ?? '';
  const domain = domainOf(row, options);
  const { credentials, unreadable } = credentialsOf({ ...row, domain }, options.realm ?? domain);
  const faults = unreadable.map((column) => ({
    user,
    credential: column,
    reason: `The column ${column} holds no HA1 of MD5 or SHA-256.`,
  }));
  return [...faults, ...inputsOfUser(user, credentials, row.documents, options)];
}

function inputsOfUser(
  user: string,
  credentials: Pick<ImportSubscriber, 'password' | 'digest'>,
  rows: readonly DocumentRow[],
  { kind }: MigrationOptions,
): readonly ImportInput[] {
  if (user === '') {
    const documents = rows.map(({ documentUri }) => documentUri);
    const reason = 'The row has no user name, or no domain: --domain says which one is meant.';
    return documents.length === 0 ? [{ reason }] : documents.map((document) => ({ document, reason }));
  }
  const read = rows.map((row) => documentOf(kind, user, row));
  const documents = read.filter((result) => 'content' in result);
  const subscriber: ImportSubscriber = { xui: user, ...credentials, documents };
  return [...read.filter((result) => 'reason' in result), { text: JSON.stringify(subscriber) }];
}

function documentOf(
  kind: SourceKind,
  user: string,
  { document, documentType, documentUri }: DocumentRow,
): ImportDocument | RefusedPart {
  const name = documentName(kind, documentType, documentUri);
  if ('fault' in name) return { user, document: documentUri, reason: name.fault };
  const content = decoded(document);
  if (content !== undefined) return { ...name, content };
  const reason = 'The document is not UTF-8.';
  return { user, document: `${name.auid}/${name.path}`, condition: 'not-utf-8', reason };
}

function userOf(
  row: Pick<SubscriberRow, 'username' | 'domain'>,
  options: MigrationOptions,
): string | undefined {
  const domain = domainOf(row, options);
  return row.username === '' || domain === '' ? undefined : `sip:${row.username}@${domain}`;
}

function domainOf({ domain }: Pick<SubscriberRow, 'domain'>, options: MigrationOptions): string {
  return domain === '' ? (options.domain ?? '') : domain;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
