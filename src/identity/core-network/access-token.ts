/** Access tokens by client credentials (RFC 6749 §4.4), as the NRF gives them out (3GPP TS 33.501 §13.4.1). */
import { LRUCache } from 'lru-cache';
import type { CoreNetworkClient } from './core-network-client.js';
import type { TokenProvider } from './network-function.js';
import { isRecord } from './json-record.js';
import { IdentityUnavailable } from '../unavailable.js';

export interface AccessTokenOptions {
  readonly url: string;
  readonly clientId: string;
  readonly client: CoreNetworkClient;
  /** Read each time, since secrets change while the server runs. */
  readonly clientSecret: () => Promise<string>;
  readonly timeoutMilliseconds?: number;
}

interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

const name = 'The server of access tokens';

/** A token that is about to expire could do so on its way. */
const marginMilliseconds = 10_000;

const maximalScopes = 10;

/** Keeps one token for each scope until shortly before it expires. */
export function accessTokens(options: AccessTokenOptions): TokenProvider {
  const tokens = new LRUCache<string, Token>({
    max: maximalScopes,
    async fetchMethod(scope, _known, { options: entry }) {
      const token = await requestToken(options, scope);
      // One that lives no longer than its way is good for those who wait for it. A time of 0 would be for ever.
      entry.ttl = Math.max(1, token.expiresAt - Date.now());
      return token;
    },
  });
  return async (scope, isRefused) => (await tokens.forceFetch(scope, { forceRefresh: isRefused })).value;
}

async function requestToken(options: AccessTokenOptions, scope: string): Promise<Token> {
  try {
    return await fetchToken(options, scope);
  } catch (error) {
    throw new IdentityUnavailable(name, undefined, { cause: error });
  }
}

async function fetchToken(options: AccessTokenOptions, scope: string): Promise<Token> {
  const { url, clientId, client, clientSecret, timeoutMilliseconds = 3_000 } = options;
  // RFC 6749 §2.3.1: both are encoded as in a form before they become a user name and a password.
  const credentials = [clientId, (await clientSecret()).trim()].map(encodeURIComponent).join(':');
  const response = await client({
    url,
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }).toString(),
    signal: AbortSignal.timeout(timeoutMilliseconds),
  });
  const now = Date.now();
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const body = parsed(response.text);
  if (!isRecord(body) || typeof body.access_token !== 'string') throw new Error('the answer has no token');
  const lifetime = typeof body.expires_in === 'number' ? body.expires_in * 1000 : 60_000;
  return { value: body.access_token, expiresAt: now + Math.max(lifetime - marginMilliseconds, 0) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
