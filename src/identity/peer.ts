/** Servers that can send no credentials and no header at all: the address of a connection says who it is. */
import { canonicalXui } from '../xcap/uri/xui.js';
import type { AuthenticationScheme } from './authentication.js';
import { peersIn } from './peer-network.js';

/** Connections from an address or CIDR are those of a server with that identity. */
export interface KnownPeer {
  readonly network: string;
  readonly identity: string;
}

export interface PeerOptions {
  readonly peers: readonly KnownPeer[];
  readonly defaultDomain: string | undefined;
}

/** The first that has the address decides. A request with credentials is for the other schemes. */
export function peer({ peers, defaultDomain }: PeerOptions): AuthenticationScheme {
  const known = peers.map(({ network, identity }) => {
    return { isIn: peersIn([network]), xui: canonicalXui(identity, defaultDomain) };
  });
  return {
    name: 'peer',
    async identify({ peerAddress, headers: { authorization } }) {
      if (authorization !== undefined) return { kind: 'none' };
      const found = known.find(({ isIn }) => isIn(peerAddress));
      if (found === undefined) return { kind: 'none' };
      return { kind: 'identified', identities: [found.xui], access: 'read-write', headers: {} };
    },
    challenges: () => [],
  };
}
