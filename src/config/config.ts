/** The environment as a typed configuration: the one place that reads and checks it. */
import { isIP } from 'node:net';
import { envSchema } from 'env-schema';
import { ConfigError } from './config-error.js';
import { shortestToken, shortTokenAdvice } from './tokens.js';
import { variables, type Environment, type AuthenticationSchemeName } from './environment.js';
import { checkAuthenticationSchemes, identityConfig, type IdentityConfig } from './identity-config.js';
import { isNetwork } from './network.js';
import { authenticationSchemesFrom, passwordConfig, type PasswordConfig } from './passwords.js';
import { upstreamRoutes, type UpstreamRoute } from './upstreams.js';

/** A server that writes the documents of users of one usage. */
export interface TrustedWriter {
  /** Its XUI as it was given. */
  readonly element: string;
  readonly auid: string;
}

export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Secret. */
  readonly adminToken: string | undefined;
  readonly adminTokenFile: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly logLevel: string;
  /** Undefined: what fits standard output. */
  readonly logFormat: 'json' | 'text' | undefined;
  /** Without a trailing slash; '' is the root `/`. */
  readonly xcapRoots: readonly string[];
  readonly dataDirectory: string;
  /** Addresses and CIDRs. */
  readonly trustedProxies: readonly string[];
  /** In lower case, without ports; none where any name will do. */
  readonly hostnames: readonly string[];
  /** XUIs as they were given. */
  readonly trustedElements: readonly string[];
  readonly trustedWriters: readonly TrustedWriter[];
  /** AUIDs. */
  readonly optionalUsages: readonly string[];
  /** AUIDs. */
  readonly lenientUsages: readonly string[];
  /** Namespaces by the variable that has them. */
  readonly foreignNamespaces: ReadonlyMap<string, readonly string[]>;
  /** Names of policies by AUID. */
  readonly policies: ReadonlyMap<string, string>;
  /** Whether users whom the operator has not made subscribers have documents. */
  readonly openProvisioning: boolean;
  readonly defaultDomain: string | undefined;
  readonly maximalDocumentBytes: number;
  /** Of the XCAP listener, over all workers. */
  readonly maximalConnections: number;
  readonly strictMediaTypes: boolean;
  readonly historyVersions: number;
  /** How many requests of each subscriber are kept. */
  readonly requestHistory: number;
  /** For users whose subscription says nothing else; undefined for what is not limited. */
  readonly quota: { readonly documents: number | undefined; readonly bytes: number | undefined };
  /** In a minute, for one user name or one peer; undefined where they are not counted. */
  readonly loginFailures: number | undefined;
  /** The first whose name fits has a usage. */
  readonly upstreams: readonly UpstreamRoute[];
  readonly workers: number;
  /** None where nobody is provisioned. */
  readonly profilesDirectory: string | undefined;
  /** Of the XCAP listener. */
  readonly tls: TlsFiles | undefined;
  readonly adminTls: TlsFiles | undefined;
  /** In the order in which they are tried. */
  readonly authenticationSchemes: readonly AuthenticationSchemeName[];
  readonly passwords: PasswordConfig;
  readonly identity: IdentityConfig;
  /** Names that begin like those of this program, but are set by its surroundings. */
  readonly ignoredVariables: readonly string[];
}

/** @throws ConfigError */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const ignoredVariables = checkNames(environment);
  const values = checkedValues(environment);
  const authenticationSchemes = authenticationSchemesFrom(values);
  const identity = identityConfig(values);
  checkAuthenticationSchemes(authenticationSchemes, identity, hostnames(values.XCAP_HOSTNAMES));
  return {
    host: values.HOST,
    port: values.PORT,
    adminHost: values.ADMIN_HOST,
    adminPort: values.ADMIN_PORT,
    adminToken: adminToken(values.ADMIN_TOKEN),
    adminTokenFile: values.XCAP_ADMIN_TOKEN_FILE === '' ? undefined : values.XCAP_ADMIN_TOKEN_FILE,
    databaseUrl: databaseUrl(values.DATABASE_URL),
    logLevel: values.LOG_LEVEL,
    logFormat: logFormat(values.LOG_FORMAT),
    xcapRoots: xcapRoots(values.XCAP_ROOTS),
    dataDirectory: values.XCAP_DATA_DIR,
    trustedProxies: trustedProxies(values.XCAP_TRUSTED_PROXIES),
    hostnames: hostnames(values.XCAP_HOSTNAMES),
    trustedElements: list(values.XCAP_TRUSTED_ELEMENTS),
    trustedWriters: trustedWriters(values.XCAP_TRUSTED_WRITERS),
    optionalUsages: list(values.XCAP_OPTIONAL_USAGES),
    lenientUsages: list(values.XCAP_LENIENT_USAGES),
    foreignNamespaces: new Map([['XCAP_SIMSERVS_NAMESPACES', list(values.XCAP_SIMSERVS_NAMESPACES)]]),
    policies: policies(values.XCAP_POLICIES),
    openProvisioning:
      values.XCAP_OPEN_PROVISIONING === ''
        ? values.DATABASE_URL === ''
        : values.XCAP_OPEN_PROVISIONING === 'true',
    defaultDomain: values.XCAP_DEFAULT_DOMAIN === '' ? undefined : values.XCAP_DEFAULT_DOMAIN,
    maximalDocumentBytes: values.XCAP_MAX_DOCUMENT_BYTES,
    maximalConnections: values.XCAP_MAX_CONNECTIONS,
    strictMediaTypes: values.XCAP_STRICT_MEDIA_TYPES,
    historyVersions: values.XCAP_HISTORY_VERSIONS,
    requestHistory: values.XCAP_REQUEST_HISTORY,
    quota: {
      documents: values.XCAP_QUOTA_DOCUMENTS || undefined,
      bytes: values.XCAP_QUOTA_BYTES || undefined,
    },
    loginFailures: values.XCAP_LOGIN_FAILURES || undefined,
    upstreams: upstreamRoutes(values.XCAP_UPSTREAMS),
    workers: values.XCAP_WORKERS,
    profilesDirectory: values.XCAP_PROFILES_DIR === '' ? undefined : values.XCAP_PROFILES_DIR,
    tls: tlsFiles('XCAP_TLS', values.XCAP_TLS_CERT, values.XCAP_TLS_KEY),
    adminTls: tlsFiles('XCAP_ADMIN_TLS', values.XCAP_ADMIN_TLS_CERT, values.XCAP_ADMIN_TLS_KEY),
    authenticationSchemes,
    passwords: passwordConfig(values),
    identity,
    ignoredVariables,
  };
}

function logFormat(value: string): Config['logFormat'] {
  return value === 'json' || value === 'text' ? value : undefined;
}

/** @returns the names of variables that are not ours although they begin like ours. */
function checkNames(environment: NodeJS.ProcessEnv): string[] {
  const known = Object.keys(variables);
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith('XCAP_') && !known.includes(name),
  );
  const mistaken = unknown.find((name) => !isServiceLink(name, environment[name] ?? ''));
  if (mistaken !== undefined) throw new ConfigError(`${mistaken} is not a variable that xcapd knows.`);
  return unknown;
}

/** Kubernetes tells each container where the services of its namespace are, one of which may be called `xcap`. */
function isServiceLink(name: string, value: string): boolean {
  return (
    name.includes('_SERVICE_PORT_') ||
    /_SERVICE_(HOST|PORT)$|_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$/.test(name) ||
    (/_PORT$|_(TCP|UDP|SCTP)$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

function checkedValues(environment: NodeJS.ProcessEnv): Environment {
  // An empty variable is one that was not set, as in `PORT= npm start`.
  const data = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  try {
    return envSchema<Environment>({ schema: { type: 'object', properties: variables }, data, env: false });
  } catch (error) {
    throw badValue(error);
  }
}

/** env-schema says `env/PORT must be integer`; what matters is the name and what it must be. */
function badValue(error: unknown): ConfigError {
  const text = error instanceof Error ? error.message : String(error);
  const [first = text] = text.split(', env/');
  const name = /env\/([A-Z_]+)/.exec(first)?.[1];
  const description = Object.entries(variables).find(([variable]) => variable === name)?.[1].description;
  return new ConfigError(
    `${first.replace(/^env\//, '')}.${description === undefined ? '' : ` ${description}`}`,
  );
}

function adminToken(value: string): string | undefined {
  if (value === '') return undefined;
  if (value.length < shortestToken) throw new ConfigError(`ADMIN_TOKEN is too short: ${shortTokenAdvice}`);
  if (/^[!-~]+$/.test(value)) return value;
  // The value is a secret: it is not repeated.
  throw new ConfigError('ADMIN_TOKEN has characters that no HTTP header can carry, or blanks.');
}

function databaseUrl(value: string): string | undefined {
  if (value === '') return undefined;
  // `postgres://user@/name?host=/run/postgresql` is usual for a socket, but no URL to the URL standard.
  const withHost = value.replace(/^(\w+:\/\/[^/?#]*@)(?=[/?]|$)/, '$1localhost');
  if (/[?&]application_name=/.test(value)) {
    throw new ConfigError(
      'DATABASE_URL has an application_name: leave it out, servers on one database know each other by theirs.',
    );
  }
  if (/^postgres(ql)?:\/\//.test(value) && URL.canParse(withHost)) return value;
  // The value may hold a password: it is not repeated.
  throw new ConfigError('DATABASE_URL is not a URL that begins with postgres://.');
}

function xcapRoots(value: string): string[] {
  return list(value).map((root) => {
    if (!root.startsWith('/') || root.includes('~~') || /[?#\s]|\/\//.test(root)) {
      throw new ConfigError(`XCAP_ROOTS has '${root}', which is not the path of an XCAP root.`);
    }
    return root.replace(/\/$/, '');
  });
}

function trustedProxies(value: string): string[] {
  return list(value).map((proxy) => {
    if (!isNetwork(proxy)) {
      throw new ConfigError(`XCAP_TRUSTED_PROXIES has '${proxy}', which is no address and no CIDR.`);
    }
    return proxy;
  });
}

function hostnames(value: string): string[] {
  return list(value).map((name) => {
    if (isIP(name) === 0 && name.includes(':')) {
      throw new ConfigError(
        `XCAP_HOSTNAMES has '${name}', which is no host name: a port does not belong to it.`,
      );
    }
    return name.replace(/\.$/, '').toLowerCase();
  });
}

/** The AUID is behind the last equals sign: an XUI may have parameters. */
function trustedWriters(value: string): TrustedWriter[] {
  return list(value).map((item) => {
    const at = item.lastIndexOf('=');
    const [element, auid] = [item.slice(0, at).trim(), item.slice(at + 1).trim()];
    if (at < 1 || element === '' || auid === '') {
      throw new ConfigError(`XCAP_TRUSTED_WRITERS has '${item}', which is not of the form <XUI>=<AUID>.`);
    }
    return { element, auid };
  });
}

function policies(value: string): ReadonlyMap<string, string> {
  const entries = list(value).map((item): [string, string] => {
    const [, auid, policy] = /^([^=\s]+)=([^=\s]+)$/.exec(item) ?? [];
    if (auid === undefined || policy === undefined) {
      throw new ConfigError(`XCAP_POLICIES has '${item}', which is not of the form <AUID>=<policy>.`);
    }
    return [auid, policy];
  });
  return new Map(entries);
}

function tlsFiles(variables: string, certificateFile: string, keyFile: string): TlsFiles | undefined {
  if (certificateFile === '' && keyFile === '') return undefined;
  if (certificateFile === '') throw new ConfigError(`${variables}_KEY is set, ${variables}_CERT is not.`);
  if (keyFile === '') throw new ConfigError(`${variables}_CERT is set, ${variables}_KEY is not.`);
  return { certificateFile, keyFile };
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
