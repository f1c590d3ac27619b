/** HTTP Basic (RFC 7617), where nobody can listen. */
import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Subscriber, SubscriberDirectory } from '../../subscribers/subscriber.js';
import { canonicalXui } from '../../xcap/uri/xui.js';
import type { Credentials, Finding, AuthenticationScheme } from '../authentication.js';
import { isLoopback, countedPeer } from '../peer-network.js';
import { fairQueue } from './fair-queue.js';
import { realmOf } from './realm.js';
import { hashPassword, isPassword } from './secrets.js';

export interface BasicOptions {
  readonly directory: Pick<SubscriberDirectory, 'withIdentity' | 'withImpi' | 'passwordHash'>;
  /** For what belongs to no domain. Has no quotes and no backslash. */
  readonly defaultRealm: string;
  readonly defaultDomain: string | undefined;
  /** Addresses and CIDRs of peers that carry the requests of all users. */
  readonly trustedProxies: readonly string[];
}

interface UserAndPassword {
  readonly user: string;
  readonly password: string;
}

interface PasswordQuestion {
  readonly password: string;
  readonly hash: string;
  /** Who is unknown has the hash of nobody, and is told after as long a time as others whose password is not known yet. */
  readonly user: string;
  /** Who waits in turn with others. */
  readonly peer: string;
}

const cacheMilliseconds = 60_000;
const cachedChecks = 10_000;
/** A check keeps a thread busy for a tenth of a second or two, and Node.js has four. */
const checks = { atOnce: 2, waitingOfOne: 16, waitingOfAll: 128 };

/** Longer ones are nobody's, and would only fill memory. */
const maximalNameLength = 1024;

/** Only over TLS, or from this machine: elsewhere the password would be there to read, so it is not even asked for. */
export function basic({
  directory,
  defaultRealm,
  defaultDomain,
  trustedProxies,
}: BasicOptions): AuthenticationScheme {
  const check = rememberedChecks();
  const peerOf = countedPeer(trustedProxies);
  let hashOfNobody: Promise<string> | undefined;

  async function hashOf(subscriber: Subscriber | undefined): Promise<string | undefined> {
    return subscriber && directory.passwordHash(subscriber.xui);
  }

  return {
    name: 'basic',
    async identify(credentials) {
      const { authorization } = credentials.headers;
      if (!/^Basic(?:\s|$)/i.test(authorization ?? '')) return { kind: 'none' };
      if (!isConfidential(credentials)) return refused('a password over a clear connection');
      const sent = parseBasic(authorization ?? '');
      if (sent === undefined) return refused('the header breaks the syntax');
      const domain = credentials.domain ?? defaultDomain;
      const subscriber = await findSubscriber(directory, sent.user, domain);
      const hash = await hashOf(subscriber);
      // Who is unknown, or has no password, is told so after as long a time as with a wrong password.
      hashOfNobody ??= hashPassword(randomBytes(16).toString('hex'));
      const isRight = await check({
        ...sent,
        hash: hash ?? (await hashOfNobody),
        peer: peerOf(credentials.peerAddress) ?? `user ${sent.user}`,
      });
      if (subscriber === undefined) return refused('the user is not known');
      if (hash === undefined) return refused('the user has no password');
      if (!isRight) return refused('the password is wrong');
      return { kind: 'identified', identities: [subscriber.xui], access: 'read-write', headers: {} };
    },
    challenges: (credentials) =>
      isConfidential(credentials)
        ? [`Basic realm="${realmOf(credentials, defaultRealm)}",charset="UTF-8"`]
        : [],
  };
}

function isConfidential({ isSecure, peerAddress }: Credentials): boolean {
  return isSecure || isLoopback(peerAddress);
}

/**
 * RFC 7617 §2: a user name has no colon. But the address of a user has one after its scheme, and clients send it, so the
 * first colon behind a scheme counts where there is one.
 */
function parseBasic(header: string): UserAndPassword | undefined {
  const [, token] = /^Basic +([A-Za-z0-9+/_-]+=*)\s*$/i.exec(header) ?? [];
  if (token === undefined) return undefined;
  const text = Buffer.from(token, 'base64').toString('utf8');
  const [, user, password] = /^((?:(?:sips?|tel):)?[^:]*):(.*)$/s.exec(text) ?? [];
  if (user === undefined || password === undefined || user.length > maximalNameLength) return undefined;
  // No database keeps a NUL.
  if (text.includes('\0')) return undefined;
  return { user, password };
}

async function findSubscriber(
  directory: BasicOptions['directory'],
  user: string,
  domain: string | undefined,
): Promise<Subscriber | undefined> {
  const [byIdentity, byImpi] = await Promise.all([
    directory.withIdentity(canonicalXui(user, domain)),
    directory.withImpi(user),
  ]);
  return byIdentity ?? byImpi;
}

/**
 * Keeps the results for a minute, so that scrypt is not paid for with every request. Neither the password nor its hash is
 * kept: what a result is found by is a keyed hash of both, so that a new password counts as soon as its hash is there.
 */
function rememberedChecks(): (question: PasswordQuestion) => Promise<boolean> {
  const key = randomBytes(32);
  const inTurn = fairQueue(checks);
  const results = new LRUCache<string, boolean, PasswordQuestion>({
    max: cachedChecks,
    ttl: cacheMilliseconds,
    fetchMethod: (_name, _known, { context: { password, hash, peer } }) =>
      inTurn(peer, () => isPassword(password, hash)),
  });
  return (question) => {
    const { password, hash, user } = question;
    const name = createHmac('sha256', key)
      .update(JSON.stringify([hash, user, password]))
      .digest('base64');
    return results.forceFetch(name, { context: question });
  };
}

function refused(reason: string): Finding {
  return { kind: 'refused', reason, isStale: false };
}
