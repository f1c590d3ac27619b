/** The statement that writes a version: each function does what the one before does, and more. */
import type pg from 'pg';
import type { Quota } from '../../subscribers/subscriber.js';
import { Conflict } from '../../xcap/conflict.js';
import type { StoredClaim } from '../../xcap/usage/claims.js';
import type { EntityTag, Xui } from '../../xcap/terms.js';
import type { DocumentKey } from './key.js';

export interface VersionToWrite {
  readonly key: DocumentKey;
  readonly author: Xui;
  /** Undefined where there is to be no document yet. */
  readonly expectedTag: EntityTag | undefined;
  readonly newTag: EntityTag;
  /** Null deletes. */
  readonly text: string | null;
  /** Undefined where documents of the usage claim nothing. */
  readonly claims: readonly StoredClaim[] | undefined;
  readonly limits: Quota | undefined;
  /** Why the version is flagged; undefined where it is not. */
  readonly flaw: string | undefined;
}

/** What became of an attempt to replace a version. */
export interface Swap {
  readonly swapped: boolean;
  /** URIs whose claims are refused. */
  readonly taken: readonly string[] | null;
  readonly exceeded: keyof Quota | null;
}

interface WriteOptions {
  /** The name of this machine in version records. */
  readonly node: string;
  readonly historyVersions: number;
}

/** Versions without a flaw cost nothing for flags. */
export function writeStatement(version: VersionToWrite, options: WriteOptions): NamedStatement {
  const statement = unflaggedStatement(version, options);
  return version.flaw === undefined ? statement : flagging(statement, version.flaw);
}

interface NamedStatement extends pg.QueryConfig {
  readonly name: string;
  readonly values: unknown[];
}

/** In the same statement, so that no version is ever without its flag. Its first values are those of all writes. */
function flagging({ name, text, values }: NamedStatement, flaw: string): NamedStatement {
  return {
    name: `${name}-flagged`,
    text:
      `with written as materialized (${text}), flagged as (` +
      'insert into xcapd.flagged_documents (xui, auid, path, entity_tag, reason) ' +
      `select $1, $2, $3, $5, $${values.length + 1} from written where swapped ` +
      'on conflict (xui, auid, path) do update set entity_tag = excluded.entity_tag, reason = excluded.reason' +
      ') select swapped, taken, exceeded from written',
    values: [...values, flaw],
  };
}

/** Versions that nobody limits cost nothing for limits, and those of usages without claims nothing for claims. */
function unflaggedStatement(
  { key, author, expectedTag, newTag, text, claims, limits }: VersionToWrite,
  { node, historyVersions }: WriteOptions,
): NamedStatement {
  const { xui, auid, path } = key;
  const values = [xui, auid, path, expectedTag ?? null, newTag, text, author, node, historyVersions];
  const claimed = [
    claims?.map(({ uri }) => uri) ?? null,
    claims?.map(({ element }) => element ?? null) ?? null,
  ];
  if (limits !== undefined && text !== null) {
    return {
      name: 'xcapd-write-within-quota',
      text:
        'select swapped, taken, exceeded from xcapd.write_document_within_quota' +
        '($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
      values: [...values, ...claimed, limits.documents ?? null, limits.bytes ?? null],
    };
  }
  if (claims !== undefined) {
    return {
      name: 'xcapd-write-claiming',
      text:
        'select swapped, taken, null as exceeded from xcapd.write_claiming_document' +
        '($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
      values: [...values, ...claimed],
    };
  }
  return {
    name: 'xcapd-write',
    text:
      'select xcapd.write_document($1, $2, $3, $4, $5, $6, $7, $8, $9) as swapped, ' +
      'null as taken, null as exceeded',
    values,
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
