/** Who is asking: the schemes that this server has, in the order in which they are tried and in which they challenge. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Access, Xui } from '../xcap/terms.js';

/** What a scheme may look at. The peer's address comes from the socket, never from a header. */
export interface Credentials {
  readonly peerAddress: string;
  /** True where the connection is encrypted up to this server. */
  readonly isSecure: boolean;
  readonly method: string;
  /** The raw request target. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came, empty where there is none. */
  readonly body: Uint8Array;
  /** The domain of the user whose documents are asked for; undefined where the URI names none. */
  readonly domain: string | undefined;
  /** The subjectAltName URIs of a certificate that the client proved to have and that a trusted authority signed. */
  readonly certificateUris: readonly string[];
  /** The IANA name of the cipher suite of the connection; undefined where it is not encrypted up to this server. */
  readonly cipherSuite: string | undefined;
}

/** What a scheme finds in a request. */
export type Finding =
  /** No credentials of this scheme: the next one is asked. */
  | { readonly kind: 'none' }
  /** The request is from whoever has these identities, in canonical form; the first is the one that records show. */
  | {
      readonly kind: 'identified';
      readonly identities: readonly [Xui, ...Xui[]];
      readonly access: Access;
      /** Headers of the answer, such as Authentication-Info. */
      readonly headers: Readonly<Record<string, string>>;
    }
  /** There are credentials, and they are no good. No other scheme is asked. */
  | {
      readonly kind: 'refused';
      /** For the log: no secret, no user name. */
      readonly reason: string;
      /** True where the client only has to repeat with a new nonce (RFC 7616 §3.3). */
      readonly isStale: boolean;
    };

/** RFC 9110 §11.1, and beside it what says who is asking without one: assertions of trusted peers, certificates. */
export interface AuthenticationScheme {
  readonly name: string;
  identify(credentials: Credentials): Promise<Finding>;
  /** The values for WWW-Authenticate of a 401, each in a header of its own. */
  challenges(credentials: Credentials, isStale: boolean): readonly string[];
  /** True where the client asks for the challenge of this scheme: it gets those of no other. */
  isAskedFor?(credentials: Credentials): boolean;
}

export type Authentication =
  | (Extract<Finding, { kind: 'identified' }> & {
      /** The scheme that found the identities. */
      readonly scheme: string;
    })
  | {
      readonly kind: 'unknown';
      /** The scheme that refused the credentials; undefined where none found any. */
      readonly scheme: string | undefined;
      /** For the log: no secret, no user name. */
      readonly reason: string;
      /** True where the client only has to repeat with a new nonce. */
      readonly isStale: boolean;
      readonly challenges: readonly string[];
    };

/**
 * Tries the schemes in turn; the first that finds credentials decides.
 *
 * @param asking hears the name of each scheme that is tried, so also of one that throws
 */
export async function authenticate(
  schemes: readonly AuthenticationScheme[],
  credentials: Credentials,
  asking: (scheme: string) => void = () => undefined,
): Promise<Authentication> {
  for (const scheme of schemes) {
    asking(scheme.name);
    const finding = await scheme.identify(credentials);
    if (finding.kind === 'identified') return { ...finding, scheme: scheme.name };
    if (finding.kind === 'refused') return unknown(schemes, credentials, { ...finding, scheme: scheme.name });
  }
  return unknown(schemes, credentials, { scheme: undefined, reason: 'no credentials', isStale: false });
}

interface Refused {
  readonly scheme: string | undefined;
  readonly reason: string;
  readonly isStale: boolean;
}

function unknown(
  schemes: readonly AuthenticationScheme[],
  credentials: Credentials,
  { scheme, reason, isStale }: Refused,
): Authentication {
  const asked = schemes.filter((scheme) => scheme.isAskedFor?.(credentials) === true);
  const offered = asked.length > 0 ? asked : schemes;
  const challenges = offered.flatMap((scheme) => scheme.challenges(credentials, isStale));
  return { kind: 'unknown', scheme, reason, isStale, challenges };
}
