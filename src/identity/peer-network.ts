/** What counts as one peer, and which peers are this machine. */
import proxyAddr from '@fastify/proxy-addr';
import { LRUCache } from 'lru-cache';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Also where an IPv4 address is mapped to IPv6. */
export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && loopback.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** Connections from the same proxies come again and again. */
const rememberedAddresses = 10_000;

/**
 * Whether a peer is in one of these networks. Who has gone has no address, and is in none.
 *
 * @param networks addresses and CIDRs
 */
export function peersIn(networks: readonly string[]): (peerAddress: string) => boolean {
  const isIn = proxyAddr.compile([...networks]);
  const answers = new LRUCache<string, boolean>({ max: rememberedAddresses });
  return (peerAddress) => {
    if (peerAddress === '') return false;
    const known = answers.get(peerAddress);
    if (known !== undefined) return known;
    const answer = isIn(peerAddress, 0);
    answers.set(peerAddress, answer);
    return answer;
  };
}

/**
 * An IPv4 address, also where it is mapped to IPv6, or the /64 of an IPv6 address: a subscriber line has all addresses of
 * such a network (RFC 6177 §2), so that one of them says nothing.
 */
export function networkOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  return isIPv6(plain) ? ipv6Groups(plain).slice(0, 4).join(':') : address;
}

/**
 * The network for which something is counted; undefined for peers that carry the requests of all users, and for those without
 * an address.
 *
 * @param trustedProxies addresses and CIDRs
 */
export function countedPeer(trustedProxies: readonly string[]): (peerAddress: string) => string | undefined {
  const isTrusted = peersIn(trustedProxies);
  return (peerAddress) => (peerAddress === '' || isTrusted(peerAddress) ? undefined : networkOf(peerAddress));
}

/** The eight groups, without leading zeros. */
function ipv6Groups(address: string): string[] {
  // The last 32 bits may be written as an IPv4 address; they do not matter here.
  const inGroups = address.includes('.') ? `${address.slice(0, address.lastIndexOf(':'))}:0:0` : address;
  const [head = '', tail] = inGroups.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16).toString(16));
  const [front, back] = [groups(head), groups(tail ?? '')];
  return [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
}
