/** Each count of a nonce is good for one request (RFC 7616 §3.4, `nc`; §5.12). */

/** The port to where the counts are kept, for all processes together. */
export interface NonceCounts {
  /** With what the nonces of this process have to begin: hexadecimal digits, as many in every process. */
  readonly maker: string;
  /**
   * True where this count of the nonce was not used before, in whatever process, and never will be true for it again.
   * The counts may come out of order, as they do over parallel connections, but not by more than a window. Only for nonces
   * that have not expired.
   *
   * @param expiresAt milliseconds since 1970
   */
  use(nonce: string, count: number, expiresAt: number): Promise<boolean>;
}
