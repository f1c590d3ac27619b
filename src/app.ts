/** The composition root of a worker: opens the parts, each by a function of its folder. */
import { openUpstreams } from './aggregation/proxy.js';
import type { Config } from './config/config.js';
import { openListeners, type Listeners } from './http/listeners.js';
import { readAdminTokens } from './http/management/token-file.js';
import type { LogOptions } from './http/log.js';
import { createMetrics, type Metrics } from './http/metrics.js';
import { processingBudget, type BudgetRules } from './http/processing-budget.js';
import { readManagementTls, readTls } from './http/tls-files.js';
import type { LoginColleagues } from './identity/passwords/login-throttle.js';
import { openAuthenticationSchemes } from './identity/schemes.js';
import { usageFolders } from './package-files.js';
import { openProvisioning } from './provisioning/provisioning.js';
import type { DatabaseAddress } from './storage/database.js';
import type { SubscriberRegister } from './subscribers/register.js';
import { secretBox } from './subscribers/secret-box.js';
import type { StoreFigures } from './storage/documents/store.js';
import { openStorage } from './storage/storage.js';
import { countDisagreements } from './usages/disagreements.js';
import { loadUsages, type UsageFolders } from './usages/registry.js';
import { admission } from './xcap/admission.js';
import { documentMaker } from './xcap/document-maker.js';
import { servedUsages, type LoadedUsages } from './xcap/usage/loaded-usage.js';
import type { Xcap } from './xcap/request.js';

export interface AppOptions {
  readonly config: Config;
  readonly database: DatabaseAddress;
  /** Where application usages lie; by default the folder `auids/`. */
  readonly usageFolders?: readonly UsageFolders[];
  /** True where a process of this program has checked the usages a moment ago. Default: false. */
  readonly areUsagesChecked?: boolean;
  /** Whether the log tells at the start which documents nobody serves: one process of a server does. Default: false. */
  readonly tellsUnserved?: boolean;
  /** Metrics of all processes; by default those of this one. */
  readonly clusterMetrics?: () => Promise<string>;
  /** The other processes on these listeners, which count failed logins together with this one. */
  readonly loginColleagues?: LoginColleagues;
  /** What users can make this process do; by default `usualBudget`. */
  readonly budgetRules?: BudgetRules;
  /** Where the log goes; by default standard output. */
  readonly logOutput?: LogOptions['stream'];
}

export interface App {
  readonly listeners: Listeners;
  readonly usages: LoadedUsages;
  readonly metrics: Metrics;
  /**
   * Reads the profiles again. The log says how many subscribers have one that is no longer there.
   *
   * @throws ProfileError where they cannot be used; then the old ones stay
   */
  reloadProfiles(): Promise<void>;
  /** Finishes the requests in flight, then closes everything. */
  close(): Promise<void>;
}

/** Builds an application on a database that has its schema. Nothing listens yet. @throws ConfigError, ProfileError, SecretsKeyError, UsageError */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, database } = options;
  // Before anything is opened: a file that cannot be used leaves nothing open.
  const tls = readTls(config);
  const managementTls = readManagementTls(config);
  const tokens = readAdminTokens(config);
  const opened: { listeners?: Listeners } = {};
  const disagreements = countDisagreements((disagreement) => {
    opened.listeners?.xcap.log.warn(
      disagreement,
      'a document was refused that the second schema validator calls valid',
    );
  });
  const usages = await loadUsages(options.usageFolders ?? [usageFolders], {
    ...config,
    areExamplesChecked: options.areUsagesChecked === true,
    onDisagreement: disagreements.add,
  });
  const onError = (error: Error) => {
    opened.listeners?.xcap.log.warn({ err: error }, 'a database connection was lost');
  };
  const { historyVersions, requestHistory, quota } = config;
  const storage = await openStorage({
    database,
    historyVersions,
    requestHistory,
    quota,
    secretBox: secretBox(config.passwords),
    onError,
  });
  const { directory, register } = storage;
  const provisioning = openProvisioning({
    store: storage.documents,
    usages,
    profilesDirectory: config.profilesDirectory,
    defaultDomain: config.defaultDomain,
    profileNameOf: async (xui) => (await directory.withIdentity(xui))?.profile,
  });
  const budget = processingBudget(options.budgetRules);
  const xcap: Xcap = {
    store: provisioning.store,
    maker: documentMaker(provisioning.store, servedUsages(usages)),
    grantsOf: (owner, grantees) => directory.grants(owner, grantees),
    admits: admission(),
    spend: budget.spend,
    maximalDocumentBytes: config.maximalDocumentBytes,
    strictMediaTypes: config.strictMediaTypes,
    xcapRoots: config.xcapRoots,
    hostnames: config.hostnames,
  };
  const upstreams = await openUpstreams({
    routes: config.upstreams,
    proxyHeader: config.identity.cipherHeader,
    serverKey: storage.serverKey,
  });
  const metrics = createMetrics(() => ({
    ...storeFigures(storage.documents.figures()),
    request_history_lost_total: storage.requests.lost(),
    schema_disagreements_total: disagreements.count(),
  }));
  const listeners = await openListeners({
    config,
    log: { level: config.logLevel, ...(options.logOutput && { stream: options.logOutput }) },
    tls,
    managementTls,
    tokens,
    xcap,
    usages,
    schemes: await openAuthenticationSchemes(config, storage, options.loginColleagues),
    upstreams,
    directory,
    checkBudget: budget.check,
    register,
    requests: storage.requests,
    profileNames: () => provisioning.profileNames(),
    metrics,
    clusterMetrics: options.clusterMetrics ?? (() => metrics.registry.metrics()),
    ping: () => storage.documents.ping(),
  });
  opened.listeners = listeners;
  // Nobody waits for it.
  const telling =
    options.tellsUnserved === true ? tellUnserved(usages, register, listeners.xcap.log) : undefined;
  return {
    listeners,
    usages,
    metrics,
    async reloadProfiles() {
      const gone = provisioning.reload();
      if (gone.length === 0) return;
      const { log } = listeners.xcap;
      try {
        const subscribers = Object.fromEntries(await register.countWithProfiles(gone));
        if (Object.keys(subscribers).length === 0) return;
        log.warn({ subscribers }, 'subscribers have profiles that are no longer there and count as none');
      } catch (error) {
        log.warn(
          { err: error, profiles: gone },
          'profiles are no longer there; who has them could not be read',
        );
      }
    },
    async close() {
      await listeners.close();
      await telling;
      await Promise.all([storage.close(), upstreams.client.close()]);
    },
  };
}

/** A warning for each AUID of which documents are kept that nobody but the operator can read. */
async function tellUnserved(
  usages: LoadedUsages,
  register: SubscriberRegister,
  log: Listeners['xcap']['log'],
): Promise<void> {
  try {
    for (const [auid, documents] of await register.countOfOtherUsages([...usages.keys()])) {
      log.warn(
        { auid, documents },
        'documents are kept of a usage that is not served; the management API reads and exports them',
      );
    }
  } catch (error) {
    log.warn({ err: error }, 'which documents are of no served usage could not be read');
  }
}

function storeFigures(figures: StoreFigures): Record<string, number> {
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
