/** Closed-loop HTTP load: each connection sends its next request when the answer to the last one is there. */
import autocannon from 'autocannon';
import type { DigestLogin } from './digest.js';
import type { Run } from './statistics.js';

export interface HttpRequest {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  /** How the client logs in; its first request is answered by a challenge. */
  readonly login?: DigestLogin;
}

/**
 * @param origin scheme, host and port.
 * @param requestsOf what each connection sends, over and over.
 * @throws where any answer is not 2xx.
 */
export async function runHttpLoad(
  origin: string,
  requestsOf: readonly (readonly HttpRequest[])[],
  seconds: number,
): Promise<Run> {
  const latencies: number[] = [];
  const start = performance.now();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(options(origin, requestsOf, seconds), (error: Error | null, done) => {
      if (error === null) resolve(done);
      else reject(error);
    });
    // autocannon's own histogram counts in whole milliseconds.
    instance.on('response', (_client, _status, _bytes, milliseconds) => {
      latencies.push(milliseconds);
    });
  });
  const { errors, timeouts, non2xx } = result;
  if (errors + timeouts + non2xx > 0) {
    throw new Error(`${non2xx} answers were not 2xx, ${errors} requests failed, ${timeouts} timed out.`);
  }
  return { latencies, seconds: (performance.now() - start) / 1000 };
}

function options(
  origin: string,
  requestsOf: readonly (readonly HttpRequest[])[],
  seconds: number,
): autocannon.Options {
  let connection = 0;
  return {
    url: origin,
    connections: requestsOf.length,
    duration: seconds,
    // The milliseconds after which autocannon looks whether it is time to stop.
    sampleInt: 50,
    setupClient(client) {
      // Copies, because autocannon keeps things of its own in them.
      client.setRequests((requestsOf[connection++] ?? []).map((request) => ({ ...request })));
    },
  };
}
