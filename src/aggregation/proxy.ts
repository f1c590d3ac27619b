/** The Aggregation Proxy (OMA XDM Core §6.3, 3GPP TS 24.109 §7): requests for usages that other servers keep go on to them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { UpstreamRoute } from '../config/upstreams.js';
import { capabilitiesAuid, directoryAuid } from './merged-documents.js';
import { Refusal } from '../xcap/refusal.js';
import type { Principal } from '../xcap/terms.js';
import type { XcapUri } from '../xcap/uri/uri.js';
import { UpstreamFailure } from './failure.js';
import { forwardedResource } from './forwarded-path.js';
import { openUpstreamClient, type UpstreamClient } from './client.js';
import { downstreamHeaders, isLoop, upstreamRequestHeaders } from './headers.js';

export interface Upstreams {
  /** The first that fits counts. */
  readonly routes: readonly UpstreamRoute[];
  readonly client: UpstreamClient;
  /** The name of this server in Via: no other server has it. */
  readonly pseudonym: string;
  /** In lower case; undefined where no proxy tells about the connections of clients in a header of its own. */
  readonly proxyHeader: string | undefined;
}

export interface UpstreamsOptions {
  readonly routes: readonly UpstreamRoute[];
  readonly proxyHeader: string | undefined;
  /** A key that all processes on one database share. */
  readonly serverKey: (name: string) => Promise<Uint8Array>;
}

/** The name in Via is that of all processes on one database, so that a request does not go round between them. */
export async function openUpstreams({
  routes,
  proxyHeader,
  serverKey,
}: UpstreamsOptions): Promise<Upstreams> {
  const key = routes.length === 0 ? [] : await serverKey('via');
  const pseudonym = `xcapd-${Buffer.from(key).toString('hex').slice(0, 12)}`;
  return { routes, client: openUpstreamClient(), pseudonym, proxyHeader };
}

/** Undefined where the usage is served here, as those are which are merged from all servers. */
export function routeOf({ routes }: Pick<Upstreams, 'routes'>, auid: string): UpstreamRoute | undefined {
  if (auid === capabilitiesAuid || auid === directoryAuid) return undefined;
  return routes.find((route) => ('auid' in route ? route.auid === auid : auid.startsWith(route.prefix)));
}

/** A short name for metrics, whatever AUID a client thinks of. */
export function routeName(route: UpstreamRoute): string {
  return 'auid' in route ? route.auid : `${route.prefix}*`;
}

/**
 * Sends the request on as it came, for the principal in place of their credentials, and answers with what comes back. Who may
 * do what is decided there, but for what the credentials themselves allow.
 *
 * @throws Refusal, UpstreamFailure
 */
export async function forward(
  upstreams: Upstreams,
  route: UpstreamRoute,
  { request, reply, uri, principal }: ForwardOptions,
): Promise<FastifyReply> {
  const { client, pseudonym, proxyHeader } = upstreams;
  const resource = forwardedResource(request.originalUrl, uri.xcapRoot);
  checkAccess(principal, request.method);
  if (isLoop(request.headers, pseudonym)) throw new UpstreamFailure(508);
  const answer = await client.request({
    origin: route.origin,
    path: `${route.path}/${resource}`,
    method: request.method,
    headers: upstreamRequestHeaders({
      rawHeaders: request.raw.rawHeaders,
      identities: principal.xuis,
      pseudonym,
      httpVersion: request.raw.httpVersion,
      otherHeader: proxyHeader,
    }),
    body: Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : undefined,
  });
  if (answer.statusCode === 401 || answer.statusCode === 407) {
    // The client has proved who it is. That the upstream does not believe this server is a matter of the operator, and a
    // challenge of another server would make the client show its credentials for that one, or bootstrap again.
    await answer.body.dump();
    throw new UpstreamFailure(502, { cause: new Error(`the upstream answered ${answer.statusCode}`) });
  }
  // What says that this server is the right one (Authentication-Info) stays.
  const own = reply.getHeaders();
  void reply.code(answer.statusCode).headers({ ...downstreamHeaders(answer.headers), ...own });
  if (request.method === 'HEAD' || [204, 205, 304].includes(answer.statusCode)) {
    await answer.body.dump();
    return reply.send();
  }
  return reply.send(answer.body);
}

export interface ForwardOptions {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly uri: XcapUri;
  readonly principal: Principal;
}

/** The upstream learns who asks, not what their token is good for. @throws Refusal */
function checkAccess({ access }: Principal, method: string): void {
  const isReading = method === 'GET' || method === 'HEAD';
  if (access === 'read-write' || access === (isReading ? 'read' : 'write')) return;
  throw new Refusal(403, `You may not ${isReading ? 'read' : 'write'} this document.`);
}
