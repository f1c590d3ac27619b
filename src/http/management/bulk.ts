/** Many subscribers at once, and all of one: streams in and out. */
import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { actorOf } from './access.js';
import { archiveOf } from './archive.js';
import { subscriberNamed, type Api, type Context } from './context.js';
import { exportSubscribers } from './export.js';
import { importSubscribers } from './import.js';
import { importLine, importQuery, subscriberParameters } from './input.js';
import { Problem } from './problem.js';

const lines = 'application/x-ndjson';

const exportQuery = Type.Object(
  {
    include: Type.Optional(Type.String({ pattern: '^(credentials|documents)(,(credentials|documents))?$' })),
  },
  { additionalProperties: false },
);

export function bulkRoutes(api: Api, context: Context): void {
  const { register } = context;

  void api.register(async (scope: Api) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(lines, (_request, payload, done) => done(null, payload));
    scope.post('/import', { schema: { querystring: importQuery } }, (request, reply) => {
      const { body } = request;
      if (!(body instanceof Readable)) throw new Problem(415, `The body has to be ${lines}.`);
      const validate = request.compileValidationSchema(importLine, 'body');
      const onFailure = (error: unknown) => request.log.error({ err: error }, 'an import broke off');
      const keepInvalid = request.query.keepInvalid === 'true';
      const isForced = request.query.force === 'true';
      const options = { validate, onFailure, keepInvalid, isForced };
      const answer = importSubscribers(context, actorOf(request), body, options);
      return reply.type(lines).send(Readable.from(answer));
    });
  });

  api.get(
    '/export',
    { exposeHeadRoute: false, schema: { querystring: exportQuery } },
    async (request, reply) => {
      const include = request.query.include?.split(',') ?? [];
      const parts = {
        credentials: include.includes('credentials'),
        documents: include.includes('documents'),
      };
      await register.record({ actor: actorOf(request), action: 'export', subject: '', details: { include } });
      return reply.type(lines).send(Readable.from(exportSubscribers(context, parts)));
    },
  );

  api.get(
    '/subscribers/:xui/archive',
    { exposeHeadRoute: false, schema: { params: subscriberParameters } },
    async (request, reply) => {
      const subscriber = await subscriberNamed(context, request.params.xui);
      const subject = subscriber.xui;
      await register.record({ actor: actorOf(request), action: 'subscriber.archive', subject, details: {} });
      const archive = Readable.from(archiveOf(context, subscriber));
      return reply.type('application/json; charset=utf-8').send(archive);
    },
  );
}
