/** Slows down who guesses passwords: after some failed logins of one peer or one user name the next ones have to wait. */
import { createHash } from 'node:crypto';
import proxyAddr from '@fastify/proxy-addr';
import { LRUCache } from 'lru-cache';
import { canonicalXui } from '../../xcap/uri/xui.js';
import type { Credentials, Finding, AuthenticationScheme } from '../authentication.js';
import { isDigest, parseDigestAuthorization } from '../digest/header.js';
import { networkOf } from '../peer-network.js';

export interface LoginThrottleOptions {
  /** How many failures one peer or one user name has in a window; at least 1. */
  readonly failures: number;
  readonly windowMilliseconds?: number;
  /** Addresses and CIDRs of peers that carry the requests of all users, so that nothing is counted for them. */
  readonly trustedProxies: readonly string[];
}

/** RFC 6585 §4. */
export class TooManyFailedLogins extends Error {
  override readonly name = 'TooManyFailedLogins';

  constructor(readonly retryAfterSeconds: number) {
    super('There were too many failed logins.');
  }
}

/** A counter is some hundred bytes. Whoever wants one to be forgotten has to fail this often in a window. */
const maximalCounters = 50_000;

/** They do not look at Authorization, so no guess reaches them. */
const schemesWithoutGuesses: readonly string[] = ['asserted-identity', 'certificate', 'peer'];

/**
 * Wraps schemes so that they throw TooManyFailedLogins, without a look at the credentials, where the limit is reached.
 * What counts is what a scheme refuses; a stale nonce is no failure. All wrapped schemes share one count, in this process.
 */
export function loginThrottle(
  options: LoginThrottleOptions,
): (scheme: AuthenticationScheme) => AuthenticationScheme {
  const { failures, windowMilliseconds = 60_000, trustedProxies } = options;
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  const peers = failureCounter(failures, windowMilliseconds);
  const users = failureCounter(failures, windowMilliseconds);
  const inLane = lanes((user) => users.remaining(user));

  const peerOf = ({ peerAddress }: Credentials) =>
    peerAddress === '' || isTrusted(peerAddress, 0) ? undefined : networkOf(peerAddress);

  async function attempt(
    scheme: AuthenticationScheme,
    credentials: Credentials,
    user: string | undefined,
  ): Promise<Finding> {
    const peer = peerOf(credentials);
    const seconds = Math.max(peers.blockedSeconds(peer), users.blockedSeconds(user));
    if (seconds > 0) throw new TooManyFailedLogins(seconds);
    const finding = await scheme.identify(credentials);
    if (finding.kind === 'identified') users.forget(user);
    if (finding.kind === 'refused' && !finding.isStale) {
      peers.count(peer);
      users.count(user);
    }
    return finding;
  }

  return (scheme) => {
    if (schemesWithoutGuesses.includes(scheme.name)) return scheme;
    return {
      ...scheme,
      async identify(credentials) {
        if (credentials.headers.authorization === undefined) return scheme.identify(credentials);
        const user = claimedUser(credentials.headers.authorization);
        const run = () => attempt(scheme, credentials, user);
        return user === undefined ? run() : inLane(user, run);
      },
    };
  };
}

/**
 * The user name of Basic and Digest in one spelling, before anything is verified. Hashed: names may be long, and are not to
 * be found in memory. A token names nobody whom somebody could guess at.
 */
function claimedUser(authorization: string): string | undefined {
  const name = isDigest(authorization)
    ? parseDigestAuthorization(authorization)?.username
    : basicUser(authorization);
  if (name === undefined || name === '') return undefined;
  return createHash('sha256').update(canonicalXui(name)).digest('base64');
}

/** `sip:alice@example.com:password` has a colon in its name; `canonicalXui` drops what it takes for a password. */
function basicUser(authorization: string): string | undefined {
  const [, token] = /^Basic\s+(\S+)/i.exec(authorization) ?? [];
  if (token === undefined) return undefined;
  return /^(?:(?:sips?|tel):)?[^:]*/.exec(Buffer.from(token, 'base64').toString('utf8'))?.[0];
}

interface FailureCounter {
  count(key: string | undefined): void;
  forget(key: string | undefined): void;
  /** How many failures are left. */
  remaining(key: string): number;
  /** 0 where the limit is not reached. */
  blockedSeconds(key: string | undefined): number;
}

/** Nothing is counted for undefined. */
function failureCounter(limit: number, windowMilliseconds: number): FailureCounter {
  const counts = new LRUCache<string, number>({ max: maximalCounters, ttl: windowMilliseconds });
  return {
    count(key) {
      if (key === undefined) return;
      const count = (counts.get(key) ?? 0) + 1;
      // The window begins with the first failure, and the time to wait with the one that was too many.
      counts.set(key, count, { noUpdateTTL: count < limit });
    },
    forget(key) {
      if (key !== undefined) counts.delete(key);
    },
    remaining: (key) => limit - (counts.get(key) ?? 0),
    blockedSeconds(key) {
      if (key === undefined || (counts.get(key) ?? 0) < limit) return 0;
      // The clock of the cache may be a millisecond late.
      const milliseconds = Math.min(counts.getRemainingTTL(key), windowMilliseconds);
      return Math.max(1, Math.ceil(milliseconds / 1000));
    },
  };
}

interface Lane {
  running: number;
  readonly waiting: (() => void)[];
}

/** For each user as many attempts at a time as there are failures left: however many are sent at once, no more can fail. */
function lanes(remaining: (user: string) => number) {
  const byUser = new Map<string, Lane>();
  return async <T>(user: string, attempt: () => Promise<T>): Promise<T> => {
    const lane = byUser.get(user) ?? { running: 0, waiting: [] };
    byUser.set(user, lane);
    while (lane.running > 0 && lane.running >= remaining(user)) {
      await new Promise<void>((resolve) => lane.waiting.push(resolve));
    }
    lane.running++;
    try {
      return await attempt();
    } finally {
      lane.running--;
      const next = lane.waiting.shift();
      if (next !== undefined) next();
      else if (lane.running === 0) byUser.delete(user);
    }
  };
}
