/** Requests to network functions with a service-based interface (3GPP TS 29.500): JSON, redirections, OAuth 2.0. */
import { IdentityUnavailable } from '../unavailable.js';
import { headerOf, type CoreNetworkClient, type CoreNetworkReply } from './core-network-client.js';

export interface NetworkFunctionOptions {
  /** The root of the API, such as `https://bsf.example.com`. */
  readonly apiRoot: string;
  /** How it is called in answers and in the log. */
  readonly name: string;
  readonly scope: string;
  readonly client: CoreNetworkClient;
  /** Undefined where the network function asks for no token. */
  readonly tokens: TokenProvider | undefined;
  readonly timeoutMilliseconds?: number;
  /** Where a peer did not answer at all, it is not asked again for this time: requests do not queue up for it. */
  readonly retryMilliseconds?: number;
}

/** Sends a body to a path below the root of the API. @throws IdentityUnavailable */
export type NetworkFunction = (path: string, body: object) => Promise<NetworkFunctionReply>;

export interface NetworkFunctionReply {
  readonly status: number;
  /** Undefined where the answer has no JSON. */
  readonly body: unknown;
}

/** Gives an access token for a scope; `isRefused` where the one before was refused. */
export type TokenProvider = (scope: string, isRefused: boolean) => Promise<string>;

const maximalRedirections = 2;

/** A client of one network function. Statuses from 429 on and everything that prevents an answer are errors. */
export function networkFunction(options: NetworkFunctionOptions): NetworkFunction {
  const {
    apiRoot,
    name,
    scope,
    client,
    tokens,
    timeoutMilliseconds = 3_000,
    retryMilliseconds = 1_000,
  } = options;
  let failedAt = -Infinity;

  async function attempt(url: string, body: object, isRefused: boolean): Promise<CoreNetworkReply> {
    try {
      const token = await tokens?.(scope, isRefused);
      const signal = AbortSignal.timeout(timeoutMilliseconds);
      return await send(client, url, JSON.stringify(body), token, signal);
    } catch (error) {
      failedAt = Date.now();
      throw error instanceof IdentityUnavailable
        ? error
        : new IdentityUnavailable(name, undefined, { cause: error });
    }
  }

  async function post(url: string, body: object): Promise<CoreNetworkReply> {
    const response = await attempt(url, body, false);
    if (response.status !== 401 || tokens === undefined) return response;
    // RFC 6750 §3.1: the token has expired before its time; a new one is tried once.
    return attempt(url, body, true);
  }

  return async (path, body) => {
    if (Date.now() - failedAt < retryMilliseconds) throw new IdentityUnavailable(name);
    const response = await post(`${apiRoot.replace(/\/$/, '')}${path}`, body);
    const { status } = response;
    if (status === 401 || status === 403 || status === 429 || status >= 500) {
      throw new IdentityUnavailable(name, retryAfter(response), { cause: new Error(`status ${status}`) });
    }
    return { status, body: jsonOf(response, name) };
  };
}

/** Follows redirections to another instance (TS 29.500 §6.10.9): never to another scheme, and not for ever. */
async function send(
  client: CoreNetworkClient,
  url: string,
  body: string,
  token: string | undefined,
  signal: AbortSignal,
  redirections = 0,
): Promise<CoreNetworkReply> {
  const response = await client({
    url,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, application/problem+json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body,
    signal,
  });
  if (response.status !== 307 && response.status !== 308) return response;
  const target = new URL(headerOf(response, 'location'), url);
  if (redirections === maximalRedirections) throw new Error('too many redirections');
  if (target.protocol !== new URL(url).protocol) throw new Error('a redirection to another scheme');
  return send(client, target.href, body, token, signal, redirections + 1);
}

/** RFC 9110 §10.2.3, in seconds; a date or nonsense is the usual time. */
function retryAfter(response: CoreNetworkReply): number | undefined {
  const seconds = Number(headerOf(response, 'retry-after'));
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, 60) : undefined;
}

function jsonOf(response: CoreNetworkReply, name: string): unknown {
  if (!/^application\/(\w+\+)?json\b/i.test(headerOf(response, 'content-type'))) return undefined;
  try {
    return JSON.parse(response.text);
  } catch {
    // What the parser says may hold a part of the answer, and answers hold keys.
    throw new IdentityUnavailable(name, undefined, { cause: new Error('the answer is no JSON') });
  }
}
