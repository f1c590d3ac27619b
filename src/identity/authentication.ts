/** Who is asking: the methods that this server has, in the order in which they are tried. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../xcap/terms.js';

/** What a method may look at. The peer's address comes from the socket, never from a header. */
export interface Credentials {
  readonly peerAddress: string;
  readonly method: string;
  /** The raw request target. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface IdentityMethod {
  readonly name: string;
  /** The principal, or undefined where the request has no (valid) credentials of this method. */
  authenticate(credentials: Credentials): Promise<Principal | undefined>;
  /** The values for WWW-Authenticate of a 401, each in a header of its own. */
  challenges(credentials: Credentials): readonly string[];
}

export type Authentication =
  | { readonly principal: Principal }
  | { readonly principal: undefined; readonly challenges: readonly string[] };

/** Tries the methods in turn. */
export async function authenticate(
  methods: readonly IdentityMethod[],
  credentials: Credentials,
): Promise<Authentication> {
  for (const method of methods) {
    const principal = await method.authenticate(credentials);
    if (principal !== undefined) return { principal };
  }
  return { principal: undefined, challenges: methods.flatMap((method) => method.challenges(credentials)) };
}
