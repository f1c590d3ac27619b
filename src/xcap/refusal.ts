import type { ConflictReport } from './conflict.js';

/** The statuses of requests that change nothing and get a sentence, not a conflict report. */
export type RefusalStatus = 400 | 403 | 404 | 405 | 412 | 414 | 415;

/** A request that is refused; `message` is a sentence for the person who debugs the client. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: RefusalStatus,
    message: string,
    /** The methods of the Allow header of a 405. */
    readonly allow?: readonly string[],
  ) {
    super(message);
  }
}

/** §11: a request that is refused with 409 and a detailed conflict report. */
export class Conflict extends Error {
  override readonly name = 'Conflict';

  constructor(readonly report: ConflictReport) {
    super('phrase' in report ? report.phrase : report.condition);
  }
}
