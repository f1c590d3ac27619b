/**
 * RFC 4745: which rules hold for somebody who asks, for usages whose documents admit readers. Pure: what would take a
 * clock or other documents cannot be judged here, and a condition that cannot be judged admits nobody.
 */
import { domainToASCII } from 'node:url';
import { once } from '../../once.js';
import { attributeOf, sameName } from '../../xml/source-tree.js';
import type { ExpandedName, SourceElement, Xui } from '../terms.js';
import { canonicalHost, canonicalXui } from '../uri/xui.js';

export const commonPolicyNamespace = 'urn:ietf:params:xml:ns:common-policy';

/** Whether a condition holds; undefined where that cannot be judged. */
export type Verdict = boolean | undefined;

/** Judges a condition of another vocabulary than those here. */
export type ConditionJudge = (condition: SourceElement) => Verdict;

/** Somebody who asks, by what conditions look for. */
export interface Reader {
  readonly xuis: ReadonlySet<Xui>;
  readonly domains: ReadonlySet<string>;
}

/** Whoever has these XUIs. Nobody without one. */
export function readerOf(xuis: readonly Xui[]): Reader {
  const domains = xuis.map(domainOf).filter((domain) => domain !== undefined);
  return { xuis: new Set(xuis), domains: new Set(domains) };
}

/**
 * RFC 4745 §10.1: the rules of a ruleset that hold for somebody authenticated. All conditions of a
 * rule have to hold (§7); one without conditions holds for everybody.
 *
 * @param judge knows the conditions of the usage's own vocabulary.
 */
export function rulesThatHold(
  ruleset: SourceElement,
  reader: Reader,
  judge: ConditionJudge = () => undefined,
): SourceElement[] {
  if (reader.xuis.size === 0) return [];
  const rules = ruleset.children.filter(isNamed(policy('rule')));
  const verdictOf = verdictsOn(reader, judge);
  // Each rule is judged once for all of those that are about the others: there may be thousands of either.
  const naming = once(() => new Set(rules.filter((rule) => mayName(rule, verdictOf))));
  const isOtherThanNamed = (rule: SourceElement) => naming().size === (naming().has(rule) ? 1 : 0);
  return rules.filter((rule) => {
    const verdictOn = (condition: SourceElement): Verdict =>
      sameName(condition, omaPolicy('other-identity')) ? isOtherThanNamed(rule) : verdictOf(condition);
    return all(partsOf(rule, 'conditions').map(verdictOn)) === true;
  });
}

/** The actions that a rule permits. */
export function actionsOf(rule: SourceElement): SourceElement[] {
  return partsOf(rule, 'actions');
}

/**
 * The domain of a URI that has the form of an address, in the one form that domains are compared in (RFC 4745 §7.1.3):
 * lower case, ASCII, no escapes. Undefined for identifiers without a domain.
 */
export function domainOf(uri: string): string | undefined {
  const [, domain] = /^[a-z][a-z0-9+.-]*:[^@]*@(\[[^\]]*\]|[^:;?/]+)/i.exec(canonicalXui(uri)) ?? [];
  return domain === undefined ? undefined : canonicalDomain(domain);
}

/**
 * RFC 4745 §7.1: an identity condition holds where one of its children does.
 *
 * Somebody is all of their XUIs at once: any of them admits them, and any of them that is excepted keeps them out.
 */
function identityVerdict(identity: SourceElement, reader: Reader): Verdict {
  return any(
    identity.children.map((child) => {
      if (sameName(child, policy('one'))) return verdictOnOne(child, reader);
      if (sameName(child, policy('many'))) return verdictOnMany(child, reader);
      return undefined;
    }),
  );
}

/** RFC 4745 §7.1.2. What others add to it would narrow it down, and is not known here. */
function verdictOnOne(one: SourceElement, reader: Reader): Verdict {
  return all([namesOneOf(one, reader), one.children.length === 0 || undefined]);
}

/** RFC 4745 §7.1.3. Likewise. */
function verdictOnMany(many: SourceElement, reader: Reader): Verdict {
  const exceptions = many.children.filter(isNamed(policy('except')));
  const domain = attributeOf(many, 'domain')?.value;
  return all([
    domain === undefined || isOfDomain(domain, reader),
    !exceptions.some((exception) => isExcepted(exception, reader)),
    exceptions.length === many.children.length || undefined,
  ]);
}

function isExcepted(exception: SourceElement, reader: Reader): boolean {
  const domain = attributeOf(exception, 'domain')?.value;
  return namesOneOf(exception, reader) || (domain !== undefined && isOfDomain(domain, reader));
}

/** RFC 4745 §7.2. */
function namesOneOf(single: SourceElement, { xuis }: Reader): boolean {
  const id = attributeOf(single, 'id')?.value.trim();
  return id !== undefined && xuis.has(canonicalXui(id));
}

function isOfDomain(domain: string, { domains }: Reader): boolean {
  const canonical = canonicalDomain(domain.trim());
  return canonical !== undefined && domains.has(canonical);
}

/** RFC 4745 §7.1.3. A domain that cannot be converted equals no other. */
function canonicalDomain(domain: string): string | undefined {
  return domainToASCII(canonicalHost(domain)) || undefined;
}

/** RFC 4745 §7: a condition that is not known does not hold. */
function verdictsOn(reader: Reader, judge: ConditionJudge): ConditionJudge {
  return (condition) => {
    if (sameName(condition, policy('identity'))) return identityVerdict(condition, reader);
    // Who gets here has been authenticated.
    if (sameName(condition, omaPolicy('anonymous-request'))) return false;
    return judge(condition);
  };
}

/** Conditions that do not say who asks. */
const circumstances: readonly ExpandedName[] = [
  policy('sphere'),
  policy('validity'),
  omaPolicy('other-identity'),
];

/**
 * OMA XDM: `other-identity` means those whom no other rule names. A list that cannot be looked into may name anybody: the
 * blocked ones would otherwise come in with all others.
 */
function mayName(rule: SourceElement, verdictOf: ConditionJudge): boolean {
  const names = partsOf(rule, 'conditions').filter(
    (condition) => !circumstances.some((circumstance) => sameName(condition, circumstance)),
  );
  return names.length > 0 && all(names.map(verdictOf)) !== false;
}

function all(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(false)) return false;
  return verdicts.includes(undefined) ? undefined : true;
}

function any(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(true)) return true;
  return verdicts.includes(undefined) ? undefined : false;
}

/** What stands in the conditions or actions of a rule. */
function partsOf(rule: SourceElement, part: string): SourceElement[] {
  return rule.children.filter(isNamed(policy(part))).flatMap(({ children }) => children);
}

function isNamed(name: ExpandedName): (element: SourceElement) => boolean {
  return (element) => sameName(element, name);
}

/** A name of RFC 4745. */
export function policy(localName: string): ExpandedName {
  return { namespace: commonPolicyNamespace, localName };
}

function omaPolicy(localName: string): ExpandedName {
  return { namespace: 'urn:oma:xml:xdm:common-policy', localName };
}
