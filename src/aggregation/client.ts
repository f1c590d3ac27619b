/** Requests to the servers behind this one. */
import { Agent, errors, type Dispatcher } from 'undici';
import { UpstreamFailure } from './failure.js';

export interface UpstreamRequest {
  readonly origin: string;
  /** The raw request target. */
  readonly path: string;
  readonly method: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: Buffer | undefined;
  /** Until the header of the answer is there. */
  readonly timeoutMilliseconds?: number;
}

export interface UpstreamClient {
  /** @throws UpstreamFailure where there is no answer */
  request(request: UpstreamRequest): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

/** A handset gives up after some ten seconds, and the upstream waits for its database for some five. */
const usualTimeoutMilliseconds = 7000;
const connectTimeoutMilliseconds = 2000;
/** Whoever cannot be reached is not asked again for this time: requests do not queue up for it. */
const pauseMilliseconds = 1000;
const maximalConnections = 128;
const maximalHeaderBytes = 32768;

/** Keeps connections, and makes new ones by itself when the upstream is back. */
export function openUpstreamClient(): UpstreamClient {
  const agent = new Agent({
    connect: { timeout: connectTimeoutMilliseconds },
    connections: maximalConnections,
    pipelining: 1,
    bodyTimeout: usualTimeoutMilliseconds,
    maxHeaderSize: maximalHeaderBytes,
  });
  const unreachableSince = new Map<string, number>();

  async function attempt(request: UpstreamRequest, mayRepeat: boolean): Promise<Dispatcher.ResponseData> {
    const { origin, path, method, headers, body } = request;
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), request.timeoutMilliseconds ?? usualTimeoutMilliseconds);
    try {
      const options = { origin, path, headers: [...headers], body: body ?? null, signal: giveUp.signal };
      return await agent.request({ ...options, method });
    } catch (error) {
      // The upstream may close a connection at the moment at which it is used again.
      if (mayRepeat && isBrokenConnection(error)) return await attempt(request, false);
      if (isUnreachable(error)) unreachableSince.set(origin, Date.now());
      const isLate = giveUp.signal.aborted || error instanceof errors.ConnectTimeoutError;
      throw new UpstreamFailure(isLate ? 504 : 502, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async request(request) {
      if (Date.now() - (unreachableSince.get(request.origin) ?? -Infinity) < pauseMilliseconds) {
        throw new UpstreamFailure(502);
      }
      return attempt(request, request.method === 'GET' || request.method === 'HEAD');
    },
    // Whoever still waits for an upstream is not waited for.
    close: () => agent.destroy(),
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isBrokenConnection(error: unknown): boolean {
  return error instanceof errors.SocketError || ['ECONNRESET', 'EPIPE'].includes(codeOf(error));
}

function isUnreachable(error: unknown): boolean {
  return (
    error instanceof errors.ConnectTimeoutError ||
    ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'].includes(codeOf(error)) ||
    error instanceof AggregateError
  );
}
