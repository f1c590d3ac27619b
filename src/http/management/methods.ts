/** Methods that are not defined where others are: 405 with those that are (RFC 9110 §15.5.6), instead of 404. */
import type { FastifyInstance, HTTPMethods, RouteOptions } from 'fastify';
import { Problem, sendProblem } from './problem.js';

const known: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Remembers the routes that are made from now on in this part of the listener; `refuseOthers` makes those that refuse. They
 * are no part of the API: `isRefusing` tells them from others.
 */
export function refuseOtherMethods(part: FastifyInstance): { readonly refuseOthers: () => void } {
  const defined = new Map<string, Set<HTTPMethods>>();
  part.addHook('onRoute', (route) => {
    if (isRefusing(route)) return;
    const url = route.url.slice(route.prefix.length);
    const methods = defined.get(url) ?? new Set();
    for (const method of [route.method].flat()) methods.add(method);
    defined.set(url, methods);
  });
  return {
    refuseOthers() {
      for (const [url, methods] of defined) {
        const allow = known.filter((method) => methods.has(method)).join(', ');
        part.route({
          method: known.filter((method) => !methods.has(method)),
          url,
          exposeHeadRoute: false,
          config: { isRefusing: true },
          // Before the body is read, whatever it is.
          onRequest: (request, reply) => {
            const sentence = `${request.method} is not defined here, but ${allow} is.`;
            void sendProblem(reply, new Problem(405, sentence, {}, { allow }));
          },
          handler: () => undefined,
        });
      }
    },
  };
}

/** True for a route that only refuses. */
export function isRefusing({ config }: Pick<RouteOptions, 'config'>): boolean {
  return config !== undefined && 'isRefusing' in config;
}
