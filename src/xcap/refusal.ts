/** What is refused with a status and a sentence, and without a conflict report. */

/** The statuses of requests that change nothing and get a sentence, not a conflict report. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 412 | 413 | 414 | 415 | 421 | 507;

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

/** §8.3, §8.4. */
export function noSuchDocument(): Refusal {
  return new Refusal(404, 'There is no such document.');
}

export function noSuchNode(): Refusal {
  return new Refusal(404, 'The node selector does not select exactly one node of the document.');
}

/** A document that the server would make from those of all users (RFC 4918 §11.5: it cannot be kept). */
export function tooLargeToMake(maximalBytes: number): Refusal {
  return new Refusal(
    507,
    `This document would be made from more than ${maximalBytes / 1024 / 1024} MiB of other documents, which is too much for ` +
      'one document. Please read the documents of the users themselves.',
  );
}

/** The methods of what the server makes, and of what is a part of something else. */
export const readOnlyMethods = ['GET', 'HEAD'] as const;

export function readOnly(reason: string): Refusal {
  return new Refusal(405, `${reason} It can be read, but not written.`, readOnlyMethods);
}
