/** What the routes of the management API work with. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { identitiesMeant, identityFault } from '../../subscribers/identity-forms.js';
import type { RequestHistory } from '../../subscribers/request-history.js';
import type { SubscriberRegister } from '../../subscribers/register.js';
import type { SecretBox } from '../../subscribers/secret-box.js';
import type { DigestSecret, Subscriber } from '../../subscribers/subscriber.js';
import type { LoadedUsages } from '../../xcap/usage/loaded-usage.js';
import type { Xcap } from '../../xcap/request.js';
import type { Xui } from '../../xcap/terms.js';
import { canonicalXui, maximalXuiBytes } from '../../xcap/uri/xui.js';
import type { AdminToken } from './access.js';
import { notFound, Problem } from './problem.js';

export interface ManagementApiOptions {
  readonly register: SubscriberRegister;
  readonly requests: RequestHistory;
  /** Forgets what this process remembers of subscribers. */
  readonly forget: () => void;
  readonly xcap: Xcap;
  readonly usages: LoadedUsages;
  readonly defaultDomain: string | undefined;
  /** The names of the profiles that there are at this moment; undefined where nobody is provisioned. */
  readonly profileNames: () => ReadonlySet<string> | undefined;
  /** Of this moment. None: only this machine is answered. */
  readonly tokens: () => readonly AdminToken[];
  /** The realms in which a password counts, beside the domains of the subscriber. */
  readonly realms: readonly string[];
  /** Opens secrets that come sealed, as an export gives them. */
  readonly openSecret: (secret: DigestSecret) => ReturnType<SecretBox['open']>;
}

/** The part of the listener below `/api/v1`. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export type Context = ManagementApiOptions;

export function canonical({ defaultDomain }: Context, given: string): Xui {
  return canonicalXui(given, defaultDomain);
}

/** The identity in canonical form. @throws Problem 400 where it cannot be one */
export function newIdentity(context: Context, given: string, isForced = false): Xui {
  const identity = storable(canonical(context, given));
  const fault = isForced ? undefined : identityFault(given, context.defaultDomain);
  if (fault !== undefined) throw new Problem(400, fault, { code: 'invalid-identity' });
  return identity;
}

/** What a request can name, and a key of the database can be. @throws Problem 400 */
export function storable(identity: Xui): Xui {
  if (Buffer.byteLength(identity) <= maximalXuiBytes) return identity;
  throw new Problem(400, `An identity has at most ${maximalXuiBytes} bytes in UTF-8.`, {
    code: 'invalid-identity',
  });
}

/** The subscriber whom somebody may mean by that, in any spelling. @throws Problem 404 */
export async function subscriberNamed(context: Context, given: string): Promise<Subscriber> {
  const subscriber = await subscriberMeant(context, given);
  if (subscriber === undefined) throw notFound('subscriber');
  return subscriber;
}

async function subscriberMeant(context: Context, given: string): Promise<Subscriber | undefined> {
  const { register, defaultDomain } = context;
  const names = new Set([await nameOf(context, given), ...identitiesMeant(given, defaultDomain)]);
  for (const name of names) {
    const subscriber = await register.read(name);
    if (subscriber !== undefined) return subscriber;
  }
  return undefined;
}

/** The XUI of the subscriber with that identity, and the identity itself where it is nobody's. */
export async function xuiNamed(context: Context, given: string): Promise<Xui> {
  return (await subscriberMeant(context, given))?.xui ?? nameOf(context, given);
}

/** Who is meant: also somebody whose spelling was kept, though it is that of somebody else now. */
export async function nameOf(context: Context, given: string): Promise<Xui> {
  const identity = canonical(context, given);
  if (identity === given) return identity;
  return (await context.register.isKeptSpelling(given)) ? given : identity;
}
