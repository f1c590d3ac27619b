/** What owners of documents let others do. */
import { Type } from 'typebox';
import type { Grant } from '../../subscribers/subscriber.js';
import { encodeSegment, percentDecode } from '../../xcap/uri/percent-encoding.js';
import { actorOf } from './access.js';
import { storable, subscriberNamed, xuiNamed, type Api, type Context } from './context.js';
import { grantBody, identity, subscriberParameters, type GrantBody } from './input.js';
import { keys, pageBody, pageProperties, pageQuery, pageRequest } from './paging.js';
import { notFound, Problem } from './problem.js';

const closed = { additionalProperties: false };
const granteeQuery = Type.Object({ ...pageProperties, grantee: identity }, closed);
const grantParameters = Type.Object({
  xui: identity,
  id: Type.String({ pattern: keys.uuid.source.toLowerCase() }),
});

export function grantRoutes(api: Api, context: Context): void {
  const { register } = context;

  api.post(
    '/subscribers/:xui/grants',
    { schema: { params: subscriberParameters, body: grantBody } },
    async (request, reply) => {
      const { xui } = await subscriberNamed(context, request.params.xui);
      const grant = await newGrant(context, xui, request.body);
      const created = await register.createGrant(grant, actorOf(request));
      if (created === undefined) throw notFound('subscriber');
      return reply.code(201).send(created);
    },
  );

  api.get(
    '/subscribers/:xui/grants',
    { schema: { params: subscriberParameters, querystring: pageQuery } },
    async ({ params, query }) => {
      const { xui } = await subscriberNamed(context, params.xui);
      return pageBody(await register.listGrants({ owner: xui }, pageRequest(query, keys.uuid)), view);
    },
  );

  api.delete(
    '/subscribers/:xui/grants/:id',
    { schema: { params: grantParameters } },
    async (request, reply) => {
      const { xui } = await subscriberNamed(context, request.params.xui);
      if (!(await register.deleteGrant(xui, request.params.id, actorOf(request)))) throw notFound('grant');
      return reply.code(204).send();
    },
  );

  api.get('/grants', { schema: { querystring: granteeQuery } }, async ({ query }) => {
    const grantee = await xuiNamed(context, query.grantee);
    return pageBody(await register.listGrants({ grantee }, pageRequest(query, keys.uuid)), view);
  });
}

/** @throws Problem 400, Refusal 400 */
async function newGrant(context: Context, owner: string, body: GrantBody): Promise<Omit<Grant, 'id'>> {
  const { auid, path, access, expiresAt } = body;
  if (path !== undefined && auid === undefined) throw invalid('A path is one of a usage: give its auid.');
  if (Date.parse(expiresAt) <= Date.now()) throw invalid('The grant would have expired already.');
  const grantee = storable(await xuiNamed(context, body.grantee));
  if (grantee === owner) throw invalid('The grantee is the owner of the documents.');
  return {
    owner,
    grantee,
    auid,
    path: path?.split('/').map(percentDecode).map(encodeSegment).join('/'),
    access,
    expiresAt: new Date(expiresAt).toISOString(),
  };
}

function invalid(detail: string): Problem {
  return new Problem(400, detail, { code: 'invalid-input' });
}

function view(grant: Grant): Grant {
  return grant;
}
