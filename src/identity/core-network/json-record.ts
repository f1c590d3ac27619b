/** Reading what network functions answer: JSON, of which nothing is certain. */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of that name where it is a string that is not empty. */
export function textOf(record: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = record[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The members of a list that are objects; none where it is no list. */
export function recordsOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** A key of 256 bits in hexadecimal digits. */
export function keyOf(digits: string | undefined): Buffer | undefined {
  return digits !== undefined && /^[0-9a-f]{64}$/i.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}

/** RFC 3339 in milliseconds since 1970; what cannot be read is as if it were not there. */
export function timeOf(dateTime: string | undefined): number | undefined {
  const time = Date.parse(dateTime ?? '');
  return Number.isNaN(time) ? undefined : time;
}
