/** From the identities of a request to the principal that policies judge, and from the user in a URI to their documents. */
import type { Subscriber, SubscriberDirectory } from '../subscribers/subscriber.js';
import { Refusal } from '../xcap/refusal.js';
import type { Access, DocumentSelector, Principal, Role, Xui } from '../xcap/terms.js';
import { chooseIdentity } from './intended-identity.js';

export interface PrincipalRules {
  readonly directory: SubscriberDirectory;
  /** Canonical XUIs from the configuration. */
  readonly trustedElements: readonly Xui[];
  /** The AUIDs whose documents elements write, by canonical XUI. */
  readonly trustedWriters: ReadonlyMap<Xui, readonly string[]>;
  readonly defaultDomain: string | undefined;
  /** Whether users whom the operator does not know have documents. */
  readonly openProvisioning: boolean;
}

/** What an authentication scheme found. */
export interface Identified {
  readonly identities: readonly [Xui, ...Xui[]];
  readonly access: Access;
}

/**
 * All identities of a subscriber are one principal.
 *
 * @param intendedIdentity the header X-3GPP-Intended-Identity
 * @throws Refusal 403 where the subscriber is disabled, or means to be somebody else.
 */
export async function principalOf(
  { identities, access }: Identified,
  intendedIdentity: string | string[] | undefined,
  rules: PrincipalRules,
): Promise<Principal> {
  const subscriber = await firstSubscriber(identities, rules.directory);
  if (subscriber?.isDisabled === true) throw new Refusal(403, 'This subscription is disabled.');
  const all = new Set([...identities, ...(subscriber?.identities ?? [])]);
  const [first = identities[0], ...others] = all;
  const xuis = chooseIdentity([first, ...others], intendedIdentity, rules.defaultDomain);
  const writableUsages = xuis.flatMap((xui) => rules.trustedWriters.get(xui) ?? []);
  return { xuis, access, writableUsages, role: await roleOf(xuis, rules) };
}

async function firstSubscriber(
  identities: readonly Xui[],
  directory: SubscriberDirectory,
): Promise<Subscriber | undefined> {
  for (const identity of identities) {
    const subscriber = await directory.withIdentity(identity);
    if (subscriber !== undefined) return subscriber;
  }
  return undefined;
}

async function roleOf(
  xuis: readonly Xui[],
  { directory, trustedElements }: PrincipalRules,
): Promise<Role | undefined> {
  const assigned = await Promise.all(xuis.map((xui) => directory.roleOf(xui)));
  const isTrusted = xuis.some((xui) => trustedElements.includes(xui));
  return assigned.find((role) => role !== undefined) ?? (isTrusted ? 'trusted-element' : undefined);
}

/**
 * The document below the XUI of the subscriber, whichever of their identities the URI has.
 *
 * @throws Refusal 404 where the operator does not know the user and has to.
 */
export async function documentOfSubscriber(
  document: DocumentSelector,
  { xuis, role, writableUsages = [] }: Pick<Principal, 'xuis' | 'role' | 'writableUsages'>,
  { directory, openProvisioning }: PrincipalRules,
): Promise<DocumentSelector> {
  if (document.tree === 'global') return document;
  const subscriber = await directory.withIdentity(document.xui);
  if (subscriber !== undefined) return { ...document, xui: subscriber.xui };
  // A stranger gets what the policy says, so that they do not learn who is a subscriber.
  const isElement = role !== undefined || writableUsages.includes(document.auid);
  const isStranger = !isElement && !xuis.includes(document.xui);
  if (openProvisioning || isStranger) return document;
  throw new Refusal(
    404,
    'This server has no such user. An operator makes one with `xcapd user add`, or lets everybody have documents with XCAP_OPEN_PROVISIONING=true.',
  );
}
