/** How a subscriber proves who they are. Secrets come in and never go out. */
import { digestSecretsFor, hashPassword } from '../../identity/passwords/secrets.js';
import type { Login, StoredCredentials } from '../../subscribers/register.js';
import type { DigestSecret, Subscriber } from '../../subscribers/subscriber.js';
import { actorOf } from './access.js';
import { subscriberNamed, type Api, type Context } from './context.js';
import { credentialsBody, subscriberParameters, type CredentialsBody } from './input.js';
import { notFound, Problem } from './problem.js';

/** What the names by which a subscriber logs in come from. */
type Named = Pick<Subscriber, 'xui' | 'identities' | 'impi'>;

export function credentialRoutes(api: Api, context: Context): void {
  const { register } = context;

  api.put(
    '/subscribers/:xui/credentials',
    { schema: { params: subscriberParameters, body: credentialsBody } },
    async (request, reply) => {
      const subscriber = await subscriberNamed(context, request.params.xui);
      const credentials = await storedCredentials(context, subscriber, request.body);
      if (!(await register.setCredentials(subscriber.xui, credentials, actorOf(request)))) {
        throw notFound('subscriber');
      }
      return reply.code(204).send();
    },
  );

  api.delete(
    '/subscribers/:xui/credentials',
    { schema: { params: subscriberParameters } },
    async (request, reply) => {
      const { xui } = await subscriberNamed(context, request.params.xui);
      const none = { digest: [], passwordHash: undefined };
      if (!(await register.setCredentials(xui, none, actorOf(request)))) throw notFound('subscriber');
      return reply.code(204).send();
    },
  );
}

/**
 * What is stored of what an operator gives: a password, or what was made of one elsewhere.
 *
 * @throws Problem 400
 */
export async function storedCredentials(
  { openSecret, realms }: Context,
  subscriber: Named,
  { password, digest = [], passwordHash }: CredentialsBody,
): Promise<StoredCredentials> {
  const { xui } = subscriber;
  if (password === undefined) {
    checkSecrets(digest);
    const opened = digest.map((secret) => {
      const ha1 = openSecret({ xui, ...secret })?.ha1;
      if (ha1 === undefined) throw unreadableSecret(secret);
      return { ...secret, ha1 };
    });
    return { digest: opened, passwordHash };
  }
  if (digest.length > 0 || passwordHash !== undefined) {
    throw new Problem(400, 'Give the password, or what was made of it, but not both.', {
      code: 'invalid-input',
    });
  }
  return {
    digest: digestSecretsFor(subscriber, realms, password),
    passwordHash: await hashPassword(password),
  };
}

/**
 * The names by which a subscriber could log in because of what they lose now. Others that the operator gave stay.
 *
 * @param next the subscriber without it
 */
export async function lostLogins(context: Context, current: Named, next: Named): Promise<Login[]> {
  const stored = await context.register.credentials([current.xui]);
  const digest = stored.get(current.xui)?.digest ?? [];
  const realms = digest.map(({ realm }) => realm);
  const keyOf = ({ realm, username }: Login) => JSON.stringify([realm, username]);
  const namesOf = (subscriber: Named) => new Set(digestSecretsFor(subscriber, realms, '').map(keyOf));
  const [before, after] = [namesOf(current), namesOf(next)];
  return digest.filter((login) => before.has(keyOf(login)) && !after.has(keyOf(login)));
}

function unreadableSecret({ realm, username, algorithm }: Omit<DigestSecret, 'xui' | 'ha1'>): Problem {
  const sentence =
    `The digest secret of '${username}' in realm '${realm}' (${algorithm}) is encrypted, and this server cannot open it: ` +
    'set XCAP_SECRETS_KEY to the key of the server that it comes from, keep XUI, user name, realm and algorithm as they ' +
    'were there, or give a password instead.';
  return new Problem(400, sentence, { code: 'invalid-input' });
}

/** @throws Problem 400 */
function checkSecrets(digest: NonNullable<CredentialsBody['digest']>): void {
  const names = digest.map(({ realm, username, algorithm }) => JSON.stringify([realm, username, algorithm]));
  if (new Set(names).size < names.length) {
    throw new Problem(400, 'One user name in one realm has one secret for each algorithm.', {
      code: 'invalid-input',
    });
  }
  const digits = { MD5: 32, 'SHA-256': 64 } as const;
  const isWrong = digest.some(
    ({ algorithm, ha1 }) => /^[0-9a-f]+$/.test(ha1) && ha1.length !== digits[algorithm],
  );
  if (isWrong) {
    throw new Problem(400, 'An HA1 has 32 hexadecimal digits with MD5 and 64 with SHA-256.', {
      code: 'invalid-input',
    });
  }
}
