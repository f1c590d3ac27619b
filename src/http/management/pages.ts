/** What keeps web pages of others from using this listener by the browser of an operator. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../../xcap/refusal.js';
import { checkLocalCaller, hostnameOf, type OwnNames } from '../own-names.js';
import { Problem, problemOf, sendProblem } from './problem.js';

const readingMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** For everything that the listener answers: no page has its name point here, writes from elsewhere, or frames what is here. */
export function guardAgainstPages(listener: FastifyInstance, names: OwnNames): void {
  listener.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'x-frame-options': 'DENY',
      'content-security-policy': "frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    });
    try {
      checkLocalCaller(request.socket.remoteAddress ?? '', request, names);
      checkOrigin(request, names);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Problem)) throw error;
      return sendProblem(reply, problemOf(error));
    }
  });
}

/** RFC 6454 §7: a browser says from which page a request comes. @throws Problem 403 */
function checkOrigin({ method, headers: { origin, host } }: FastifyRequest, { hostnames }: OwnNames): void {
  if (origin === undefined || readingMethods.includes(method)) return;
  const name = URL.canParse(origin) ? new URL(origin).host : '';
  if (name !== '' && (name === host?.toLowerCase() || hostnames.includes(hostnameOf(name)))) return;
  throw new Problem(403, 'The request comes from a page of another origin.');
}
