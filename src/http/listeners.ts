/** The two listeners of a worker: XCAP for users, and management for the operator. */
import { join } from 'node:path';
import { Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { mergingMaker } from '../aggregation/merging-maker.js';
import { routeOf, type Upstreams } from '../aggregation/proxy.js';
import type { Config } from '../config/config.js';
import type { AuthenticationScheme } from '../identity/authentication.js';
import { defaultRealmOf } from '../identity/passwords/realm.js';
import { packageFolder } from '../package-files.js';
import type { RequestHistory } from '../subscribers/request-history.js';
import type { SubscriberRegister } from '../subscribers/register.js';
import { secretBox } from '../subscribers/secret-box.js';
import type { SubscriberDirectory } from '../subscribers/subscriber.js';
import type { Xcap } from '../xcap/request.js';
import { canonicalXui } from '../xcap/uri/xui.js';
import { servedUsages, type LoadedUsage, type LoadedUsages, usageNamed } from '../xcap/usage/loaded-usage.js';
import { countedPeer, peersIn } from '../identity/peer-network.js';
import type { LogOptions } from './log.js';
import { createManagementListener } from './management/listener.js';
import type { AdminToken } from './management/access.js';
import { readAdminTokens } from './management/token-file.js';
import type { Metrics } from './metrics.js';
import { checkCaller, checkLocalCaller, checkOneHost, type Addressed } from './own-names.js';
import type { ProcessingBudget } from './processing-budget.js';
import { readManagementTls, readTls, type KeyPair } from './tls-files.js';
import { createXcapListener, type ListenerTls } from './xcap-listener.js';

export interface ListenersOptions {
  readonly config: Config;
  readonly log: LogOptions;
  /** Undefined where the XCAP listener speaks plain HTTP. */
  readonly tls: ListenerTls | undefined;
  /** The same for the management listener. */
  readonly managementTls: KeyPair | undefined;
  /** Of the management API, at the start. */
  readonly tokens: readonly AdminToken[];
  readonly xcap: Xcap;
  readonly usages: LoadedUsages;
  readonly schemes: readonly AuthenticationScheme[];
  readonly upstreams: Upstreams;
  readonly directory: SubscriberDirectory & { forget(): void };
  readonly register: SubscriberRegister;
  readonly requests: RequestHistory;
  /** Those that there are at this moment; undefined where nobody is provisioned. */
  readonly profileNames: () => ReadonlySet<string> | undefined;
  readonly checkBudget: ProcessingBudget['check'];
  readonly metrics: Metrics;
  /** The metrics of all processes in Prometheus' text format. */
  readonly clusterMetrics: () => Promise<string>;
  /** A real round trip to the database; rejects where it is away. */
  readonly ping: () => Promise<void>;
}

/** @throws Refusal 400, 421 */
type CallerCheck = (peerAddress: string, request: Addressed) => void;

export interface Listeners {
  readonly xcap: FastifyInstance;
  readonly management: FastifyInstance;
  /** What the management listener answers, as `GET /metrics`. */
  readonly managementRoutes: readonly string[];
  /** Reads certificate and key of the XCAP listener again; connections stay. @throws ConfigError; then the old ones stay. */
  reloadTls(): void;
  /** The same for the management listener. */
  reloadManagementTls(): void;
  /** Reads the tokens of the management API again. @throws ConfigError; then the old ones stay. */
  reloadTokens(): void;
  /** Listens on both addresses of the configuration; with `reusePort` beside other processes that do so, too. */
  listen(how?: { readonly reusePort: boolean }): Promise<void>;
  /** Finishes the requests in flight. */
  close(): Promise<void>;
}

/** Builds both; nothing listens yet. */
export async function openListeners(options: ListenersOptions): Promise<Listeners> {
  const { config } = options;
  const xcap = xcapListener(options);
  if (options.tls !== undefined) options.metrics.setCertificate('xcap', options.tls.cert);
  if (options.managementTls !== undefined) {
    options.metrics.setCertificate('management', options.managementTls.cert);
  }
  let { tokens } = options;
  const management = await managementListener(options, () => tokens);
  return {
    xcap,
    management: management.listener,
    managementRoutes: management.routes,
    reloadTls() {
      const tls = readTls(config);
      if (tls === undefined || !(xcap.server instanceof TlsServer)) return;
      xcap.server.setSecureContext(tls);
      options.metrics.setCertificate('xcap', tls.cert);
    },
    reloadManagementTls() {
      const tls = readManagementTls(config);
      const { server } = management.listener;
      if (tls === undefined || !(server instanceof TlsServer)) return;
      server.setSecureContext(tls);
      options.metrics.setCertificate('management', tls.cert);
    },
    reloadTokens() {
      tokens = readAdminTokens(config);
    },
    async listen(how = { reusePort: false }) {
      // Node.js 20, whose types these are, does not know the option and ignores it.
      await management.listener.listen({ ...how, host: config.adminHost, port: config.adminPort });
      await xcap.listen({ ...how, host: config.host, port: config.port });
    },
    async close() {
      await Promise.all([xcap.close(), management.listener.close()]);
    },
  };
}

function writersByXui(writers: Config['trustedWriters'], defaultDomain: string | undefined) {
  const auids = new Map<string, string[]>();
  for (const { element, auid } of writers) {
    const xui = canonicalXui(element, defaultDomain);
    auids.set(xui, [...(auids.get(xui) ?? []), auid]);
  }
  return auids;
}

function xcapListener({
  config,
  log,
  tls,
  xcap,
  usages,
  schemes,
  upstreams,
  directory,
  checkBudget,
  metrics,
  requests,
}: ListenersOptions): FastifyInstance {
  const { xcapRoots, defaultDomain, openProvisioning, trustedElements, trustedWriters } = config;
  return createXcapListener({
    xcap,
    usages,
    authenticationSchemes: schemes,
    upstreams,
    mergingMaker: mergingMaker({ upstreams, maker: xcap.maker, usages: servedUsages(usages) }),
    principalRules: {
      directory,
      trustedElements: trustedElements.map((xui) => canonicalXui(xui, defaultDomain)),
      trustedWriters: writersByXui(trustedWriters, defaultDomain),
      defaultDomain,
      openProvisioning,
    },
    uriRules: {
      xcapRoots,
      defaultDomain,
      // What the document is called does not matter where the URI goes on as it is.
      defaultDocument: (auid) =>
        routeOf(upstreams, auid) === undefined ? defaultDocumentOf(usageNamed(usages, auid)) : auid,
    },
    checkCaller: callerCheck(config),
    requests,
    forgetSubscribers: () => directory.forget(),
    checkBudget,
    connectionLimits: {
      most: Math.ceil(config.maximalConnections / config.workers),
      peerOf: countedPeer(config.trustedProxies),
    },
    metrics,
    log,
    tls,
  });
}

/** Where names are configured they are for everybody, else for whom this machine is believed to be a proxy. */
function callerCheck({ hostnames, host, trustedProxies, authenticationSchemes }: Config): CallerCheck {
  const names = { hostnames, listenerHost: host };
  if (hostnames.length > 0) return (_peerAddress, request) => checkCaller(request, names);
  const isTrusted = peersIn(trustedProxies);
  const believes = (address: string) =>
    authenticationSchemes.includes('peer') ||
    (authenticationSchemes.includes('asserted-identity') && isTrusted(address));
  return (peerAddress, request) => {
    if (believes(peerAddress)) checkLocalCaller(peerAddress, request, names);
    else checkOneHost(request);
  };
}

function managementListener(
  {
    config,
    log,
    managementTls,
    xcap,
    usages,
    directory,
    register,
    requests,
    profileNames,
    metrics,
    clusterMetrics,
    ping,
  }: ListenersOptions,
  tokens: () => readonly AdminToken[],
): ReturnType<typeof createManagementListener> {
  const box = secretBox(config.passwords);
  return createManagementListener({
    openApiFile: join(packageFolder, 'openapi.yaml'),
    log,
    tls: managementTls,
    ping,
    metrics: clusterMetrics,
    recordRequest: (request) => metrics.recordManagement(request),
    names: { hostnames: config.hostnames, listenerHost: config.adminHost },
    api: {
      register,
      requests,
      forget: () => directory.forget(),
      xcap,
      usages,
      defaultDomain: config.defaultDomain,
      profileNames,
      tokens,
      realms: [defaultRealmOf(config)],
      openSecret: (secret) => box.open(secret),
    },
  });
}

function defaultDocumentOf(loaded: LoadedUsage | undefined): string | undefined {
  return loaded?.usage.kind === 'stored' ? loaded.usage.defaultDocument : undefined;
}
