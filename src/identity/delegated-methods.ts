/** From the configuration to the identity methods that rest on others: providers of tokens, the core network, authorities. */
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.js';
import { accessTokens } from './core-network/access-token.js';
import { akmaKeyKinds, akmaKeys, akmaScope } from './core-network/akma.js';
import type { IdentityMethod } from './authentication.js';
import { bearer } from './tokens/bearer.js';
import { bootstrappingScope, bootstrappingServer } from './core-network/bootstrapping.js';
import { certificate } from './certificate.js';
import { bootstrappedKeyKinds, bootstrappedKeys } from './core-network/gba.js';
import { jsonWebKeys } from './tokens/json-web-keys.js';
import { networkFunction } from './core-network/network-function.js';
import { securityProtocol } from './core-network/security-protocol.js';
import { sharedKeyDigest, type SharedKeyDigestOptions } from './core-network/shared-key-digest.js';
import { cachedKeys } from './core-network/shared-keys.js';

/** What methods share with the rest of the server. */
export type IdentityParts = Pick<SharedKeyDigestOptions, 'nonces' | 'counts' | 'uriStrictness' | 'directory'>;

/** Each of these methods is there where the configuration has what it needs. */
export type DelegatedMethods = Partial<Record<'bearer' | 'gba' | 'akma' | 'certificate', IdentityMethod>>;

export function delegatedMethods(config: Config, parts: IdentityParts): DelegatedMethods {
  const { identity, defaultDomain, trustedProxies } = config;
  const tokens = tokensOf(config);
  const protocolOf = securityProtocol({ trustedProxies, cipherHeader: identity.cipherHeader });
  const methods: DelegatedMethods = {};
  if (identity.bearer !== undefined) {
    const keys = jsonWebKeys(identity.bearer.jwks);
    methods.bearer = bearer({ ...identity.bearer, keys, defaultDomain, realm: defaultDomain ?? 'xcapd' });
  }
  if (identity.bootstrappingUrl !== undefined) {
    const request = networkFunction({
      apiRoot: identity.bootstrappingUrl,
      name: 'The bootstrapping server',
      scope: bootstrappingScope,
      tokens,
    });
    const source = cachedKeys(bootstrappedKeys(bootstrappingServer(request)));
    methods.gba = sharedKeyDigest({ ...parts, name: 'gba', kinds: bootstrappedKeyKinds, source, protocolOf });
  }
  if (identity.akma !== undefined) {
    const request = networkFunction({
      apiRoot: identity.akma.url,
      name: 'The AKMA anchor function',
      scope: akmaScope,
      tokens,
    });
    const source = cachedKeys(akmaKeys(request, identity.akma.afId));
    methods.akma = sharedKeyDigest({ ...parts, name: 'akma', kinds: akmaKeyKinds, source, protocolOf });
  }
  if (identity.clientCaFile !== undefined) methods.certificate = certificate();
  return methods;
}

function tokensOf({ identity: { tokens } }: Config): ReturnType<typeof accessTokens> | undefined {
  if (tokens === undefined) return undefined;
  const { url, clientId, secretFile } = tokens;
  return accessTokens({ url, clientId, clientSecret: () => readFile(secretFile, 'utf8') });
}
