/** The XCAP listener (Ut): XCAP roots and nothing else. */
import { METHODS, type IncomingMessage, type ServerResponse } from 'node:http';
import Fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type preParsingHookHandler,
} from 'fastify';
import Negotiator from 'negotiator';
import type { AuthenticationScheme } from '../identity/authentication.js';
import { intendedIdentityHeader } from '../identity/intended-identity.js';
import {
  documentOfSubscriber,
  principalOf,
  type Identified,
  type PrincipalRules,
} from '../identity/principal.js';
import type { RequestHistory } from '../subscribers/request-history.js';
import { readConditions } from '../xcap/document/conditions.js';
import { limitsOf, usageNamed, type LoadedUsage, type LoadedUsages } from '../xcap/usage/loaded-usage.js';
import { get, put, remove } from '../xcap/operations.js';
import { checkBodySize } from '../xcap/plan.js';
import { HomeChanged } from '../xcap/document-store.js';
import { Refusal } from '../xcap/refusal.js';
import { methodsFor } from '../xcap/resource.js';
import type { GetRequest, ReadResult, WriteResult, Xcap, XcapRequest } from '../xcap/request.js';
import { parseRequestTarget, type UriRules, type XcapUri } from '../xcap/uri/uri.js';
import {
  closeConnectionsOnShutdown,
  forgetMalformedRequests,
  surviveLostConnections,
} from './connections.js';
import { limitConnections, type ConnectionLimits } from './connection-limits.js';
import { errorReply } from './error-reply.js';
import { identify, needsBody } from './identification.js';
import type { MergingMaker } from '../aggregation/merging-maker.js';
import { loggerOf, type LogOptions } from './log.js';
import type { Metrics } from './metrics.js';
import type { Addressed } from './own-names.js';
import type { ProcessingBudget } from './processing-budget.js';
import { nothingKnown, requestLog, type Progress } from './request-log.js';
import { serveInTurn } from './pipelining.js';
import { acceptBodies, BodyInCrumbs, dropRest } from './request-bodies.js';
import { forbidRenegotiation } from './tls-peer.js';
import { forward, routeOf, type Upstreams } from '../aggregation/proxy.js';
import type { UpstreamRoute } from '../config/upstreams.js';

export interface XcapListenerOptions {
  readonly xcap: Xcap;
  readonly usages: LoadedUsages;
  readonly authenticationSchemes: readonly AuthenticationScheme[];
  readonly principalRules: PrincipalRules;
  readonly uriRules: UriRules;
  readonly upstreams: Upstreams;
  readonly mergingMaker: MergingMaker;
  /** By which name the server is called. @throws Refusal 400, 421 */
  readonly checkCaller: (peerAddress: string, request: Addressed) => void;
  /** Forgets what this process remembers of subscribers. */
  readonly forgetSubscribers: () => void;
  readonly checkBudget: ProcessingBudget['check'];
  readonly connectionLimits: ConnectionLimits;
  readonly metrics: Metrics;
  readonly requests: RequestHistory;
  readonly log: LogOptions;
  readonly tls: ListenerTls | undefined;
}

export interface ListenerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The authorities that sign certificates of clients; undefined where no client is asked for one. */
  readonly ca: Buffer | undefined;
}

/** Node selectors may be long; targets of 8 KiB are the least that has to work. */
const maximalHeaderBytes = 32768;
/** What reads it takes the square of its length. */
const maximalAcceptLength = 4096;
const requestTimeoutMilliseconds = 30_000;
const keepAliveTimeoutMilliseconds = 72_000;
/** For who neither sends nor reads. */
const inactivityTimeoutMilliseconds = 60_000;

/** Builds the listener; it does not listen yet. */
export function createXcapListener(options: XcapListenerOptions): FastifyInstance {
  const app = newServer(options);
  const progress = new WeakMap<FastifyRequest, Progress>();
  const { metrics, requests, principalRules } = options;
  const record = requestLog({ metrics, requests, directory: principalRules.directory });
  for (const method of METHODS) {
    // Node hands CONNECT to nobody and closes; all others get their answer, be it 405.
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  acceptBodies(app, options.xcap.maximalDocumentBytes);
  serveInTurn(app);
  // Before the body is read: most of what is wrong with a request can be said without it, and it fills memory.
  app.addHook('onRequest', async (request, reply) => {
    const known = nothingKnown();
    progress.set(request, known);
    options.checkCaller(request.socket.remoteAddress ?? '', request);
    const uri = findUsage(options, request, known);
    if (!needsBody(request)) {
      const asking = { request, reply, uri, usage: known.usage };
      known.identified = await identify(options.authenticationSchemes, asking, known.login);
    }
    if (known.usage !== undefined) {
      const limits = limitsOf(known.usage.usage, options.xcap.maximalDocumentBytes);
      checkBodySize(Number(request.headers['content-length'] ?? 0), limits);
    }
  });
  app.addHook('preParsing', inviteBody);
  app.route({
    method: app.supportedMethods.filter((method) => method !== 'CONNECT'),
    url: '/',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const known = progress.get(request);
      const server = known?.route ?? known?.usage;
      if (known?.uri === undefined || server === undefined)
        throw new Error('the request passed without a usage');
      const { uri, usage } = known;
      const asking = { request, reply, uri, usage };
      known.identified ??= await identify(options.authenticationSchemes, asking, known.login);
      return answer(options, { request, reply, uri, server, found: known.identified, known });
    },
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, headers, body, condition, sentence, isFault } = errorReply(error);
    const known = progress.get(request);
    if (known !== undefined) Object.assign(known, { condition, sentence });
    if (isFault) request.log.error({ err: error }, 'a request failed');
    // Fastify closes after a body that is too large; many clients then see a broken pipe and never the 413. The rest of the
    // body is read and dropped instead, for as long as `requestTimeout` lets it; unless the client waits to be asked for it.
    const isRestExpected = request.headers.expect === undefined && !(error instanceof BodyInCrumbs);
    if (isRestExpected) {
      void reply.removeHeader('connection');
      dropRest(request.raw);
    } else void reply.header('connection', 'close');
    return reply.code(status).headers(headers).send(body);
  });
  app.addHook('onResponse', (request, reply, done) => {
    record(request, reply, progress.get(request) ?? nothingKnown());
    done();
  });
  closeConnectionsOnShutdown(app);
  surviveLostConnections(app);
  forgetMalformedRequests(app);
  forbidRenegotiation(app);
  limitConnections(app, options.connectionLimits);
  leaveInvitationToHooks(app);
  return app;
}

function newServer({ xcap, log, tls }: XcapListenerOptions): FastifyInstance {
  const common = {
    logger: loggerOf(log),
    // The target may hold a password (§6.2 userinfo): Fastify's own log lines are off, see requestLog.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: xcap.maximalDocumentBytes,
    requestTimeout: requestTimeoutMilliseconds,
    keepAliveTimeout: keepAliveTimeoutMilliseconds,
    connectionTimeout: inactivityTimeoutMilliseconds,
    // The router never sees a client's target, so nothing is decoded, resolved or too long for it.
    rewriteUrl: () => '/',
    forceCloseConnections: 'idle' as const,
  };
  const maxHeaderSize = maximalHeaderBytes;
  if (tls === undefined) return Fastify({ ...common, http: { maxHeaderSize } });
  // A client without a certificate, or with one that nobody here knows, may still have other credentials.
  const certificates = { requestCert: tls.ca !== undefined, rejectUnauthorized: false };
  return Fastify({ ...common, https: { ...tls, ...certificates, maxHeaderSize } });
}

/** §8: what is asked for, and whether the method is defined for it. */
function findUsage(options: XcapListenerOptions, request: FastifyRequest, known: Progress): XcapUri {
  const uri = parseRequestTarget(request.originalUrl, options.uriRules);
  if (uri === undefined) throw new Refusal(404, 'This path lies below no XCAP root.');
  known.uri = uri;
  known.route = routeOf(options.upstreams, uri.document.auid);
  if (known.route !== undefined) {
    // An echo would show the client what this server tells the other one (RFC 9110 §9.3.8).
    if (request.method === 'TRACE') throw new Refusal(405, 'TRACE is not defined for this resource.', []);
    return uri;
  }
  const usage = usageNamed(options.usages, uri.document.auid);
  // What another server keeps is not served here under another name.
  if (usage === undefined || routeOf(options.upstreams, usage.usage.auid) !== undefined) {
    throw new Refusal(404, 'This server has no such application usage.');
  }
  known.usage = usage;
  checkMethod(request.method, uri, usage);
  known.uri = { ...uri, document: { ...uri.document, auid: usage.usage.auid } };
  return known.uri;
}

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly uri: XcapUri;
  readonly server: LoadedUsage | UpstreamRoute;
  readonly found: Identified;
  readonly known: Progress;
}

/** §8: the operation with its authorization. */
async function answer(
  options: XcapListenerOptions,
  { request, reply, uri, server, found, known }: Asked,
): Promise<FastifyReply> {
  const { principalRules } = options;
  const whoAsks = async () => {
    known.principal = await principalOf(found, request.headers[intendedIdentityHeader], principalRules);
    return known.principal;
  };
  if ('origin' in server) {
    return forward(options.upstreams, server, { request, reply, uri, principal: await whoAsks() });
  }
  const conditions = readConditions(request.headers);
  const result = await inCurrentHome(options, async () => {
    const principal = await whoAsks();
    options.checkBudget(principal);
    const document = await documentOfSubscriber(uri.document, principal, principalRules);
    known.document = document;
    const xcapRequest = { principal, uri: { ...uri, document }, usage: server, conditions };
    const maker = options.mergingMaker({ principal, headers: request.headers, log: request.log });
    return perform({ ...options.xcap, maker }, xcapRequest, request);
  });
  return send(reply, result, request.method === 'HEAD');
}

/** Where the documents have moved since somebody last asked whose they are, it is asked and done again. */
async function inCurrentHome<T>(
  { forgetSubscribers }: XcapListenerOptions,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof HomeChanged)) throw error;
    forgetSubscribers();
    if (error.change === 'gone') throw error;
    return action();
  }
}

function perform(
  xcap: Xcap,
  xcapRequest: XcapRequest,
  request: FastifyRequest,
): Promise<ReadResult | WriteResult> {
  switch (request.method) {
    case 'PUT': {
      checkContentEncoding(request.headers['content-encoding']);
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      return put(xcap, { ...xcapRequest, contentType: request.headers['content-type'], body });
    }
    case 'DELETE':
      return remove(xcap, xcapRequest);
    default:
      return get(xcap, { ...xcapRequest, prefers: preferenceOf(request) });
  }
}

/** §8.1, §8.2, §8.4. */
function checkMethod(method: string, uri: XcapUri, usage: LoadedUsage): void {
  const allowed = methodsFor(uri, usage);
  if (allowed.includes(method)) return;
  throw new Refusal(405, `${method} is not defined for this resource.`, allowed);
}

/**
 * What the client likes better, by RFC 9110 §12.5.1. Without an Accept header it likes everything alike, and with one that is
 * too long to be read.
 */
function preferenceOf({ headers }: FastifyRequest): GetRequest['prefers'] {
  const accept = (headers.accept?.length ?? 0) > maximalAcceptLength ? undefined : headers.accept;
  const negotiator = new Negotiator({ headers: { accept } });
  return (contentType, documentType) => negotiator.mediaType([documentType, contentType]) === contentType;
}

/** A content coding that is not understood is 415 (RFC 9110 §8.4); one client names its charset here. */
function checkContentEncoding(header: string | undefined): void {
  const coding = header?.trim().toLowerCase() ?? '';
  if (['', 'identity', 'utf-8'].includes(coding)) return;
  throw new Refusal(415, 'A body is sent as it is, without a content coding.');
}

const inertContent = {
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
};

function send(reply: FastifyReply, result: ReadResult | WriteResult, isHead: boolean): FastifyReply {
  void reply.code(result.status);
  if (result.entityTag !== undefined) void reply.header('etag', `"${result.entityTag}"`);
  // §9: clients write these resources, so a cache asks before it answers.
  void reply.header('cache-control', 'no-cache');
  if (!('body' in result)) return reply.send();
  void reply.header('content-type', result.mediaType);
  if (result.isNegotiated === true) void reply.header('vary', 'accept');
  // What a user calls a picture, or writes as XHTML, must not run as a script in a browser.
  void reply.headers(inertContent);
  if (!isHead) return reply.send(result.body);
  return reply.header('content-length', Buffer.byteLength(result.body)).send();
}

/** Node.js would invite the body at once; see `inviteBody`. */
function leaveInvitationToHooks({ server }: FastifyInstance): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
}

/** A client that waits for 100 Continue has its 401 or 413 by now, without having sent anything. */
const inviteBody: preParsingHookHandler = (request, reply, _payload, done) => {
  if (/^100-continue$/i.test(request.headers.expect ?? '')) reply.raw.writeContinue();
  done();
};
