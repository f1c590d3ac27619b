/** 502: no answer that could be handed on. 504: none in time. 508: the request came from this server (RFC 5842 §7.2). */
export type UpstreamFailureStatus = 502 | 504 | 508;

const sentences: Readonly<Record<UpstreamFailureStatus, string>> = {
  502: 'The server that keeps these documents cannot be reached or gives no proper answer.',
  504: 'The server that keeps these documents does not answer in time.',
  508: 'This request goes round in circles; the operator has to correct the upstreams.',
};

/** The server behind this one does not do its part. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';

  constructor(
    readonly status: UpstreamFailureStatus,
    options?: ErrorOptions,
  ) {
    super(sentences[status], options);
  }
}
