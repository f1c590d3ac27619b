/** Principals that are more than subscribers. */
import { actorOf } from './access.js';
import { storable, xuiNamed, type Api, type Context } from './context.js';
import { roleBody, subscriberParameters } from './input.js';
import { keys, pageBody, pageQuery, pageRequest } from './paging.js';
import { notFound } from './problem.js';

export function roleRoutes(api: Api, context: Context): void {
  const { register } = context;

  api.get('/roles', { schema: { querystring: pageQuery } }, async ({ query }) =>
    pageBody(await register.listRoles(pageRequest(query, keys.text)), (assignment) => assignment),
  );

  api.put('/roles/:xui', { schema: { params: subscriberParameters, body: roleBody } }, async (request) => {
    const xui = storable(await xuiNamed(context, request.params.xui));
    const assignment = { xui, role: request.body.role };
    await register.setRole(assignment, actorOf(request));
    return assignment;
  });

  api.delete('/roles/:xui', { schema: { params: subscriberParameters } }, async (request, reply) => {
    const xui = await xuiNamed(context, request.params.xui);
    if (!(await register.removeRole(xui, actorOf(request)))) throw notFound('role');
    return reply.code(204).send();
  });
}
