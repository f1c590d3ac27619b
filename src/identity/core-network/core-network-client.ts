/**
 * HTTP as core functions speak it: HTTP/2, by ALPN over TLS and by prior knowledge over clear connections (3GPP TS 29.500
 * §5.2.1, RFC 9113 §3.3); HTTP/1.1 where the other end knows nothing else. What is sent here only asks, so it may be sent twice.
 */
import { TLSSocket } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { Agent, buildConnector, H2CClient, request, type Dispatcher } from 'undici';

export interface CoreNetworkRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For all attempts together. */
  readonly signal: AbortSignal;
}

export interface CoreNetworkReply {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  /** Empty where it is longer than any answer can be. */
  readonly text: string;
}

/** Posts to a core function. Rejects where there is no answer. */
export type CoreNetworkClient = (request: CoreNetworkRequest) => Promise<CoreNetworkReply>;

/** Keys, tokens and problems have a few hundred bytes. */
const maximalReplyBytes = 65_536;
const maximalOrigins = 100;
/** An other end that was replaced by a newer one is noticed after this time. */
const http1Milliseconds = 600_000;
/** One connection carries them all. */
const overHttp2 = { connections: 1, pipelining: 100 };

/**
 * Keeps one connection for each core function that speaks HTTP/2.
 *
 * @param ca the authorities for `https`; by default those of Node.js, to which NODE_EXTRA_CA_CERTS adds
 */
export function coreNetworkClient({ ca }: { readonly ca?: Buffer } = {}): CoreNetworkClient {
  const protocols = new LRUCache<string, 'h2' | 'http/1.1'>({ max: maximalOrigins });
  const speaksHttp1 = (origin: string) => protocols.set(origin, 'http/1.1', { ttl: http1Milliseconds });
  const trust = ca === undefined ? {} : { ca };
  const connect = buildConnector({ ...trust, allowH2: true });
  const tls = new Agent({
    ...overHttp2,
    allowH2: true,
    connect(options, callback) {
      connect(options, (...result) => {
        const [, socket] = result;
        if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
          speaksHttp1(`https://${options.host ?? options.hostname}`);
        }
        callback(...result);
      });
    },
  });
  const clear = new Agent({
    factory: (origin) => new H2CClient(origin, { pipelining: overHttp2.pipelining }),
  });
  const http1 = new Agent({ connections: 32, connect: trust });

  /** The first, and what is tried where the connection fails: it may have been closed a moment ago (GOAWAY, reset). */
  function attemptsFor({ protocol, origin }: URL): readonly [Dispatcher, Dispatcher] {
    const known = protocols.get(origin);
    if (known === 'http/1.1') return [http1, http1];
    if (protocol === 'https:') return [tls, tls];
    return known === 'h2' ? [clear, clear] : [clear, http1];
  }

  return async (sent) => {
    const url = new URL(sent.url);
    const [first, second] = attemptsFor(url);
    try {
      const reply = await post(first, sent);
      if (first === clear) protocols.set(url.origin, 'h2');
      return reply;
    } catch (error) {
      if (sent.signal.aborted) throw error;
    }
    try {
      const reply = await post(second, sent);
      if (first === clear && second === http1) speaksHttp1(url.origin);
      return reply;
    } catch (error) {
      // Perhaps it is another server now.
      protocols.delete(url.origin);
      throw error;
    }
  };
}

async function post(dispatcher: Dispatcher, sent: CoreNetworkRequest): Promise<CoreNetworkReply> {
  const { statusCode, headers, body } = await request(sent.url, {
    dispatcher,
    method: 'POST',
    headers: sent.headers,
    body: sent.body,
    signal: sent.signal,
    // Otherwise each would wait for the one before it.
    idempotent: true,
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maximalReplyBytes) return { status: statusCode, headers, text: '' };
    chunks.push(chunk);
  }
  return { status: statusCode, headers, text: Buffer.concat(chunks).toString('utf8') };
}

/** The value of a header that stands there once. */
export function headerOf({ headers }: CoreNetworkReply, name: string): string {
  return [headers[name]].flat()[0] ?? '';
}
