/** HTTP Digest with a key of the operator's core network for a password (3GPP TS 33.222 §5.3, TS 24.109 §5.2). */
import { randomBytes } from 'node:crypto';
import type { SubscriberDirectory } from '../../subscribers/subscriber.js';
import { Refusal } from '../../xcap/refusal.js';
import type { Credentials, Finding, AuthenticationScheme } from '../authentication.js';
import {
  digestChallenge,
  isDigest,
  parseDigestAuthorization,
  type DigestAuthorization,
} from '../digest/header.js';
import { digestHash, type Qop } from '../digest/response.js';
import { refused, verifyDigest, type DigestRules } from '../digest/verification.js';
import type { SecurityProtocolId } from './security-protocol.js';
import { identitiesOf, type KeyOwner, type SharedKeySource } from './shared-keys.js';

/** How clients ask for one kind of key, and how the realm of its challenge begins. */
export interface KeyKind {
  readonly userAgent: RegExp;
  readonly realm: string;
}

export interface SharedKeyDigestOptions extends Pick<DigestRules, 'nonces' | 'counts' | 'uriStrictness'> {
  readonly name: string;
  /** The first whose user agent matches is what a client is challenged for. */
  readonly kinds: readonly KeyKind[];
  readonly source: SharedKeySource;
  readonly directory: Pick<SubscriberDirectory, 'withImpi'>;
  /** In lower case: under another name it is another server, with keys of its own (TS 33.220 §4.5.3). */
  readonly hostnames: readonly string[];
  /** Undefined where the cipher suite of the request is not known. */
  readonly protocolOf: (credentials: Credentials) => SecurityProtocolId | undefined;
}

/** TS 24.109 §5.2: integrity first; handsets that know nothing but `auth` are there, too. */
const qops: readonly Qop[] = ['auth-int', 'auth'];

/** The realm is `<beginning>@<host>`, where the host is the one that the client used: its key is bound to it. */
export function sharedKeyDigest(options: SharedKeyDigestOptions): AuthenticationScheme {
  const { name, kinds, nonces } = options;
  return {
    name,
    async identify(credentials) {
      const authorization = authorizationOf(credentials);
      const kind = kinds.find(({ realm }) => authorization?.realm.startsWith(`${realm}@`));
      if (authorization === undefined || kind === undefined) return { kind: 'none' };
      const host = hostOf(credentials);
      if (host !== undefined && !isOwn(options, host)) {
        throw new Refusal(
          421,
          'XCAP_HOSTNAMES does not name the host of this request, and keys are bound to it.',
        );
      }
      if (host === undefined || authorization.realm !== `${kind.realm}@${host}`) {
        return refused('the realm is that of another host');
      }
      const protocolId = options.protocolOf(credentials);
      if (protocolId === undefined) return refused('the cipher suite of the connection is not known');
      return identifyByKey(options, credentials, authorization, kind, { host, protocolId });
    },
    // Handsets take apart one challenge, and not all of them find theirs among several.
    isAskedFor: (credentials) => wantedKind(options, credentials) !== undefined,
    challenges(credentials, isStale) {
      const kind = wantedKind(options, credentials);
      if (kind === undefined) return [];
      const realm = `${kind.realm}@${hostOf(credentials) ?? ''}`;
      return [digestChallenge({ realm, nonce: nonces.make(realm), algorithm: 'MD5', qops, isStale })];
    },
  };
}

async function identifyByKey(
  options: SharedKeyDigestOptions,
  credentials: Credentials,
  authorization: DigestAuthorization,
  kind: KeyKind,
  by: Parameters<SharedKeySource['retrieve']>[1],
): Promise<Finding> {
  const { username, realm } = authorization;
  let owners: readonly KeyOwner[] = [];
  const rules: DigestRules = { ...options, algorithms: ['MD5'], qops };
  const finding = await verifyDigest(rules, credentials, authorization, async (algorithm) => {
    const shared = await options.source.retrieve(username, by);
    const key = shared?.keys.get(kind.realm);
    owners = shared?.owners ?? [];
    const password = (key ?? randomBytes(32)).toString('base64');
    const ha1 = digestHash(algorithm, `${username}:${realm}:${password}`);
    // Who it is gets looked up when the key has proved right.
    return { ha1, identities: key === undefined ? undefined : [username] };
  });
  if (finding.kind !== 'identified') return finding;
  const [first, ...others] = await identitiesOf(owners, options.directory);
  // A 401 would make the device bootstrap again, to no avail.
  if (first === undefined)
    throw new Refusal(403, 'This server knows no public identity of this subscription.');
  return { ...finding, identities: [first, ...others] };
}

function authorizationOf({ headers: { authorization } }: Credentials): DigestAuthorization | undefined {
  return isDigest(authorization) ? parseDigestAuthorization(authorization) : undefined;
}

/** By its user agent, else by the realm that it answered to before: not every client names both each time. */
function wantedKind(
  { kinds, hostnames }: Pick<SharedKeyDigestOptions, 'kinds' | 'hostnames'>,
  credentials: Credentials,
): KeyKind | undefined {
  const host = hostOf(credentials);
  if (host === undefined || !isOwn({ hostnames }, host)) return undefined;
  const product = credentials.headers['user-agent'] ?? '';
  const realm = authorizationOf(credentials)?.realm ?? '';
  return (
    kinds.find(({ userAgent }) => userAgent.test(product)) ??
    kinds.find((kind) => realm.startsWith(`${kind.realm}@`))
  );
}

function isOwn({ hostnames }: Pick<SharedKeyDigestOptions, 'hostnames'>, host: string): boolean {
  return hostnames.includes(host.replace(/^\[|\]$|\.$/g, '').toLowerCase());
}

/** The host without its port, in the letters of the client: the key is made from them. */
function hostOf({ headers: { host } }: Credentials): string | undefined {
  return /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/.exec(host ?? '')?.[1];
}
