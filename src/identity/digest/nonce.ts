/** Nonces of HTTP Digest (RFC 7616 §3.3): the server keeps none of them, it recognises its own. */
import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isEqualInConstantTime } from './response.js';

export interface NonceOptions {
  /** The same in all processes, so that each of them knows the nonces of all. */
  readonly key: Uint8Array;
  /** With what the nonces of this process begin: hexadecimal digits (see `NonceCounts`). */
  readonly maker: string;
  readonly lifetimeSeconds: number;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

/** What a genuine nonce says. */
export interface ReadNonce {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly isExpired: boolean;
  /** True in the last quarter of its life, when the client had better have a new one. */
  readonly isAgeing: boolean;
}

export interface Nonces {
  make(realm: string): string;
  /** Undefined for what is no nonce of ours, or one for another realm. */
  read(nonce: string, realm: string): ReadNonce | undefined;
}

const timeDigits = 12;
const randomDigits = 16;
const codeDigits = 32;
/** A nonce is used many times, and its code is computed once. */
const rememberedNonces = 20_000;

/**
 * A nonce is its maker, the time at which it expires and random bytes, all in hexadecimal digits, with a message
 * authentication code over these and the realm. The time is that of expiry, not that of its making, so that all processes
 * agree on it even where they run with different configurations: the count of uses has to be kept that long.
 */
export function nonces({ key, maker, lifetimeSeconds, now = Date.now }: NonceOptions): Nonces {
  const lifetime = lifetimeSeconds * 1000;
  /** When genuine nonces expire, by nonce and realm. */
  const genuine = new LRUCache<string, number>({ max: rememberedNonces });
  const codeOf = (content: string, realm: string): string =>
    createHmac('sha256', key).update(`${content}:${realm}`).digest('hex').slice(0, codeDigits);
  function expiryOf(nonce: string, realm: string): number | undefined {
    const content = nonce.slice(0, -codeDigits);
    if (content.length !== maker.length + timeDigits + randomDigits) return undefined;
    if (!isEqualInConstantTime(nonce.slice(-codeDigits), codeOf(content, realm))) return undefined;
    return Number.parseInt(content.slice(maker.length, maker.length + timeDigits), 16);
  }
  return {
    make(realm) {
      const expiresAt = Math.ceil(now() + lifetime);
      const time = expiresAt.toString(16).padStart(timeDigits, '0');
      const content = `${maker}${time}${randomBytes(randomDigits / 2).toString('hex')}`;
      return content + codeOf(content, realm);
    },
    read(nonce, realm) {
      const expiresAt = genuine.get(`${nonce}:${realm}`) ?? expiryOf(nonce, realm);
      if (expiresAt === undefined) return undefined;
      genuine.set(`${nonce}:${realm}`, expiresAt);
      const remaining = expiresAt - now();
      return { expiresAt, isExpired: remaining <= 0, isAgeing: remaining < lifetime / 4 };
    },
  };
}
