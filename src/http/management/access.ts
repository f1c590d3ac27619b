/** Who may use the management API: whoever has a token; where there is none, whoever is on this machine. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../../identity/peer-network.js';
import type { Actor } from '../../subscribers/register.js';
import { Problem } from './problem.js';

/** A secret that opens the API, and the name under which the audit trail shows who has it. */
export interface AdminToken {
  readonly name: string;
  readonly token: string;
}

/** What the decision rests on. The address is that of the socket; no header can make it another one. */
export interface Caller {
  readonly peerAddress: string;
  readonly authorization: string | undefined;
  readonly host: string | undefined;
}

const actors = new WeakMap<FastifyRequest, Actor>();

/**
 * Admits the caller or refuses.
 *
 * @returns the name for the audit trail.
 * @throws Problem 401, 403
 */
export function admit({ peerAddress, authorization, host }: Caller, tokens: readonly AdminToken[]): Actor {
  if (tokens.length > 0) {
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    const match = given === undefined ? undefined : tokens.find(({ token }) => isSame(token, given));
    if (match !== undefined) return match.name;
    const error = given === undefined ? '' : ', error="invalid_token"';
    throw new Problem(
      401,
      'The management API needs the token of an administrator.',
      {},
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
  return 'loopback';
}

/** Admits the sender of a request, see `admit`. */
export function admitRequest(request: FastifyRequest, tokens: readonly AdminToken[]): void {
  const { authorization, host } = request.headers;
  const peerAddress = request.socket.remoteAddress ?? '';
  actors.set(request, admit({ peerAddress, authorization, host }, tokens));
}

/** Who sent a request that was admitted. */
export function actorOf(request: FastifyRequest): Actor {
  const actor = actors.get(request);
  if (actor === undefined) throw new Error('a request was not admitted');
  return actor;
}

/** The lines of a file with tokens: each is a token, or a name and a token with a blank between; `#` begins a comment. */
export function parseTokens(text: string): AdminToken[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [first = '', second] = line.split(/\s+/);
      return second === undefined ? { name: 'admin', token: first } : { name: first, token: second };
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
