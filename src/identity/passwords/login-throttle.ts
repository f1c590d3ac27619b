/** Slows down who guesses passwords: after some failed logins of one peer or one user name the next ones have to wait. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { SubscriberDirectory } from '../../subscribers/subscriber.js';
import { canonicalXui } from '../../xcap/uri/xui.js';
import type { Credentials, Finding, AuthenticationScheme } from '../authentication.js';
import { isDigest, parseDigestAuthorization } from '../digest/header.js';
import { countedPeer } from '../peer-network.js';
import { LoginsBusy } from './fair-queue.js';

export interface LoginThrottleOptions {
  /** How many failures one peer or one user name has in a window; at least 1. */
  readonly failures: number;
  readonly windowMilliseconds?: number;
  /** Addresses and CIDRs of peers that carry the requests of all users, so that nothing is counted for them. */
  readonly trustedProxies: readonly string[];
  readonly defaultDomain: string | undefined;
  readonly directory: Pick<SubscriberDirectory, 'withIdentity' | 'withImpi'>;
  /** By default this process is alone. */
  readonly colleagues?: LoginColleagues;
}

/** How a login went; keys are opaque. */
export interface LoginOutcome {
  readonly outcome: 'failed' | 'succeeded';
  readonly peer?: string | undefined;
  readonly user?: string | undefined;
}

/** The other processes that answer for the same server. */
export interface LoginColleagues {
  /** How many processes there are, this one included. */
  readonly processes: number;
  tell(outcome: LoginOutcome): void;
  /** What the others tell. */
  onTold(listener: (outcome: LoginOutcome) => void): void;
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

const maximalNameLength = 1024;

/** Of one user name or one peer. */
const maximalWaiting = 1000;

/** They do not look at Authorization, so no guess reaches them. */
const schemesWithoutGuesses: readonly string[] = ['asserted-identity', 'certificate', 'peer'];

/**
 * Wraps schemes so that they throw TooManyFailedLogins, without a look at the credentials, where the limit is reached.
 * What counts is what a scheme refuses; a stale nonce is no failure. All wrapped schemes share one count. An attempt counts from
 * its beginning: no more are looked at at a time than may fail, in all processes together.
 */
export function loginThrottle(
  options: LoginThrottleOptions,
): (scheme: AuthenticationScheme) => AuthenticationScheme {
  const { failures, windowMilliseconds = 60_000, trustedProxies, defaultDomain, directory } = options;
  const { colleagues } = options;
  const processes = colleagues?.processes ?? 1;
  const peerOf = countedPeer(trustedProxies);
  const peers = failureCounter(failures, windowMilliseconds);
  const users = failureCounter(failures, windowMilliseconds);
  const inUserLane = lanes((user) => Math.floor(users.remaining(user) / processes));
  const inPeerLane = lanes((peer) => Math.floor(peers.remaining(peer) / processes));

  const note = ({ outcome, peer, user }: LoginOutcome): void => {
    if (outcome === 'succeeded') users.forget(user);
    else
      for (const [counter, key] of [
        [peers, peer],
        [users, user],
      ] as const)
        counter.count(key);
  };
  colleagues?.onTold(note);
  const noteForAll = (outcome: LoginOutcome): void => {
    note(outcome);
    colleagues?.tell(outcome);
  };

  async function attempt(
    scheme: AuthenticationScheme,
    credentials: Credentials,
    peer: string | undefined,
    user: string | undefined,
  ): Promise<Finding> {
    const seconds = Math.max(peers.blockedSeconds(peer), users.blockedSeconds(user));
    if (seconds > 0) throw new TooManyFailedLogins(seconds);
    const finding = await scheme.identify(credentials);
    // A success costs the others a message only where there is something to forget.
    if (finding.kind === 'identified' && users.hasFailed(user)) noteForAll({ outcome: 'succeeded', user });
    if (finding.kind === 'refused' && !finding.isStale) noteForAll({ outcome: 'failed', peer, user });
    return finding;
  }

  return (scheme) => {
    if (schemesWithoutGuesses.includes(scheme.name)) return scheme;
    return {
      ...scheme,
      async identify(credentials) {
        if (credentials.headers.authorization === undefined) return scheme.identify(credentials);
        const claimed = claimedUser(credentials, defaultDomain);
        const user = claimed && (await keyOf(claimed, directory));
        const peer = peerOf(credentials.peerAddress);
        return inUserLane(user, () => inPeerLane(peer, () => attempt(scheme, credentials, peer, user)));
      },
    };
  };
}

/** What Authorization says before anything is verified: a token names nobody whom somebody could guess at. */
interface ClaimedUser {
  readonly name: string;
  /** The domain that the name belongs to where it says none. */
  readonly realm: string | undefined;
}

function claimedUser(
  { headers: { authorization = '' }, domain }: Credentials,
  defaultDomain: string | undefined,
): ClaimedUser | undefined {
  if (isDigest(authorization)) {
    const digest = parseDigestAuthorization(authorization);
    return digest && { name: digest.username, realm: digest.realm };
  }
  const name = basicUser(authorization);
  return name === undefined || name === '' ? undefined : { name, realm: domain ?? defaultDomain };
}

/**
 * One key for all names by which a subscriber may log in, and one for each name in its realm that is nobody's. Hashed: names
 * may be long, and are not to be found in memory.
 */
async function keyOf(
  { name, realm }: ClaimedUser,
  directory: LoginThrottleOptions['directory'],
): Promise<string> {
  // The identifiers of GBA and AKMA are no names of subscribers, and no database keeps a NUL.
  const isName = name.length <= maximalNameLength && !name.includes('\0') && realm?.includes('@') !== true;
  const subscriber = isName
    ? ((await directory.withIdentity(canonicalXui(name, realm))) ?? (await directory.withImpi(name)))
    : undefined;
  const owner = subscriber === undefined ? ['', realm ?? '', canonicalXui(name, realm)] : [subscriber.xui];
  return createHash('sha256').update(JSON.stringify(owner)).digest('base64');
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
  hasFailed(key: string | undefined): boolean;
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
    hasFailed: (key) => key !== undefined && counts.has(key),
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

/**
 * For each key as many attempts at a time as there are failures left, and always one: however many are sent at once, no more can
 * fail. None for undefined.
 */
function lanes(remaining: (key: string) => number) {
  const byKey = new Map<string, Lane>();
  return async <T>(key: string | undefined, attempt: () => Promise<T>): Promise<T> => {
    if (key === undefined) return attempt();
    const lane = byKey.get(key) ?? { running: 0, waiting: [] };
    byKey.set(key, lane);
    while (lane.running > 0 && lane.running >= remaining(key)) {
      if (lane.waiting.length >= maximalWaiting) throw new LoginsBusy();
      await new Promise<void>((resolve) => lane.waiting.push(resolve));
    }
    lane.running++;
    try {
      return await attempt();
    } finally {
      lane.running--;
      const next = lane.waiting.shift();
      if (next !== undefined) next();
      else if (lane.running === 0) byKey.delete(key);
    }
  };
}
