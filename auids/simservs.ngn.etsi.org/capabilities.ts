/**
 * What a network lets subscribers do with the rules of a service: communication-diversion-serv-cap (TS 24.604) and
 * communication-barring-serv-cap (TS 24.611). A capability that is not mentioned is no statement.
 */
import { attributeOf, sameName } from '../../src/xcap/usage/contract.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';
import { omaPolicy, policy, service, subscriberName } from './vocabulary.js';

type TextOf = (element: SourceElement) => string;

/** What rules may use: the capability that speaks of it, the elements that use it, and words for the subscriber. */
type Use = readonly [capability: string, elements: readonly ExpandedName[], words: string];

/** Words that follow "Call forwarding". */
const diversionConditions: readonly Use[] = [
  ['serv-cap-anonymous', [service('anonymous'), omaPolicy('anonymous-request')], 'of anonymous callers'],
  ['serv-cap-busy', [service('busy')], 'when you are on the phone'],
  ['serv-cap-external-list', [omaPolicy('external-list')], 'of callers in a contact list'],
  ['serv-cap-identity', [policy('identity')], 'of chosen callers'],
  ['serv-cap-no-answer', [service('no-answer')], 'when you do not answer'],
  ['serv-cap-not-reachable', [service('not-reachable')], 'when you cannot be reached'],
  ['serv-cap-not-registered', [service('not-registered')], 'when your phone is switched off'],
  ['serv-cap-presence-status', [service('presence-status')], 'by your presence status'],
  ['serv-cap-rule-deactivated', [service('rule-deactivated')], 'with rules that are kept switched off'],
  ['serv-cap-validity', [policy('validity')], 'for a limited time'],
];

const diversionActions: readonly Use[] = [
  ['serv-cap-notify-caller', [service('notify-caller')], 'with a notice to the caller'],
  ['serv-cap-notify-served-user', [service('notify-served-user')], 'with a notice to you'],
  [
    'serv-cap-notify-served-user-on-outbound-call',
    [service('notify-served-user-on-outbound-call')],
    'with a reminder when you call',
  ],
  [
    'serv-cap-reveal-identity-to-caller',
    [service('reveal-identity-to-caller')],
    'with a choice whether the caller sees the new number',
  ],
  [
    'serv-cap-reveal-served-user-identity-to-caller',
    [service('reveal-served-user-identity-to-caller')],
    'with a choice whether the caller sees your number',
  ],
  [
    'serv-cap-reveal-identity-to-target',
    [service('reveal-identity-to-target')],
    'with a choice whether the new number sees yours',
  ],
];

/** Words that follow "Barring of incoming calls" or "Barring of outgoing calls". */
const barringConditions: readonly Use[] = [
  ['serv-cap-anonymous', [service('anonymous'), omaPolicy('anonymous-request')], 'from anonymous callers'],
  ['serv-cap-communication-diverted', [service('communication-diverted')], 'that were forwarded'],
  ['serv-cap-external-list', [omaPolicy('external-list')], 'by a contact list'],
  ['serv-cap-identity', [policy('identity')], 'by number'],
  ['serv-cap-international', [service('international')], 'to other countries'],
  ['serv-cap-international-exHC', [service('international-exHC')], 'to countries other than your own'],
  ['serv-cap-other-identity', [omaPolicy('other-identity')], 'for all numbers without a rule'],
  ['serv-cap-presence-status', [service('presence-status')], 'by your presence status'],
  ['serv-cap-roaming', [service('roaming')], 'while you are abroad'],
  ['serv-cap-rule-deactivated', [service('rule-deactivated')], 'with rules that are kept switched off'],
  ['serv-cap-validity', [policy('validity')], 'for a limited time'],
];

/** A sentence for the first rule that uses what its service does not offer, or undefined. */
export function capabilityFault(root: SourceElement, textOf: TextOf): string | undefined {
  const diversion = capabilitiesIn(root, 'communication-diversion-serv-cap');
  const barring = capabilitiesIn(root, 'communication-barring-serv-cap');
  for (const child of root.children) {
    const isOf = (localName: string) => sameName(child, service(localName));
    if (diversion !== undefined && isOf('communication-diversion')) {
      const fault = firstFault(child, (rule) => diversionFault(rule, diversion, textOf));
      if (fault !== undefined) return fault;
    }
    const isBarring = isOf('incoming-communication-barring') || isOf('outgoing-communication-barring');
    if (barring !== undefined && isBarring) {
      const fault = firstFault(child, (rule) => barringFault(rule, barring, textOf));
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

type Capabilities = ReadonlyMap<string, SourceElement>;

/** The members of serv-cap-conditions and serv-cap-actions by name; undefined where the document has none. */
function capabilitiesIn(root: SourceElement, localName: string): Capabilities | undefined {
  const container = childOf(root, service(localName));
  if (container === undefined) return undefined;
  const members = container.children.flatMap((part) => part.children);
  return new Map(members.map((member) => [member.localName, member]));
}

function firstFault(
  settings: SourceElement,
  wordsFor: (rule: SourceElement) => string | undefined,
): string | undefined {
  const rules = partsOf(settings, policy('ruleset'));
  for (const rule of rules) {
    const words = wordsFor(rule);
    if (words === undefined) continue;
    const id = attributeOf(rule, 'id')?.value ?? '';
    return `${subscriberName(settings)} ${words} is not part of your subscription (rule '${id}').`;
  }
  return undefined;
}

function diversionFault(rule: SourceElement, offered: Capabilities, textOf: TextOf): string | undefined {
  const conditions = partsOf(rule, policy('conditions'));
  const settings = partsOf(rule, policy('actions')).flatMap((action) =>
    sameName(action, service('forward-to')) ? action.children : [],
  );
  return (
    unconditionalFault(conditions, offered) ??
    notProvisioned(conditions, diversionConditions, offered) ??
    mediaFault(conditions, offered, textOf) ??
    notProvisioned(settings, diversionActions, offered) ??
    targetFault(settings, offered, textOf)
  );
}

function barringFault(rule: SourceElement, offered: Capabilities, textOf: TextOf): string | undefined {
  const conditions = partsOf(rule, policy('conditions'));
  return notProvisioned(conditions, barringConditions, offered) ?? mediaFault(conditions, offered, textOf);
}

/** A rule that is only switched off does not forward all calls; it is judged when it is switched on. */
function unconditionalFault(conditions: readonly SourceElement[], offered: Capabilities): string | undefined {
  if (conditions.length > 0 || isProvisioned(offered.get('serv-cap-unconditional'))) return undefined;
  return 'of all calls';
}

function notProvisioned(
  used: readonly SourceElement[],
  uses: readonly Use[],
  offered: Capabilities,
): string | undefined {
  const withheld = uses.filter(([capability]) => !isProvisioned(offered.get(capability)));
  const found = withheld.find(([, elements]) =>
    used.some((element) => elements.some((name) => sameName(element, name))),
  );
  return found?.[2];
}

function isProvisioned(capability: SourceElement | undefined): boolean {
  const value = capability && attributeOf(capability, 'provisioned')?.value.trim();
  return value !== 'false' && value !== '0';
}

/** serv-cap-media: all media, none, or those that it names. What a vendor puts there says nothing to us. */
function mediaFault(
  conditions: readonly SourceElement[],
  offered: Capabilities,
  textOf: TextOf,
): string | undefined {
  const statement = offered.get('serv-cap-media')?.children ?? [];
  const isNone = statement.some((member) => sameName(member, service('no-media')));
  const named = statement.filter((member) => sameName(member, service('media')));
  if (!isNone && named.length === 0) return undefined;
  const media = new Set(named.map((element) => mediumOf(element, textOf)));
  const refused = conditions.find(
    (condition) => sameName(condition, service('media')) && !media.has(mediumOf(condition, textOf)),
  );
  return refused && `by the medium '${textOf(refused).trim().slice(0, 50)}'`;
}

/** Media types are compared without case (RFC 8866 §5.14). */
function mediumOf(element: SourceElement, textOf: TextOf): string {
  return textOf(element).trim().toLowerCase();
}

/** serv-cap-target: any target, or only what a telephone can dial. An empty target is a number that was erased. */
function targetFault(
  settings: readonly SourceElement[],
  offered: Capabilities,
  textOf: TextOf,
): string | undefined {
  const statement = offered.get('serv-cap-target')?.children ?? [];
  if (!statement.some((member) => sameName(member, service('telephony-type')))) return undefined;
  const targets = settings.filter((setting) => sameName(setting, service('target')));
  const uris = targets.map((target) => textOf(target).trim());
  const unfit = uris.find((uri) => uri !== '' && !isTelephoneNumber(uri));
  if (unfit === undefined) return undefined;
  // A number without a scheme is a relative reference, and nothing that can be dialled.
  return /^\+?[\d().-]+$/.test(unfit)
    ? `to '${unfit}' (a telephone number is written tel:${unfit})`
    : 'to addresses that are no telephone numbers (tel:…, or sip:… with user=phone)';
}

/** A tel URI, or a SIP URI that is one in disguise (RFC 3261 §19.1.6): `user=phone`, or a user part of digits. */
function isTelephoneNumber(uri: string): boolean {
  return (
    /^tel:/i.test(uri) ||
    /^sips?:[^?]*;user=phone(?:[;?]|$)/i.test(uri) ||
    /^sips?:(?:\+|%2b)?[\d*#.()-]+(?:;[^@]*)?@/i.test(uri)
  );
}

function childOf(parent: SourceElement, name: ExpandedName): SourceElement | undefined {
  return parent.children.find((child) => sameName(child, name));
}

function partsOf(parent: SourceElement, name: ExpandedName): readonly SourceElement[] {
  return childOf(parent, name)?.children ?? [];
}
