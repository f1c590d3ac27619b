/** The latest requests on the documents of a subscriber, and why they were refused. */
import { Type } from 'typebox';
import { subscriberNamed, type Api, type Context } from './context.js';
import { subscriberParameters } from './input.js';

const requestsQuery = Type.Object(
  { refused: Type.Optional(Type.Enum(['true', 'false'])) },
  { additionalProperties: false },
);

export function requestRoutes(api: Api, context: Context): void {
  api.get(
    '/subscribers/:xui/requests',
    { schema: { params: subscriberParameters, querystring: requestsQuery } },
    async ({ params, query }) => {
      const { xui } = await subscriberNamed(context, params.xui);
      return { items: await context.requests.latest(xui, { isRefused: query.refused === 'true' }) };
    },
  );
}
