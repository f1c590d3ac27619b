/** The composition root: puts the parts together and listens. The only file that sees all of them. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Config } from './config/config.js';
import { readAdminTokens, readTls } from './http/credential-files.js';
import { createManagementListener } from './http/management/listener.js';
import { mergingMaker } from './aggregation/merging-maker.js';
import { createMetrics } from './http/metrics.js';
import { openUpstreamClient } from './aggregation/client.js';
import { routeOf, type Upstreams } from './aggregation/proxy.js';
import { createXcapListener } from './http/xcap-listener.js';
import { nonces } from './identity/digest/nonce.js';
import { secretBox } from './identity/passwords/secrets.js';
import { defaultRealmOf } from './identity/passwords/realm.js';
import { authenticationSchemes } from './identity/schemes.js';
import { openPool, type DatabaseAddress } from './storage/database.js';
import { openNonceCounts } from './storage/nonces/counts.js';
import { openPipelinedClient, type PipelinedClient } from './storage/pipelined-client.js';
import { openDocumentStore } from './storage/documents/store.js';
import { readServerKey } from './storage/server-keys.js';
import { openSubscriberDirectory } from './storage/subscribers/directory.js';
import { openSubscriberRegister } from './storage/subscribers/postgres-register.js';
import type { Limits } from './storage/documents/write-statement.js';
import type { SubscriberDirectory } from './subscribers/subscriber.js';
import { packageFolder, usageFolders } from './package-files.js';
import { loadProfiles, type Profiles } from './provisioning/profiles.js';
import { loadUsages, type UsageFolders } from './usages/registry.js';
import { documentMaker } from './xcap/document-maker.js';
import { servedUsages, type LoadedUsage, type LoadedUsages } from './xcap/usage/loaded-usage.js';
import { provisionedStore, type ProfileOf, type ProvisionedPlace } from './provisioning/provisioned-store.js';
import type { Xcap } from './xcap/request.js';
import type { Xui } from './xcap/terms.js';
import { canonicalXui } from './xcap/uri/xui.js';

export interface AppOptions {
  readonly config: Config;
  readonly database: DatabaseAddress;
  /** Where application usages lie; by default the folder `auids/`. */
  readonly usageFolders?: readonly UsageFolders[];
  /** True where a process of this program has checked the usages a moment ago. Default: false. */
  readonly areUsagesChecked?: boolean;
  /** Metrics of all processes; by default those of this one. */
  readonly clusterMetrics?: () => Promise<string>;
}

export interface App {
  readonly xcapListener: FastifyInstance;
  readonly managementListener: FastifyInstance;
  /** What the management listener answers, as `GET /metrics`. */
  readonly managementRoutes: readonly string[];
  readonly usages: LoadedUsages;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** Reads certificate and key again; connections stay. */
  reloadTls(): void;
  /** Reads the profiles again. @throws ProfileError where they cannot be used; then the old ones stay. */
  reloadProfiles(): void;
  /** Listens on both addresses of the configuration. */
  listen(): Promise<void>;
  /** Finishes the requests in flight, then closes everything. */
  close(): Promise<void>;
}

/** Builds an application on a database that has its schema. Nothing listens yet. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, database, clusterMetrics } = options;
  const usages = await loadUsages(options.usageFolders ?? [usageFolders], {
    ...config,
    areExamplesChecked: options.areUsagesChecked === true,
  });
  let profiles = readProfiles(config, usages);
  const tls = readTls(config);
  const tokens = readAdminTokens(config);
  const started: { log?: FastifyInstance['log'] } = {};
  const onError = (error: Error) => {
    started.log?.warn({ err: error }, 'a database connection was lost');
  };
  const pool = openPool(database, onError);
  const reader = openPipelinedClient(database, onError);
  const store = openDocumentStore({
    pool,
    reader,
    historyVersions: config.historyVersions,
    node: hostname(),
    limitsOf: (xui) => limitsOf(xui, directory, config),
  });
  const directory = openSubscriberDirectory(reader);
  const profileOf: ProfileOf = async (document) => {
    const find = profiles(document);
    return find?.((await directory.withIdentity(document.xui))?.profile);
  };
  const documents = provisionedStore(store, profileOf, provisionedPlaces(usages));
  const metrics = createMetrics(() => storeFigures(store.figures()));
  const key = await readServerKey(reader, 'nonce');
  const counts = await openNonceCounts({ reader, address: database, onError });
  const schemeParts = {
    directory,
    counts,
    nonces: nonces({ key, maker: counts.maker, lifetimeSeconds: config.passwords.nonceSeconds }),
  };
  const xcap: Xcap = {
    store: documents,
    maker: documentMaker(documents, servedUsages(usages)),
    grantsOf: (owner, grantees) => directory.grants(owner, grantees),
    maximalDocumentBytes: config.maximalDocumentBytes,
    strictMediaTypes: config.strictMediaTypes,
    xcapRoots: config.xcapRoots,
  };
  const upstreams = await openUpstreams(config, reader);
  const xcapListener = createXcapListener({
    xcap,
    usages,
    authenticationSchemes: authenticationSchemes(config, schemeParts),
    upstreams,
    mergingMaker: mergingMaker({ upstreams, maker: xcap.maker, usages: servedUsages(usages) }),
    principalRules: {
      directory,
      trustedElements: config.trustedElements.map((xui) => canonicalXui(xui, config.defaultDomain)),
      defaultDomain: config.defaultDomain,
      openProvisioning: config.openProvisioning,
    },
    uriRules: {
      xcapRoots: config.xcapRoots,
      defaultDomain: config.defaultDomain,
      // What the document is called does not matter where the URI goes on as it is.
      defaultDocument: (auid) =>
        routeOf(upstreams, auid) === undefined ? defaultDocumentOf(usages.get(auid)) : auid,
    },
    metrics,
    logLevel: config.logLevel,
    tls,
  });
  started.log = xcapListener.log;
  const management = await createManagementListener({
    openApiFile: join(packageFolder, 'openapi.yaml'),
    logLevel: config.logLevel,
    ping: () => store.ping(),
    metrics: clusterMetrics ?? (() => metrics.registry.metrics()),
    api: {
      register: openSubscriberRegister(pool),
      forget: () => directory.forget(),
      xcap,
      usages,
      defaultDomain: config.defaultDomain,
      tokens,
      realms: [defaultRealmOf(config)],
      secretBox: secretBox(config.passwords.secretsKey),
    },
  });
  return {
    xcapListener,
    managementListener: management.listener,
    managementRoutes: management.routes,
    usages,
    metrics,
    reloadTls() {
      const tls = readTls(config);
      if (tls !== undefined && xcapListener.server instanceof TlsServer)
        xcapListener.server.setSecureContext(tls);
    },
    reloadProfiles() {
      profiles = readProfiles(config, usages);
    },
    async listen() {
      await management.listener.listen({ host: config.adminHost, port: config.adminPort });
      await xcapListener.listen({ host: config.host, port: config.port });
    },
    async close() {
      await Promise.all([xcapListener.close(), management.listener.close()]);
      await Promise.all([pool.end(), counts.end(), reader.end(), upstreams.client.close()]);
    },
  };
}

/** The name in Via is that of all processes on one database, so that a request does not go round between them. */
async function openUpstreams(config: Config, reader: PipelinedClient): Promise<Upstreams> {
  const routes = config.upstreams;
  const key = routes.length === 0 ? [] : await readServerKey(reader, 'via');
  return {
    routes,
    client: openUpstreamClient(),
    pseudonym: `xcapd-${Buffer.from(key).toString('hex').slice(0, 12)}`,
    proxyHeader: config.identity.cipherHeader,
  };
}

/** What the subscription says, and what it leaves to the configuration. */
async function limitsOf(
  xui: Xui,
  directory: Pick<SubscriberDirectory, 'withIdentity'>,
  { quota }: Pick<Config, 'quota'>,
): Promise<Limits | undefined> {
  const own = (await directory.withIdentity(xui))?.quota;
  const documents = own?.documents ?? quota.documents;
  const bytes = own?.bytes ?? quota.bytes;
  return documents === undefined && bytes === undefined ? undefined : { documents, bytes };
}

/** @throws ProfileError */
function readProfiles({ profilesDirectory, defaultDomain }: Config, usages: LoadedUsages): Profiles {
  if (profilesDirectory === undefined) return () => undefined;
  return loadProfiles(profilesDirectory, usages, defaultDomain);
}

function provisionedPlaces(usages: LoadedUsages): ProvisionedPlace[] {
  return [...usages.values()].flatMap(({ usage }) => {
    if (usage.kind !== 'stored' || usage.provisioning === undefined) return [];
    return [{ auid: usage.auid, document: usage.provisioning.document }];
  });
}

function defaultDocumentOf(loaded: LoadedUsage | undefined): string | undefined {
  return loaded?.usage.kind === 'stored' ? loaded.usage.defaultDocument : undefined;
}

function storeFigures(
  figures: ReturnType<ReturnType<typeof openDocumentStore>['figures']>,
): Record<string, number> {
  return {
    database_pool_connections: figures.poolConnections,
    database_pool_idle: figures.poolIdle,
    database_pool_waiting: figures.poolWaiting,
    cache_documents: figures.cacheDocuments,
    cache_bytes: figures.cacheBytes,
    cache_hits_total: figures.cacheHits,
    cache_misses_total: figures.cacheMisses,
  };
}
