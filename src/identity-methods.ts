/** From the configuration to the identity methods that rest on others: providers of tokens, the core network, authorities. */
import { readFile } from 'node:fs/promises';
import type { Config } from './config.js';
import { accessTokens } from './identity/access-token.js';
import { akmaKeyKinds, akmaKeys, akmaScope } from './identity/akma.js';
import type { IdentityMethod } from './identity/authentication.js';
import { bearer } from './identity/bearer.js';
import { bootstrappingScope, bootstrappingServer } from './identity/bootstrapping.js';
import { certificate } from './identity/certificate.js';
import { bootstrappedKeyKinds, bootstrappedKeys } from './identity/gba.js';
import { jsonWebKeys } from './identity/json-web-keys.js';
import { networkFunction } from './identity/network-function.js';
import { securityProtocol } from './identity/security-protocol.js';
import { sharedKeyDigest, type SharedKeyDigestOptions } from './identity/shared-key-digest.js';
import { cachedKeys } from './identity/shared-keys.js';

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
