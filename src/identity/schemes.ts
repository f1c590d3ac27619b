/** From the configuration to the authentication schemes that are on, in the order in which they are tried. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../config/config-error.js';
import type { Config } from '../config/config.js';
import type { AuthenticationSchemeName } from '../config/environment.js';
import { secretBox } from '../subscribers/secret-box.js';
import type { SubscriberDirectory } from '../subscribers/subscriber.js';
import { assertedIdentity } from './asserted-identity.js';
import type { AuthenticationScheme } from './authentication.js';
import { certificate } from './certificate.js';
import { accessTokens } from './core-network/access-token.js';
import { akmaKeyKinds, akmaKeys, akmaScope } from './core-network/akma.js';
import { bootstrappingScope, bootstrappingServer } from './core-network/bootstrapping.js';
import { bootstrappedKeyKinds, bootstrappedKeys } from './core-network/gba.js';
import { coreNetworkClient, type CoreNetworkClient } from './core-network/core-network-client.js';
import { networkFunction } from './core-network/network-function.js';
import { securityProtocol } from './core-network/security-protocol.js';
import { sharedKeyDigest, type SharedKeyDigestOptions } from './core-network/shared-key-digest.js';
import { cachedKeys } from './core-network/shared-keys.js';
import { digest, type DigestOptions } from './digest/digest.js';
import { nonces } from './digest/nonce.js';
import type { NonceCounts } from './digest/nonce-counts.js';
import { basic } from './passwords/basic.js';
import { loginThrottle, type LoginColleagues } from './passwords/login-throttle.js';
import { defaultRealmOf } from './passwords/realm.js';
import { peer } from './peer.js';
import { bearer } from './tokens/bearer.js';
import { jsonWebKeys } from './tokens/json-web-keys.js';

/** What the schemes ask of storage. */
export interface SchemeStorage {
  readonly directory: SubscriberDirectory;
  readonly nonceCounts: NonceCounts;
  /** A key that all processes on one database share. */
  readonly serverKey: (name: string) => Promise<Uint8Array>;
}

/** What schemes have in common. */
interface SchemeParts extends Pick<DigestOptions, 'nonces' | 'counts'> {
  readonly directory: SubscriberDirectory;
}

/** Slowed down for who fails. @throws ConfigError where one of them lacks what it needs. */
export async function openAuthenticationSchemes(
  config: Config,
  { directory, nonceCounts: counts, serverKey }: SchemeStorage,
  colleagues?: LoginColleagues,
): Promise<AuthenticationScheme[]> {
  const { loginFailures, trustedProxies } = config;
  const key = await serverKey('nonce');
  const lifetimeSeconds = config.passwords.nonceSeconds;
  const schemes = availableSchemes(config, {
    directory,
    counts,
    nonces: nonces({ key, maker: counts.maker, lifetimeSeconds }),
  });
  const slowed =
    loginFailures === undefined
      ? (scheme: AuthenticationScheme) => scheme
      : loginThrottle({
          failures: loginFailures,
          trustedProxies,
          defaultDomain: config.defaultDomain,
          directory,
          ...(colleagues && { colleagues }),
        });
  return config.authenticationSchemes.map((name) => {
    const scheme = schemes[name];
    if (scheme === undefined)
      throw new ConfigError(`XCAP_IDENTITY_METHODS has '${name}', which is not there.`);
    return slowed(scheme);
  });
}

type Schemes = Partial<Record<AuthenticationSchemeName, AuthenticationScheme>>;

/** Each scheme is there where the configuration has what it needs; whether it is on is another variable. */
function availableSchemes(config: Config, parts: SchemeParts): Schemes {
  const { defaultDomain, identity, passwords } = config;
  const defaultRealm = defaultRealmOf(config);
  const schemes: Schemes = {
    'asserted-identity': assertedIdentity(config),
    digest: digest({
      ...parts,
      uriStrictness: passwords.digestUri,
      defaultRealm,
      algorithms: passwords.digestAlgorithms,
      secretBox: secretBox(passwords),
    }),
    basic: basic({ ...parts, defaultRealm, defaultDomain, trustedProxies: config.trustedProxies }),
    ...coreNetworkSchemes(config, parts),
  };
  if (identity.bearer !== undefined) {
    const keys = jsonWebKeys(identity.bearer.jwks);
    schemes.bearer = bearer({ ...identity.bearer, keys, defaultDomain, realm: defaultDomain ?? 'xcapd' });
  }
  if (identity.peers !== undefined) schemes.peer = peer({ peers: identity.peers, defaultDomain });
  if (identity.clientCaFile !== undefined) schemes.certificate = certificate();
  return schemes;
}

/** GBA and AKMA: the keys are those of the operator's core network. */
function coreNetworkSchemes(config: Config, parts: SchemeParts): Schemes {
  const { identity, passwords, trustedProxies } = config;
  const client = coreNetworkClient();
  const tokens = tokensOf(config, client);
  const common: Omit<SharedKeyDigestOptions, 'name' | 'kinds' | 'source'> = {
    ...parts,
    uriStrictness: passwords.digestUri,
    hostnames: config.hostnames,
    protocolOf: securityProtocol({ trustedProxies, cipherHeader: identity.cipherHeader }),
  };
  const schemes: Schemes = {};
  if (identity.bootstrappingUrl !== undefined) {
    const request = networkFunction({
      apiRoot: identity.bootstrappingUrl,
      name: 'The bootstrapping server',
      scope: bootstrappingScope,
      client,
      tokens,
    });
    const source = cachedKeys(bootstrappedKeys(bootstrappingServer(request)));
    schemes.gba = sharedKeyDigest({ ...common, name: 'gba', kinds: bootstrappedKeyKinds, source });
  }
  if (identity.akma !== undefined) {
    const request = networkFunction({
      apiRoot: identity.akma.url,
      name: 'The AKMA anchor function',
      scope: akmaScope,
      client,
      tokens,
    });
    const source = cachedKeys(akmaKeys(request, identity.akma.afId));
    schemes.akma = sharedKeyDigest({ ...common, name: 'akma', kinds: akmaKeyKinds, source });
  }
  return schemes;
}

function tokensOf(
  { identity: { tokens } }: Config,
  client: CoreNetworkClient,
): ReturnType<typeof accessTokens> | undefined {
  if (tokens === undefined) return undefined;
  const { url, clientId, secretFile } = tokens;
  return accessTokens({ url, clientId, client, clientSecret: () => readFile(secretFile, 'utf8') });
}
