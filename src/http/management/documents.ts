/** The documents of all users, their versions, and the documents of the global trees. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { DocumentRecord } from '../../subscribers/register.js';
import { readConditions } from '../../xcap/document/conditions.js';
import type { WriteResult } from '../../xcap/request.js';
import type { DocumentSelector } from '../../xcap/terms.js';
import { encodeSegment } from '../../xcap/uri/percent-encoding.js';
import { actorOf } from './access.js';
import { subscriberNamed, type Api, type Context } from './context.js';
import { keepInvalidQuery, restoreBody, subscriberParameters } from './input.js';
import {
  documentNamed,
  mediaTypeOf,
  putDocument,
  readDocument,
  removeDocument,
  unservedDocument,
} from './operator.js';
import { keys, pageBody, pageQuery, pageRequest } from './paging.js';
import { notFound } from './problem.js';

/** What is behind these is a document selector. */
const documentsRoot = '/api/v1/documents';
const versionsRoot = '/api/v1/versions';

const closed = { additionalProperties: false };
const versionQuery = Type.Object(
  { version: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,14}$' })) },
  closed,
);

export function documentRoutes(api: Api, context: Context): void {
  const { register } = context;

  api.get('/subscribers/:xui/documents', { schema: { params: subscriberParameters } }, async ({ params }) => {
    const { xui } = await subscriberNamed(context, params.xui);
    const [documents, usage] = await Promise.all([register.documentsOf(xui), register.usageOf(xui)]);
    return { items: documents.map(documentView), usage };
  });

  for (const place of ['/:auid/users/:xui/*', '/:auid/global/*']) versionRoutes(api, context, place);

  void api.register(async (scope: Api) => {
    // Documents are bytes, whatever the client calls them; the usage says what they have to be.
    scope.removeAllContentTypeParsers();
    const bodyLimit = context.xcap.maximalDocumentBytes;
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => {
      done(null, body);
    });
    for (const place of ['/:auid/users/:xui/*', '/:auid/global/*']) contentRoutes(scope, context, place);
  });
}

function versionRoutes(api: Api, context: Context, place: string): void {
  const { register } = context;
  const url = `/versions${place}`;

  api.get(url, { schema: { querystring: pageQuery } }, async (request) => {
    const page = pageRequest(request.query, keys.number);
    const unserved = await unservedDocument(context, versionsRoot, request.originalUrl);
    if (unserved !== undefined) {
      const kept = await register.versions(unserved, page);
      if (kept.items.length > 0) return pageBody(kept, (version) => version);
    }
    const { uri } = await documentNamed(context, versionsRoot, request.originalUrl);
    return pageBody(await register.versions(uri.document, page), (version) => version);
  });

  api.post(url, { schema: { body: restoreBody } }, async (request, reply) => {
    const document = await documentNamed(context, versionsRoot, request.originalUrl);
    const { version } = request.body;
    const text = await register.versionText(document.uri.document, version);
    if (text === undefined) throw notFound('version');
    const actor = actorOf(request);
    const conditions = readConditions(request.headers);
    const write = { actor, action: 'document.restore', details: { version }, conditions };
    return sendWritten(reply, await putDocument(context, document, write, Buffer.from(text)));
  });
}

function contentRoutes(api: Api, context: Context, place: string): void {
  const url = `/documents${place}`;
  const named = (request: FastifyRequest) => documentNamed(context, documentsRoot, request.originalUrl);

  api.get(url, { schema: { querystring: versionQuery } }, async (request, reply) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    const { version } = request.query;
    const unserved = await unservedDocument(context, documentsRoot, request.originalUrl);
    if (unserved !== undefined && version !== undefined) {
      return sendVersion(context, unserved, Number(version), reply.type('application/xml'));
    }
    const kept = unserved && (await context.xcap.store.read(unserved));
    if (kept !== undefined) {
      return reply.header('etag', `"${kept.entityTag}"`).type('application/xml').send(kept.text);
    }
    const document = await named(request);
    if (version !== undefined) {
      return sendVersion(context, document.uri.document, Number(version), reply.type(mediaTypeOf(document)));
    }
    const result = await readDocument(context, document, actorOf(request));
    if (result.status === 304) throw new Error('a read without conditions had one');
    if (result.flaw !== undefined) void reply.header('xcapd-invalid', headerText(result.flaw));
    return reply.header('etag', `"${result.entityTag}"`).type(result.mediaType).send(result.body);
  });

  api.put(url, { schema: { querystring: keepInvalidQuery } }, async (request, reply) => {
    const document = await named(request);
    const actor = actorOf(request);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const write = { actor, action: 'document.put', conditions: readConditions(request.headers) };
    const keepsInvalid = request.query.keepInvalid === 'true';
    return sendWritten(reply, await putDocument(context, document, write, body, keepsInvalid));
  });

  api.delete(url, async (request, reply) => {
    const document = await named(request);
    const actor = actorOf(request);
    const conditions = readConditions(request.headers);
    await removeDocument(context, document, { actor, action: 'document.delete', conditions });
    return reply.code(204).send();
  });
}

async function sendVersion(
  { register }: Context,
  document: DocumentSelector,
  version: number,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const text = await register.versionText(document, version);
  if (text === undefined) throw notFound('version');
  return reply.send(Buffer.from(text));
}

function sendWritten(reply: FastifyReply, { status, entityTag, flaw }: WriteResult): FastifyReply {
  if (entityTag !== undefined) void reply.header('etag', `"${entityTag}"`);
  if (flaw === undefined) return reply.code(status).send();
  return reply.code(status).send({ invalid: flaw.message, condition: flaw.report.condition });
}

/** A sentence that may quote a document, percent-encoded as far as no header may have it. */
function headerText(sentence: string): string {
  return sentence.replace(/[^ -$&-~]+/gu, encodeURIComponent);
}

/** The path is percent-encoded, as it stands in the URI of the document. */
export function documentView({ document, entityTag, version, bytes, changedAt, invalid }: DocumentRecord) {
  const { auid, path } = document;
  return { auid, path: path.map(encodeSegment).join('/'), entityTag, version, bytes, changedAt, invalid };
}
