/** The part of the configuration that says how this server learns who is asking, beside its own secrets. */
import { ConfigError } from './config-error.js';
import { isNetwork } from './network.js';
import type { Environment } from './environment.js';

export interface IdentityConfig {
  readonly bearer: BearerConfig | undefined;
  /** The authorities of client certificates (PEM file). */
  readonly clientCaFile: string | undefined;
  readonly bootstrappingUrl: string | undefined;
  readonly akma: AkmaConfig | undefined;
  /** How access tokens for BSF and AAnF are got. */
  readonly tokens: TokenConfig | undefined;
  /** Servers that are known by their addresses; undefined where none are. */
  readonly peers: readonly PeerConfig[] | undefined;
  /** In lower case. */
  readonly cipherHeader: string | undefined;
}

export interface PeerConfig {
  /** An address or CIDR. */
  readonly network: string;
  readonly identity: string;
}

export interface BearerConfig {
  /** A URL or the name of a file. */
  readonly jwks: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly identityClaim: string;
  readonly readScopes: readonly string[];
  readonly writeScopes: readonly string[];
}

export interface AkmaConfig {
  readonly url: string;
  readonly afId: string | undefined;
}

export interface TokenConfig {
  readonly url: string;
  readonly clientId: string;
  readonly secretFile: string;
}

type Name = keyof Environment;

/** @throws ConfigError */
export function identityConfig(values: Environment): IdentityConfig {
  checkDependencies(values);
  return {
    bearer: bearerConfig(values),
    clientCaFile: values.XCAP_TLS_CLIENT_CA || undefined,
    bootstrappingUrl: optionalUrl(values, 'XCAP_BSF_URL'),
    akma: akmaConfig(values),
    tokens: tokenConfig(values),
    peers: peers(values.XCAP_PEERS),
    cipherHeader: values.XCAP_GBA_CIPHER_HEADER.toLowerCase() || undefined,
  };
}

/** What means nothing without another variable is a mistake that would be noticed late. */
const dependencies: readonly [dependent: Name, on: Name][] = [
  ['XCAP_JWT_ISSUER', 'XCAP_JWT_JWKS'],
  ['XCAP_JWT_AUDIENCE', 'XCAP_JWT_JWKS'],
  ['XCAP_JWT_READ_SCOPE', 'XCAP_JWT_JWKS'],
  ['XCAP_JWT_WRITE_SCOPE', 'XCAP_JWT_JWKS'],
  ['XCAP_TLS_CLIENT_CA', 'XCAP_TLS_CERT'],
  ['XCAP_AKMA_AF_ID', 'XCAP_AKMA_URL'],
  ['XCAP_NF_TOKEN_URL', 'XCAP_NF_CLIENT_ID'],
  ['XCAP_NF_CLIENT_ID', 'XCAP_NF_CLIENT_SECRET_FILE'],
  ['XCAP_NF_CLIENT_SECRET_FILE', 'XCAP_NF_TOKEN_URL'],
];

function checkDependencies(values: Environment): void {
  const broken = dependencies.find(([dependent, on]) => values[dependent] !== '' && values[on] === '');
  if (broken !== undefined) throw new ConfigError(`${broken[0]} is set, ${broken[1]} is not.`);
}

/** What an authentication scheme cannot do without. */
const requirements: ReadonlyMap<string, readonly [part: keyof IdentityConfig, variable: Name]> = new Map([
  ['bearer', ['bearer', 'XCAP_JWT_JWKS']],
  ['certificate', ['clientCaFile', 'XCAP_TLS_CLIENT_CA']],
  ['peer', ['peers', 'XCAP_PEERS']],
  ['gba', ['bootstrappingUrl', 'XCAP_BSF_URL']],
  ['akma', ['akma', 'XCAP_AKMA_URL']],
] as const);

/** Their keys are bound to a host: one for a server of somebody else must not be good here. */
function isKeyOfHost(scheme: string): boolean {
  return scheme === 'gba' || scheme === 'akma';
}

/**
 * @param schemes the names of the schemes that are on
 * @throws ConfigError where one of them lacks what it needs
 */
export function checkAuthenticationSchemes(
  schemes: readonly string[],
  config: IdentityConfig,
  hostnames: readonly string[],
): void {
  for (const scheme of schemes) {
    const [part, variable = ''] = requirements.get(scheme) ?? [];
    const isThere = part === undefined || config[part] !== undefined;
    const isNamed = !isKeyOfHost(scheme) || hostnames.length > 0;
    if (isThere && isNamed) continue;
    const missing = isThere ? 'XCAP_HOSTNAMES' : variable;
    throw new ConfigError(`XCAP_IDENTITY_METHODS has '${scheme}', which needs ${missing}.`);
  }
}

function bearerConfig(values: Environment): BearerConfig | undefined {
  if (values.XCAP_JWT_JWKS === '') return undefined;
  const isUrl = /^https?:/i.test(values.XCAP_JWT_JWKS);
  if (isUrl) optionalUrl(values, 'XCAP_JWT_JWKS');
  return {
    jwks: values.XCAP_JWT_JWKS,
    issuer: values.XCAP_JWT_ISSUER || undefined,
    audience: values.XCAP_JWT_AUDIENCE || undefined,
    identityClaim: values.XCAP_JWT_XUI_CLAIM,
    readScopes: words(values.XCAP_JWT_READ_SCOPE),
    writeScopes: words(values.XCAP_JWT_WRITE_SCOPE),
  };
}

function peers(value: string): PeerConfig[] | undefined {
  const items = value.split(',').map((item) => item.trim());
  const known = items
    .filter((item) => item !== '')
    .map((item) => {
      const at = item.indexOf('=');
      const [network, identity] = [item.slice(0, Math.max(at, 0)), item.slice(at + 1)];
      if (at < 0 || identity === '' || !isNetwork(network)) {
        throw new ConfigError(`XCAP_PEERS has '${item}', which is not of the form <address or CIDR>=<XUI>.`);
      }
      return { network, identity };
    });
  return known.length === 0 ? undefined : known;
}

function akmaConfig(values: Environment): AkmaConfig | undefined {
  const url = optionalUrl(values, 'XCAP_AKMA_URL');
  return url === undefined ? undefined : { url, afId: values.XCAP_AKMA_AF_ID || undefined };
}

function tokenConfig(values: Environment): TokenConfig | undefined {
  const url = optionalUrl(values, 'XCAP_NF_TOKEN_URL');
  if (url === undefined) return undefined;
  return { url, clientId: values.XCAP_NF_CLIENT_ID, secretFile: values.XCAP_NF_CLIENT_SECRET_FILE };
}

/** The value is not repeated: somebody may have put a password there. */
function optionalUrl(
  values: Environment,
  name: 'XCAP_JWT_JWKS' | 'XCAP_BSF_URL' | 'XCAP_AKMA_URL' | 'XCAP_NF_TOKEN_URL',
): string | undefined {
  const value = values[name];
  if (value === '') return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(`${name} is not a URL that begins with https:// or http://.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(`${name} has a user name or a password, which a URL must not have.`);
  }
  return value;
}

function words(value: string): string[] {
  return value.split(' ').filter((word) => word !== '');
}
