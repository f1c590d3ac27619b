/** The Ua security protocol identifier (3GPP TS 33.220 Annex H): what a key of GBA or AKMA is bound to beside the host. */
import type { Credentials } from '../authentication.js';
import { peersIn } from '../peer-network.js';
import { cipherSuiteCode } from './cipher-suites.js';

/** Five octets as hexadecimal digits. */
export type SecurityProtocolId = string;

/** HTTP Digest (TS 24.109) on a connection that is not encrypted. */
const httpDigest: SecurityProtocolId = '0100000002';

export interface SecurityProtocolOptions {
  /** Addresses and CIDRs. */
  readonly trustedProxies: readonly string[];
  /** The header in which a trusted proxy names the cipher suite of the client's connection, in lower case. */
  readonly cipherHeader: string | undefined;
}

/**
 * Reads the identifier from a request. Behind a proxy that ends TLS the cipher suite is what the proxy says; the header is
 * believed from trusted proxies alone. Undefined where the suite has no code that this server knows.
 */
export function securityProtocol(
  options: SecurityProtocolOptions,
): (credentials: Credentials) => SecurityProtocolId | undefined {
  const isTrusted = peersIn(options.trustedProxies);
  return ({ peerAddress, headers, cipherSuite }) => {
    const header = options.cipherHeader === undefined ? undefined : headers[options.cipherHeader];
    const isBelieved = header !== undefined && isTrusted(peerAddress);
    const suite = isBelieved ? String(header).trim() : cipherSuite;
    // A proxy that forwards plain HTTP, too, sends the header without a value.
    if (suite === undefined || suite === '') return httpDigest;
    const code = cipherSuiteCode(suite);
    return code === undefined ? undefined : `010001${code}`;
  };
}
