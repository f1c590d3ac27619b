/** Subscribers, and the ports to where they are kept. Requests ask the directory; the management API uses the register. */
import type { Grant as AuthorizationGrant } from '../xcap/policy/authorization.js';
import type { Role, Xui } from '../xcap/terms.js';

export type { Role } from '../xcap/terms.js';

/** A user whom the operator knows. */
export interface Subscriber {
  /** The canonical XUI below which the documents lie, whichever identity is used. */
  readonly xui: Xui;
  /** All public identities in canonical form, the XUI among them. */
  readonly identities: readonly Xui[];
  /** The private identity. */
  readonly impi: string | undefined;
  readonly isDisabled: boolean;
  /** The name of the profile that was assigned to this subscriber. */
  readonly profile: string | undefined;
  readonly quota: Quota;
}

/** What a subscriber may have at most; undefined for what is not limited, or limited elsewhere. */
export interface Quota {
  readonly documents: number | undefined;
  readonly bytes: number | undefined;
}

export const digestAlgorithms = ['MD5', 'SHA-256'] as const;

export type DigestAlgorithm = (typeof digestAlgorithms)[number];

/** RFC 7616 §3.4.2: H(username ":" realm ":" password), in lower-case hexadecimal digits. */
export interface DigestSecret {
  readonly xui: Xui;
  readonly realm: string;
  readonly username: string;
  readonly algorithm: DigestAlgorithm;
  readonly ha1: string;
}

export const roles = ['trusted-element', 'administrator', 'support'] as const satisfies readonly Role[];

/** A grant as it is kept. */
export interface Grant extends AuthorizationGrant {
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly expiresAt: string;
}

/** What requests ask. Answers may be some seconds old. */
export interface SubscriberDirectory {
  /** The subscriber with that public identity (canonical form). */
  withIdentity(identity: Xui): Promise<Subscriber | undefined>;
  withImpi(impi: string): Promise<Subscriber | undefined>;
  digestSecret(
    realm: string,
    username: string,
    algorithm: DigestAlgorithm,
  ): Promise<DigestSecret | undefined>;
  /** The hash for HTTP Basic, in the format of the module that checks it. */
  passwordHash(xui: Xui): Promise<string | undefined>;
  roleOf(xui: Xui): Promise<Role | undefined>;
  /** The grants of that owner to any of these identities that have not expired. */
  grants(owner: Xui, grantees: readonly Xui[]): Promise<readonly Grant[]>;
}
