/** Who asks, on the XCAP listener: before the body is read, wherever the credentials do not cover it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { authenticate, type AuthenticationScheme, type Credentials } from '../identity/authentication.js';
import { coversBody } from '../identity/digest/header.js';
import type { Identified } from '../identity/principal.js';
import { Refusal } from '../xcap/refusal.js';
import type { LoadedUsage } from '../xcap/usage/loaded-usage.js';
import type { XcapUri } from '../xcap/uri/uri.js';
import { tlsPeer } from './tls-peer.js';

/** True where the body has to be there to know who asks (RFC 7616 §3.4.3, auth-int). */
export function needsBody({ headers: { authorization } }: FastifyRequest): boolean {
  return coversBody(authorization);
}

/** RFC 3323 §4.1.1.3: who does not say who they are. They have no documents, since they write none. */
const anonymous: Identified = { identities: ['sip:anonymous@anonymous.invalid'], access: 'read' };

/** How it was found out who asks, or why it was not. */
export interface Login {
  /** The scheme that decided; undefined where none found credentials. */
  scheme: string | undefined;
  /** - failed: the scheme could not or would not judge (too many failures, a core function that is away). */
  outcome: 'succeeded' | 'anonymous' | 'refused' | 'stale' | 'challenged' | 'failed' | undefined;
  /** Why the scheme refused: no secret, no user name. */
  reason: string | undefined;
}

/** A request of which it is known what it is about. */
interface Asking {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly uri: XcapUri;
  /** Undefined where another server has it. */
  readonly usage: LoadedUsage | undefined;
}

/** @throws Refusal 401, with the challenges in the reply's headers */
export async function identify(
  schemes: readonly AuthenticationScheme[],
  { request, reply, uri, usage }: Asking,
  login: Login,
): Promise<Identified> {
  login.outcome = 'failed';
  const found = await authenticate(schemes, credentialsOf(request, uri), (name) => (login.scheme = name));
  login.scheme = found.scheme;
  if (found.kind === 'identified') {
    login.outcome = 'succeeded';
    void reply.headers(found.headers);
    return found;
  }
  const { scheme, reason, isStale, challenges } = found;
  login.reason = reason;
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  if (scheme === undefined && isReading && usage?.usage.anonymousReaders === true) {
    login.outcome = 'anonymous';
    return anonymous;
  }
  login.outcome = scheme === undefined ? 'challenged' : isStale ? 'stale' : 'refused';
  void reply.header('www-authenticate', [...challenges]);
  throw new Refusal(401, 'This server does not know who you are.');
}

function credentialsOf(request: FastifyRequest, { document }: XcapUri): Credentials {
  const { socket, headers, method, originalUrl, body } = request;
  return {
    peerAddress: socket.remoteAddress ?? '',
    ...tlsPeer(socket),
    method,
    target: originalUrl,
    headers,
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    domain: document.tree === 'users' ? /@([^@;?]+)/.exec(document.xui)?.[1] : undefined,
  };
}
