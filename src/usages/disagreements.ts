/** What becomes of disagreements between the schema validators: all are counted, and the first of each schema is reported. */
import type { Disagreement } from '../xml/schema.js';

export interface Disagreements {
  readonly add: (disagreement: Disagreement) => void;
  readonly count: () => number;
}

export function countDisagreements(report: (disagreement: Disagreement) => void): Disagreements {
  let count = 0;
  const reported = new Set<string>();
  return {
    add(disagreement) {
      count += 1;
      if (reported.has(disagreement.schema)) return;
      reported.add(disagreement.schema);
      report(disagreement);
    },
    count: () => count,
  };
}
