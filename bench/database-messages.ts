/** What the benchmark and its database clients tell each other, and the statements that are measured. */

import type { Run } from './statistics.js';

export type Statement = 'select' | 'update';

export interface DatabaseRun {
  readonly statement: Statement;
  readonly milliseconds: number;
  /** Each closed loop has row numbers of its own, which it takes in turn. */
  readonly loops: readonly (readonly number[])[];
}

/** What was measured, or why a statement failed. */
export type DatabaseAnswer = Run | { readonly error: string };

export const createRows = `
  create schema bench;
  create table bench.rows (id integer primary key, content text not null) with (fillfactor = 80);
`;
export const fillRows = 'insert into bench.rows select n, $2 from generate_series(0, $1::integer - 1) n';
