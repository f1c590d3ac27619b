/** The management listener: health, metrics, the management API and its description. Loopback by default, never XCAP. */
import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { LogController, type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { packageFolder } from '../../package-files.js';
import {
  closeConnectionsOnShutdown,
  forgetMalformedRequests,
  surviveLostConnections,
} from '../connections.js';
import { loggerOf, type LogOptions } from '../log.js';
import type { ManagementRequest } from '../metrics.js';
import { registerManagementApi } from './api.js';
import type { ManagementApiOptions } from './context.js';
import { isRefusing, refuseOtherMethods } from './methods.js';
import type { OwnNames } from '../own-names.js';
import type { KeyPair } from '../tls-files.js';
import { forbidRenegotiation } from '../tls-peer.js';
import { guardAgainstPages } from './pages.js';
import { problemOf, sendProblem } from './problem.js';

export interface ManagementOptions {
  /** Path of openapi.yaml. */
  readonly openApiFile: string;
  readonly log: LogOptions;
  /** Undefined where it speaks plain HTTP. */
  readonly tls: KeyPair | undefined;
  /** A real round trip to the database; rejects where it is away. */
  readonly ping: () => Promise<void>;
  /** The metrics of all processes in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  readonly recordRequest: (request: ManagementRequest) => void;
  readonly names: OwnNames;
  readonly api: ManagementApiOptions;
}

/** A document selector may have 2,000 bytes, each of them percent-encoded. */
const maximalParameterLength = 6000;
/** For who neither sends nor reads. An import may pause as long while a batch is written. */
const inactivityTimeoutMilliseconds = 120_000;
const importTimeoutMilliseconds = 3_600_000;
const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';

/** Builds the listener; it does not listen yet. `routes` says what it answers (`GET /metrics`). */
export async function createManagementListener(
  options: ManagementOptions,
): Promise<{ listener: FastifyInstance; routes: readonly string[] }> {
  const routes: string[] = [];
  const app = newServer(options);
  guardAgainstPages(app, options.names);
  closeConnectionsOnShutdown(app);
  forgetMalformedRequests(app);
  surviveLostConnections(app);
  forbidRenegotiation(app);
  app.addHook('onResponse', ({ method, routeOptions }, { statusCode: status }, done) => {
    options.recordRequest({ method, route: routeOptions.url ?? '', status });
    done();
  });
  app.addHook('onRoute', (route) => {
    if (isRefusing(route)) return;
    const { method, url } = route;
    for (const name of [method].flat()) if (name !== 'HEAD') routes.push(`${name} ${describedPath(url)}`);
  });
  await app.register(swagger, {
    mode: 'static',
    specification: { path: options.openApiFile, baseDir: packageFolder },
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });

  await registerManagementApi(app, options.api);

  const { refuseOthers } = refuseOtherMethods(app);
  app.get('/health/live', () => ({ status: 'live' }));

  app.get('/health/ready', async (_request, reply) => {
    try {
      await options.ping();
      return { status: 'ready' };
    } catch (error) {
      app.log.warn({ err: error }, 'not ready');
      return reply.code(503).send({ status: 'unavailable', reason: 'The database does not answer.' });
    }
  });

  app.get('/metrics', async (_request, reply) => reply.type(prometheusText).send(await options.metrics()));

  const openApi = readFileSync(options.openApiFile);
  app.get('/openapi.yaml', (_request, reply) => reply.type('application/yaml').send(openApi));
  refuseOthers();
  return { listener: app, routes };
}

function newServer({ log, tls }: Pick<ManagementOptions, 'log' | 'tls'>): FastifyInstance {
  const common = {
    logger: loggerOf(log),
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle' as const,
    connectionTimeout: inactivityTimeoutMilliseconds,
    requestTimeout: importTimeoutMilliseconds,
    // Identities and paths of documents are longer than what the router takes by default.
    routerOptions: { maxParamLength: maximalParameterLength },
    // By default properties that are not known are dropped, and values of other types converted.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    frameworkErrors: (error: FastifyError, _request: unknown, reply: FastifyReply) => {
      void sendProblem(reply, problemOf(error));
    },
  };
  return tls === undefined ? Fastify(common) : Fastify({ ...common, https: tls });
}

/** As an API description spells it: `/grants/{id}`. */
function describedPath(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}').replace('*', '{path}');
}
