/** The statement that writes a version: each function does what the one before does, and more. */
import type pg from 'pg';
import { Conflict } from '../xcap/refusal.js';
import type { StoredClaim } from '../xcap/document-store.js';
import type { EntityTag, Xui } from '../xcap/terms.js';
import type { DocumentKey } from './document-key.js';

/** What a subscriber may have; undefined for what is not limited. */
export interface Limits {
  readonly documents: number | undefined;
  readonly bytes: number | undefined;
}

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
  readonly limits: Limits | undefined;
}

/** What became of an attempt to replace a version. */
export interface Swap {
  readonly swapped: boolean;
  /** URIs whose claims are refused. */
  readonly taken: readonly string[] | null;
  readonly exceeded: keyof Limits | null;
}

/** Versions that nobody limits cost nothing for limits, and those of usages without claims nothing for claims. */
export function writeStatement(
  { key, author, expectedTag, newTag, text, claims, limits }: VersionToWrite,
  { node, historyVersions }: { readonly node: string; readonly historyVersions: number },
): pg.QueryConfig {
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
export function quotaConflict(exceeded: keyof Limits, limits: Limits | undefined): Conflict {
  const limit = String(limits?.[exceeded] ?? 0);
  return new Conflict({
    condition: 'constraint-failure',
    phrase:
      exceeded === 'documents'
        ? `You may store at most ${limit} documents; delete one first.`
        : `Your documents may have at most ${limit} bytes in all; delete something first.`,
  });
}
