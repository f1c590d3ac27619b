/** Somebody has to be asked who asks, and does not answer: the request can be repeated later. */
export class IdentityUnavailable extends Error {
  override readonly name = 'IdentityUnavailable';

  /** @param service what did not answer, in words for the answer and the log */
  constructor(
    readonly service: string,
    readonly retryAfterSeconds = 5,
    options?: ErrorOptions,
  ) {
    super(`${service} is not available now.`, options);
  }
}
