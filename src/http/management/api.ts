/** The management API below `/api/v1`: who may, what errors look like, and all its routes. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { admitRequest } from './access.js';
import { auditRoutes } from './audit.js';
import { bulkRoutes } from './bulk.js';
import type { ManagementApiOptions } from './context.js';
import { credentialRoutes } from './credentials.js';
import { documentRoutes } from './documents.js';
import { grantRoutes } from './grants.js';
import { refuseOtherMethods } from './methods.js';
import { notFound, Problem, problemOf, sendProblem } from './problem.js';
import { requestRoutes } from './requests.js';
import { wrongTokens } from './wrong-tokens.js';
import { roleRoutes } from './roles.js';
import { subscriberRoutes } from './subscribers.js';

export const apiPrefix = '/api/v1';

/** Registers the API on the management listener. */
export async function registerManagementApi(
  listener: FastifyInstance,
  options: ManagementApiOptions,
): Promise<void> {
  await listener.register(
    async (instance) => {
      const api = instance.withTypeProvider<TypeBoxTypeProvider>();
      // Before the body is read, and also where there is no such route.
      const wrong = wrongTokens();
      api.addHook('onRequest', async (request) => {
        const peer = request.socket.remoteAddress ?? '';
        wrong.check(peer);
        try {
          admitRequest(request, options.tokens());
        } catch (error) {
          if (error instanceof Problem && error.members.code === 'wrong-token') {
            wrong.count(peer);
            request.log.warn({ peer }, 'a wrong token for the management API');
          }
          throw error;
        }
      });
      api.addHook('onSend', async ({ method }) => {
        if (method !== 'GET' && method !== 'HEAD') options.forget();
      });
      api.setErrorHandler((error, request, reply) => {
        const problem = problemOf(error);
        if (problem.status >= 500)
          request.log.error({ err: error }, 'a request of the management API failed');
        return sendProblem(reply, problem);
      });
      api.setNotFoundHandler((_request: FastifyRequest, reply) => sendProblem(reply, notFound('resource')));
      const { refuseOthers } = refuseOtherMethods(instance);
      subscriberRoutes(api, options);
      requestRoutes(api, options);
      credentialRoutes(api, options);
      grantRoutes(api, options);
      roleRoutes(api, options);
      documentRoutes(api, options);
      bulkRoutes(api, options);
      auditRoutes(api, options);
      instance.after(refuseOthers);
    },
    { prefix: apiPrefix },
  );
  if (options.tokens().length > 0) return;
  listener.addHook('onListen', async () => {
    listener.log.info(
      'without ADMIN_TOKEN and XCAP_ADMIN_TOKEN_FILE the management API answers to this machine only',
    );
  });
}
