/** Slows down who guesses tokens of the management API. */
import { LRUCache } from 'lru-cache';
import { networkOf } from '../../identity/peer-network.js';
import { Problem } from './problem.js';

/** Of one peer in a window. */
const mostWrongTokens = 10;
const windowMilliseconds = 60_000;
const maximalPeers = 10_000;

export interface WrongTokens {
  /** @throws Problem 429 for a peer that sent too many, whatever it sends now */
  check(peerAddress: string): void;
  count(peerAddress: string): void;
}

/** Counts for this process. */
export function wrongTokens(): WrongTokens {
  const counts = new LRUCache<string, { wrong: number }>({ max: maximalPeers, ttl: windowMilliseconds });
  return {
    check(peerAddress) {
      const peer = networkOf(peerAddress);
      if ((counts.get(peer)?.wrong ?? 0) < mostWrongTokens) return;
      const seconds = Math.max(1, Math.ceil(counts.getRemainingTTL(peer) / 1000));
      const headers = { 'retry-after': String(seconds) };
      throw new Problem(429, 'There were too many wrong tokens. Please try again later.', {}, headers);
    },
    count(peerAddress) {
      const peer = networkOf(peerAddress);
      const known = counts.get(peer);
      // The window begins with the first one.
      if (known === undefined) counts.set(peer, { wrong: 1 });
      else known.wrong++;
    },
  };
}
