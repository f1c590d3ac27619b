/** The composition root: puts the parts together and listens. The only file that sees all of them. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { ConfigError, type Config } from './config.js';
import { createManagementListener } from './http/management.js';
import { createMetrics } from './http/metrics.js';
import { createXcapListener } from './http/xcap-listener.js';
import { assertedIdentity } from './identity/asserted-identity.js';
import { digest } from './identity/digest.js';
import { openPool, type DatabaseAddress } from './storage/database.js';
import { openPipelinedClient } from './storage/pipelined-client.js';
import { openDocumentStore } from './storage/postgres-document-store.js';
import { packageFolder, usageFolders } from './package-files.js';
import { loadProfiles } from './usages/profiles.js';
import { loadUsages, type UsageFolders } from './usages/registry.js';
import { documentMaker } from './xcap/document-maker.js';
import { servedUsages, type LoadedUsage, type LoadedUsages } from './xcap/loaded-usage.js';
import { provisionedStore, type ProfileOf, type ProvisionedPlace } from './xcap/provisioned-store.js';
import { canonicalXui } from './xcap/xui.js';

export interface AppOptions {
  readonly config: Config;
  readonly database: DatabaseAddress;
  /** Where application usages lie; by default the folder `auids/`. */
  readonly usageFolders?: readonly UsageFolders[];
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
  const usages = await loadUsages(options.usageFolders ?? [usageFolders], config);
  let profiles = readProfiles(config, usages);
  const onError = (error: Error) => {
    xcapListener.log.warn({ err: error }, 'a database connection was lost');
  };
  const pool = openPool(database, onError);
  const reader = openPipelinedClient(database, onError);
  const store = openDocumentStore({
    pool,
    reader,
    historyVersions: config.historyVersions,
    node: hostname(),
  });
  const documents = provisionedStore(store, (document) => profiles(document), provisionedPlaces(usages));
  const metrics = createMetrics(() => storeFigures(store.figures()));
  const xcapListener = createXcapListener({
    xcap: {
      store: documents,
      maker: documentMaker(documents, servedUsages(usages)),
      maximalDocumentBytes: config.maximalDocumentBytes,
      strictMediaTypes: config.strictMediaTypes,
      xcapRoots: config.xcapRoots,
    },
    usages,
    identityMethods: [assertedIdentity(config), digest(config.defaultDomain ?? 'xcapd')],
    trustedElements: config.trustedElements.map((xui) => canonicalXui(xui, config.defaultDomain)),
    uriRules: {
      xcapRoots: config.xcapRoots,
      defaultDomain: config.defaultDomain,
      defaultDocument: (auid) => defaultDocumentOf(usages.get(auid)),
    },
    metrics,
    logLevel: config.logLevel,
    tls: readTls(config),
  });
  const management = await createManagementListener({
    openApiFile: join(packageFolder, 'openapi.yaml'),
    logLevel: config.logLevel,
    ping: () => store.ping(),
    metrics: clusterMetrics ?? (() => metrics.registry.metrics()),
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
      await Promise.all([pool.end(), reader.end()]);
    },
  };
}

/** @throws ConfigError where the files cannot be read or do not belong together. */
function readTls({ tls }: Config): { cert: Buffer; key: Buffer } | undefined {
  if (tls === undefined) return undefined;
  try {
    const files = { cert: readFileSync(tls.certificateFile), key: readFileSync(tls.keyFile) };
    createSecureContext(files);
    return files;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`XCAP_TLS_CERT and XCAP_TLS_KEY cannot be used: ${reason}.`);
  }
}

/** @throws ProfileError */
function readProfiles({ profilesDirectory, defaultDomain }: Config, usages: LoadedUsages): ProfileOf {
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
