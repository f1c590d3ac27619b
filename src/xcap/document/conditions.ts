/** §7.11, §8.2.6: If-Match and If-None-Match, by RFC 9110 §13.1. */
import { Refusal } from '../refusal.js';
import type { EntityTag } from '../terms.js';

export interface Conditions {
  readonly ifMatch?: EntityTagList;
  readonly ifNoneMatch?: EntityTagList;
}

export type EntityTagList = '*' | readonly ListedEntityTag[];

export interface ListedEntityTag {
  readonly tag: EntityTag;
  readonly weak: boolean;
}

/** A client knows a version or a few. */
const maximalEntityTags = 100;

/**
 * Reads the value of If-Match or If-None-Match. Tolerated from the field: a tag without quotes, and doubled quotes
 * (`""x""`), which handsets make that store the quotes as part of the tag.
 *
 * @returns undefined where the header is absent or empty: that is no condition.
 * @throws Refusal 400 for too many.
 */
export function parseEntityTagList(header: string | undefined): EntityTagList | undefined {
  const value = header?.trim() ?? '';
  if (value === '') return undefined;
  if (value === '*') return '*';
  const tags: ListedEntityTag[] = [];
  for (const [, weak, quoted, bare] of value.matchAll(/(W\/)?(?:"{1,2}([^"]*)"{1,2}|([^\s,"]+))/g)) {
    if (tags.length >= maximalEntityTags) {
      throw new Refusal(400, `If-Match and If-None-Match list at most ${maximalEntityTags} entity tags.`);
    }
    tags.push({ tag: quoted ?? bare ?? '', weak: weak !== undefined });
  }
  return tags;
}

/** The conditions of a request, from its header fields by their names in lower case. @throws Refusal 400 */
export function readConditions(headers: Readonly<Record<string, string | string[] | undefined>>): Conditions {
  const ifMatch = parseEntityTagList(headers['if-match']?.toString());
  const ifNoneMatch = parseEntityTagList(headers['if-none-match']?.toString());
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  };
}

/** RFC 9110 §13.1.1: strong comparison. */
export function matchesStrongly(list: EntityTagList, current: EntityTag | undefined): boolean {
  if (current === undefined) return false;
  return list === '*' || list.some(({ tag, weak }) => !weak && tag === current);
}

/** RFC 9110 §13.1.2: weak comparison. */
function matchesWeakly(list: EntityTagList, current: EntityTag | undefined): boolean {
  if (current === undefined) return false;
  return list === '*' || list.some(({ tag }) => tag === current);
}

/**
 * Judges the conditions of a write on the version that it replaces.
 *
 * @throws Refusal 412.
 */
export function checkWriteConditions(
  { ifMatch, ifNoneMatch }: Conditions,
  current: EntityTag | undefined,
): void {
  if (ifMatch !== undefined && !matchesStrongly(ifMatch, current)) {
    throw new Refusal(
      412,
      current === undefined
        ? 'If-Match failed: the document does not exist.'
        : 'If-Match failed: the document has changed since.',
    );
  }
  if (ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, current)) {
    throw new Refusal(412, 'If-None-Match failed: the document exists with that entity tag.');
  }
}

/**
 * Judges the conditions of a read.
 *
 * @returns true where the answer is 304.
 * @throws Refusal 412 for a failed If-Match.
 */
export function isNotModified(conditions: Conditions, current: EntityTag): boolean {
  if (conditions.ifMatch !== undefined && !matchesStrongly(conditions.ifMatch, current)) {
    throw new Refusal(412, 'If-Match failed: the document has changed since.');
  }
  return conditions.ifNoneMatch !== undefined && matchesWeakly(conditions.ifNoneMatch, current);
}
