/** Subscribers and their identities. */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { NewSubscriber, SubscriberChanges } from '../../subscribers/register.js';
import type { Quota, Subscriber } from '../../subscribers/subscriber.js';
import { beginningsMeant } from '../../subscribers/identity-forms.js';
import { matchesStrongly, readConditions } from '../../xcap/document/conditions.js';
import type { EntityTag } from '../../xcap/terms.js';
import { actorOf } from './access.js';
import { nameOf, newIdentity, subscriberNamed, xuiNamed, type Api, type Context } from './context.js';
import { lostLogins, storedCredentials } from './credentials.js';
import {
  forceQuery,
  identity,
  identityBody,
  subscriberBody,
  subscriberChanges,
  subscriberParameters,
  type SubscriberBody,
  type SubscriberChangesBody,
} from './input.js';
import { keys, pageBody, pageProperties, pageRequest } from './paging.js';
import { notFound, Problem } from './problem.js';

const listQuery = Type.Object(
  { ...pageProperties, query: Type.Optional(identity) },
  { additionalProperties: false },
);
const identityParameters = Type.Object({ xui: identity, identity });

const maximalNamesTold = 20;

export function subscriberRoutes(api: Api, context: Context): void {
  const { register } = context;

  const toCreate = { body: subscriberBody, querystring: forceQuery };
  api.post('/subscribers', { schema: toCreate }, async (request, reply) => {
    const subscriber = await newSubscriber(context, request.body, request.query.force === 'true');
    const [conflict] = await register.create([subscriber], actorOf(request));
    if (conflict !== undefined) throw conflict;
    const location = `/api/v1/subscribers/${encodeURIComponent(subscriber.xui)}`;
    return reply
      .code(201)
      .header('location', location)
      .send(await shown(context, subscriber.xui, reply));
  });

  api.get('/subscribers', { schema: { querystring: listQuery } }, async ({ query }) => {
    const page = await register.list(
      pageRequest(query, keys.text),
      query.query === undefined ? [] : beginningsMeant(query.query),
    );
    return pageBody(page, subscriberView);
  });

  api.get('/subscribers/:xui', { schema: { params: subscriberParameters } }, async ({ params }, reply) =>
    shown(context, params.xui, reply),
  );

  api.patch(
    '/subscribers/:xui',
    { schema: { params: subscriberParameters, body: subscriberChanges, querystring: forceQuery } },
    async (request, reply) => {
      checkProfile(context, request.body.profile, request.query.force === 'true');
      const current = await subscriberNamed(context, request.params.xui);
      const changes = changesOf(request.body);
      const logins = await lostLogins(context, current, { ...current, ...changes });
      const check = conditionOf(request);
      if (!(await register.update(current.xui, changes, logins, actorOf(request), check)))
        throw notFound('subscriber');
      return shown(context, current.xui, reply);
    },
  );

  api.delete('/subscribers/:xui', { schema: { params: subscriberParameters } }, async (request, reply) => {
    const xui = await xuiNamed(context, request.params.xui);
    if (!(await register.erase(xui, actorOf(request), conditionOf(request)))) throw notFound('subscriber');
    return reply.code(204).send();
  });

  api.post(
    '/subscribers/:xui/identities',
    { schema: { params: subscriberParameters, body: identityBody, querystring: forceQuery } },
    async (request, reply) => {
      const { xui } = await subscriberNamed(context, request.params.xui);
      const added = newIdentity(context, request.body.identity, request.query.force === 'true');
      if (!(await register.addIdentity(xui, added, actorOf(request)))) throw notFound('subscriber');
      return reply.code(201).send(await shown(context, xui, reply));
    },
  );

  api.delete(
    '/subscribers/:xui/identities/:identity',
    { schema: { params: identityParameters } },
    async (request, reply) => {
      const subscriber = await subscriberNamed(context, request.params.xui);
      const { xui } = subscriber;
      const removed = await nameOf(context, request.params.identity);
      if (removed === xui) {
        const detail =
          'The documents of the subscriber lie below this identity: it stays as long as they do.';
        throw new Problem(409, detail, { code: 'identity-is-xui' });
      }
      const identities = subscriber.identities.filter((other) => other !== removed);
      const logins = await lostLogins(context, subscriber, { ...subscriber, identities });
      if (!(await register.removeIdentity(xui, removed, logins, actorOf(request))))
        throw notFound('identity');
      return reply.code(204).send();
    },
  );
}

/** Where it is not forced: a name that is misspelt would count as none, and nobody would be told. @throws Problem */
function checkProfile(
  { profileNames }: Context,
  profile: string | null | undefined,
  isForced: boolean,
): void {
  const names = profileNames();
  if (profile === null || profile === undefined || isForced) return;
  if (names === undefined || names.has(profile)) return;
  const known = [...names]
    .toSorted()
    .slice(0, maximalNamesTold)
    .map((name) => `'${name}'`);
  const all = known.length === 0 ? 'there is none at all' : `there are ${known.join(', ')}`;
  throw new Problem(
    409,
    `There is no profile '${profile}'; ${all}. With force=true it is given all the same, and counts when it is there.`,
    { code: 'unknown-profile' },
  );
}

/** A subscriber as the register takes them. */
export async function newSubscriber(
  context: Context,
  body: SubscriberBody,
  isForced: boolean,
): Promise<NewSubscriber> {
  checkProfile(context, body.profile, isForced);
  const xui = newIdentity(context, body.xui, isForced);
  const otherIdentities = (body.identities ?? [])
    .map((given) => newIdentity(context, given, isForced))
    .filter((other) => other !== xui);
  const { impi } = body;
  return {
    xui,
    otherIdentities,
    impi,
    isDisabled: body.isDisabled ?? false,
    profile: body.profile,
    quota: { documents: body.quota?.documents, bytes: body.quota?.bytes },
    credentials: await storedCredentials(context, { xui, identities: [xui, ...otherIdentities], impi }, body),
  };
}

/** What answers show of a subscriber. No secret. */
export function subscriberView({ xui, identities, impi, isDisabled, profile, quota }: Subscriber) {
  return { xui, identities, impi, isDisabled, profile, quota };
}

async function shown(context: Context, given: string, reply: FastifyReply) {
  const subscriber = await subscriberNamed(context, given);
  void reply.header('etag', `"${entityTagOf(subscriber)}"`);
  return { ...subscriberView(subscriber), usage: await context.register.usageOf(subscriber.xui) };
}

/** RFC 9110 §13.1.1: who is no subscriber has no entity tag. @returns what throws Problem 412 */
function conditionOf({ headers }: FastifyRequest): (current: Subscriber | undefined) => void {
  const { ifMatch } = readConditions(headers);
  return (current) => {
    const isMet =
      ifMatch === undefined || (current !== undefined && matchesStrongly(ifMatch, entityTagOf(current)));
    if (!isMet) throw new Problem(412, 'If-Match failed: the subscriber has changed since.');
  };
}

/** Of what a PATCH changes: what a subscriber has stored is no part of it. */
function entityTagOf(subscriber: Subscriber): EntityTag {
  const text = JSON.stringify(subscriberView(subscriber));
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** `null` takes a value away. */
function changesOf(body: SubscriberChangesBody): SubscriberChanges {
  return {
    ...(body.impi === undefined ? {} : { impi: body.impi ?? undefined }),
    ...(body.isDisabled === undefined ? {} : { isDisabled: body.isDisabled }),
    ...(body.profile === undefined ? {} : { profile: body.profile ?? undefined }),
    ...(body.quota === undefined ? {} : { quota: changedQuota(body.quota) }),
  };
}

function changedQuota({ documents, bytes }: NonNullable<SubscriberChangesBody['quota']>): Partial<Quota> {
  return {
    ...(documents === undefined ? {} : { documents: documents ?? undefined }),
    ...(bytes === undefined ? {} : { bytes: bytes ?? undefined }),
  };
}
