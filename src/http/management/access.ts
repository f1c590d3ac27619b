/** Who may use the management API: whoever has a token; where there is none, whoever is on this machine. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../../identity/peer-network.js';
import type { Actor } from '../../subscribers/register.js';
import { Problem } from './problem.js';

/**
 * - administrator: everything.
 * - provisioning: subscribers, their credentials, grants and documents; neither roles nor the audit trail.
 * - support: reads everything but credentials.
 */
export const operatorRoles = ['administrator', 'provisioning', 'support'] as const;
export type OperatorRole = (typeof operatorRoles)[number];

/** Somebody who may use the API: the name under which the audit trail shows them, and what they may. */
export interface Operator {
  readonly name: string;
  readonly role: OperatorRole;
}

/** A secret that opens the API. */
export interface AdminToken extends Operator {
  readonly token: string;
}

/** What the decision rests on. The address is that of the socket; no header can make it another one. */
export interface Caller {
  readonly peerAddress: string;
  readonly authorization: string | undefined;
  readonly host: string | undefined;
}

const operators = new WeakMap<FastifyRequest, Operator>();

/**
 * Admits the caller or refuses.
 *
 * @throws Problem 401, 403
 */
export function admit({ peerAddress, authorization, host }: Caller, tokens: readonly AdminToken[]): Operator {
  if (tokens.length > 0) {
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    const match = given === undefined ? undefined : tokens.find(({ token }) => isSame(token, given));
    if (match !== undefined) return match;
    const error = given === undefined ? '' : ', error="invalid_token"';
    throw new Problem(
      401,
      'The management API needs the token of an administrator.',
      given === undefined ? {} : { code: 'wrong-token' },
      {
        'www-authenticate': `Bearer realm="xcapd management"${error}`,
      },
    );
  }
  if (!isLoopback(peerAddress)) {
    throw new Problem(
      403,
      'Without a token (ADMIN_TOKEN) the management API answers on its own machine only.',
    );
  }
  // A page in a browser on this machine can have its name point here, but cannot make the browser hide that name.
  if (!isOwnName(host)) {
    throw new Problem(403, 'Without a token (ADMIN_TOKEN) the management API is called by its address.');
  }
  return { name: 'loopback', role: 'administrator' };
}

/** Admits the sender of a request, see `admit`, to what the role allows. @throws Problem 401, 403 */
export function admitRequest(request: FastifyRequest, tokens: readonly AdminToken[]): void {
  const { authorization, host } = request.headers;
  const peerAddress = request.socket.remoteAddress ?? '';
  const operator = admit({ peerAddress, authorization, host }, tokens);
  const { include } = request.query as { readonly include?: unknown };
  if (!mayUse(operator.role, request.method, request.routeOptions.url, include)) {
    throw new Problem(403, `'${operator.name}' has the role ${operator.role}, which may not do this.`, {
      code: 'role',
    });
  }
  operators.set(request, operator);
}

/**
 * Whether a role may send a request.
 *
 * @param route the pattern of the route, so that no spelling of a path leads past this; undefined where there is none
 * @param included what an export is asked for, beside the subscribers
 */
export function mayUse(
  role: OperatorRole,
  method: string,
  route: string | undefined,
  included?: unknown,
): boolean {
  if (role === 'administrator') return true;
  const resource = route?.split('/')[3] ?? '';
  if (role === 'provisioning') return !['roles', 'audit'].includes(resource);
  const hasSecrets = resource === 'export' && included !== undefined && included !== 'documents';
  return ['GET', 'HEAD'].includes(method) && !hasSecrets;
}

/** Who sent a request that was admitted. */
export function actorOf(request: FastifyRequest): Actor {
  const operator = operators.get(request);
  if (operator === undefined) throw new Error('a request was not admitted');
  return operator.name;
}

/**
 * The lines of a file with tokens: each is a token, a name and a token, or a name, a role and a token, with blanks between;
 * `#` begins a comment. Without a role it is that of an administrator. Undefined for a line that is none of these.
 */
export function parseTokens(text: string): (AdminToken | undefined)[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const words = line.split(/\s+/);
      const [token = ''] = words.slice(-1);
      const [name = 'admin', role = 'administrator'] = words.slice(0, -1);
      const known = operatorRoles.find((one) => one === role);
      return words.length > 3 || known === undefined ? undefined : { name, role: known, token };
    });
}

function isOwnName(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name.toLowerCase() === 'localhost' || isIP(name) !== 0;
}

/** Takes equally long wherever they differ; hashes are of one length. */
function isSame(expected: string, given: string): boolean {
  const [one, two] = [expected, given].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && two !== undefined && timingSafeEqual(one, two);
}
