/** Who did what when over this API. */
import { Type } from 'typebox';
import { xuiNamed, type Api, type Context } from './context.js';
import { identity } from './input.js';
import { keys, pageBody, pageProperties, pageRequest } from './paging.js';

const auditQuery = Type.Object(
  { ...pageProperties, subject: Type.Optional(identity) },
  { additionalProperties: false },
);

export function auditRoutes(api: Api, context: Context): void {
  api.get('/audit', { schema: { querystring: auditQuery } }, async ({ query }) => {
    const subject = query.subject === undefined ? undefined : await subjectOf(context, query.subject);
    const page = await context.register.auditRecords(pageRequest(query, keys.number), subject);
    return pageBody(page, (record) => record);
  });
}

/** Whoever was erased is found by the hash of the XUI. */
async function subjectOf(context: Context, given: string): Promise<string> {
  return given.startsWith('sha256:') ? given : xuiNamed(context, given);
}
