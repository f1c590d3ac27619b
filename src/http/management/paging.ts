/** Lists in pages: how a page is asked for, and the cursor that leads to the next one. */
import { Type } from 'typebox';
import type { Page, PageRequest } from '../../subscribers/register.js';
import { Problem } from './problem.js';

const defaultLimit = 100;

export const pageProperties = {
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
  /** At most 1000. */
  limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$' })),
};

/** How a list without other parameters is asked for. */
export const pageQuery = Type.Object(pageProperties, { additionalProperties: false });

interface PageQuery {
  readonly cursor?: string;
  readonly limit?: string;
}

/** What the key of a list looks like; the database would not take anything else. */
export const keys = {
  text: /^[^\0]+$/,
  number: /^\d{1,18}$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
} as const;

/** @throws Problem 400 for a cursor that is none of this list. */
export function pageRequest({ cursor, limit }: PageQuery, key: RegExp): PageRequest {
  const after = cursor === undefined ? undefined : keyIn(cursor);
  if (cursor !== undefined && (after === undefined || !key.test(after))) {
    throw new Problem(400, 'The cursor is not one that this list gave.', { code: 'invalid-cursor' });
  }
  return { after, limit: limit === undefined ? defaultLimit : Number(limit) };
}

/** What is behind the mark, so that not every text is a cursor. */
const mark = 'after:';

function keyIn(cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  const text = bytes.toString('utf8');
  const isWhole = bytes.toString('base64url') === cursor && Buffer.from(text).equals(bytes);
  return isWhole && text.startsWith(mark) ? text.slice(mark.length) : undefined;
}

/** The body of a page. `next` is the cursor for the page behind it; it is missing on the last one. */
export function pageBody<Item, Shown>({ items, next }: Page<Item>, show: (item: Item) => Shown) {
  return {
    items: items.map(show),
    ...(next === undefined ? {} : { next: Buffer.from(`${mark}${next}`).toString('base64url') }),
  };
}
