/** The statements that write one version, or several. */
import type pg from 'pg';
import type { Quota } from '../../subscribers/subscriber.js';
import { Conflict } from '../../xcap/conflict.js';
import type { AuditEntry } from '../../xcap/document-store.js';
import type { StoredClaim } from '../../xcap/usage/claims.js';
import type { EntityTag, Xui } from '../../xcap/terms.js';
import type { DocumentKey } from './key.js';

export interface VersionToWrite {
  readonly key: DocumentKey;
  readonly author: Xui;
  /** What the writer takes the owner of the home for. */
  readonly owner: Owner;
  /** Undefined where there is to be no document yet. */
  readonly expectedTag: EntityTag | undefined;
  readonly newTag: EntityTag;
  /** Null deletes. */
  readonly text: string | null;
  /** Undefined where documents of the usage claim nothing. */
  readonly claims: readonly StoredClaim[] | undefined;
  /** Why the version is flagged; undefined where it is not. */
  readonly flaw: string | undefined;
  readonly audit: AuditEntry | undefined;
}

/** Whose home it is. */
export interface Owner {
  readonly isSubscriber: boolean;
  /** Undefined where nothing is limited. */
  readonly quota: Quota | undefined;
}

/** What became of an attempt to replace a version, see migrations/0006.do.one-write.sql. */
export interface Swap {
  readonly swapped: boolean;
  /** URIs whose claims are refused. */
  readonly taken: readonly string[] | null;
  readonly exceeded: keyof Quota | null;
  readonly home: 'moved' | 'gone' | 'claimed' | null;
}

export interface WriteOptions {
  /** The name of this machine in version records. */
  readonly node: string;
  readonly historyVersions: number;
}

export function writeStatement(
  version: VersionToWrite,
  { node, historyVersions }: WriteOptions,
): pg.QueryConfig {
  const { key, author, owner, expectedTag, newTag, text, claims, flaw, audit } = version;
  return {
    name: 'xcapd-write',
    text:
      'select swapped, taken, exceeded, home from xcapd.write' +
      '($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)',
    values: [
      ...[key.xui, key.auid, key.path, expectedTag, newTag, text, author, node, historyVersions],
      owner.isSubscriber,
      claims?.map(({ uri }) => uri),
      claims?.map(({ element }) => element ?? null),
      owner.quota?.documents,
      owner.quota?.bytes,
      flaw,
      audit === undefined ? undefined : JSON.stringify(audit),
    ],
  };
}

/** Of writes that change no claims. A row comes back for each of them, with its place, from 1. */
export function writesStatement(
  versions: readonly VersionToWrite[],
  { node, historyVersions }: WriteOptions,
): pg.QueryConfig {
  return {
    name: 'xcapd-writes',
    text:
      'select place, swapped, null as taken, exceeded, home from xcapd.write_documents' +
      '($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)',
    values: [
      versions.map(({ key }) => key.xui),
      versions.map(({ key }) => key.auid),
      versions.map(({ key }) => key.path),
      versions.map(({ expectedTag }) => expectedTag ?? null),
      versions.map(({ newTag }) => newTag),
      versions.map(({ text }) => text),
      versions.map(({ author }) => author),
      versions.map(({ owner }) => owner.isSubscriber),
      versions.map(({ owner }) => owner.quota?.documents ?? null),
      versions.map(({ owner }) => owner.quota?.bytes ?? null),
      versions.map(({ flaw }) => flaw ?? null),
      versions.map(({ audit }) => (audit === undefined ? null : JSON.stringify(audit))),
      node,
      historyVersions,
    ],
  };
}

/** Handsets show the sentence to their user. */
export function quotaConflict(exceeded: keyof Quota, limits: Quota | undefined): Conflict {
  const limit = String(limits?.[exceeded] ?? 0);
  return new Conflict({
    condition: 'constraint-failure',
    phrase:
      exceeded === 'documents'
        ? `You may store at most ${limit} documents; delete one first.`
        : `Your documents may have at most ${limit} bytes in all; delete something first.`,
  });
}

/** §5.3: a URI is that of one document, or of one user. */
export function claimedHomeConflict(): Conflict {
  return new Conflict({
    condition: 'constraint-failure',
    phrase:
      'Another document has claimed this address for a service or a group; your operator can settle it.',
  });
}
