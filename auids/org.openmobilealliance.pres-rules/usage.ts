import {
  isMisleadingSegment,
  attributeOf,
  canonicalXui,
  commonPolicyNamespace,
  decodedUri,
  defineApplicationUsage,
  elementsNamed,
  percentDecoded,
  policy,
  repeatedRuleIds,
  ruleOrder,
  sameName,
} from '../../src/xcap/usage/contract.js';
import type { UsageContext } from '../../src/xcap/usage/contract.js';
import type { DocumentSelector, ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const omaCommonPolicyNamespace = 'urn:oma:xml:xdm:common-policy';
const presRulesNamespace = 'urn:ietf:params:xml:ns:pres-rules';

/** OMA Presence XDM, presence authorization rules: RFC 5025 with OMA's conditions and transformations. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.pres-rules',
  // Unlike that of RFC 5025 §9.3: node selectors of OMA clients name ruleset and rule without a prefix.
  defaultDocumentNamespace: commonPolicyNamespace,
  // Other clients follow RFC 5025 here, too.
  secondDefaultNamespace: presRulesNamespace,
  rootElement: policy('ruleset'),
  mediaType: 'application/auth-policy+xml',
  schema: 'oma-pres-rules.xsd',
  namespaces: [
    commonPolicyNamespace,
    omaCommonPolicyNamespace,
    presRulesNamespace,
    'urn:oma:xml:prs:pres-rules',
  ],
  defaultDocument: 'pres-rules',
  childOrder: [ruleOrder],
  uniqueness: repeatedRuleIds,
  constraints,
});

function omaPolicy(localName: string): ExpandedName {
  return { namespace: omaCommonPolicyNamespace, localName };
}

/** OMA Presence XDM: what OMA's presence rules may not say, although common policy could. */
function constraints(root: SourceElement, context: UsageContext): string | undefined {
  for (const rule of elementsNamed(root, policy('rule'))) {
    const failure =
      severalKindsOfWatchers(rule) ??
      transformationsOfNothing(rule, context.textOf) ??
      unusableList(rule, context.document);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** The conditions that say who the watcher is. All conditions of a rule have to hold, so two of these seldom meet anybody. */
const watcherConditions: readonly ExpandedName[] = [
  policy('identity'),
  omaPolicy('external-list'),
  omaPolicy('other-identity'),
  omaPolicy('anonymous-request'),
];

function severalKindsOfWatchers(rule: SourceElement): string | undefined {
  const found = partsOf(rule, 'conditions').filter((condition) =>
    watcherConditions.some((name) => sameName(condition, name)),
  );
  if (found.length < 2) return undefined;
  const names = found.map(({ localName }) => localName).join(' and ');
  return `A rule can have only one condition on who asks, but ${nameOf(rule)} has ${names}. Make one rule for each.`;
}

/** Transformations choose what an admitted watcher sees. Empty ones choose nothing and may stand anywhere. */
function transformationsOfNothing(rule: SourceElement, textOf: UsageContext['textOf']): string | undefined {
  if (partsOf(rule, 'transformations').length === 0) return undefined;
  const handlings = namesakes(partsOf(rule, 'actions'), {
    namespace: presRulesNamespace,
    localName: 'sub-handling',
  });
  // The schema takes white space around the value.
  if (handlings.length > 0 && handlings.every((handling) => textOf(handling).trim() === 'allow')) {
    return undefined;
  }
  return `Transformations can stand only in a rule whose action is sub-handling 'allow', which ${nameOf(rule)} is not.`;
}

/** An external list is named by its XCAP URI, and has to be the user's own. An entry without URI means nobody. */
function unusableList(rule: SourceElement, document: DocumentSelector): string | undefined {
  const anchors = namesakes(partsOf(rule, 'conditions'), omaPolicy('external-list'))
    .flatMap((list) => list.children)
    .map((entry) => attributeOf(entry, 'anc')?.value.trim());
  for (const anchor of anchors) {
    const failure = anchor === undefined ? undefined : unusableAnchor(anchor, document);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function unusableAnchor(anchor: string, document: DocumentSelector): string | undefined {
  const [, path] = /^https?:\/\/[^/?#]+([^?#]*)/i.exec(decodedUri(anchor)) ?? [];
  if (path === undefined) return `The anc of an external list has to be an absolute HTTP URI: ${anchor}`;
  // Documents of the global tree have no owner whose lists could be told from those of others.
  if (document.tree === 'global' || isInListsOf(document.xui, path)) return undefined;
  return `The anc of an external list has to point into the resource lists of ${document.xui}: ${anchor}`;
}

/** RFC 4825 §6.2: `…/resource-lists/users/<xui>/<document>`, whatever the XCAP root and the node selector. */
function isInListsOf(xui: string, path: string): boolean {
  const [documentPath = ''] = path.split(/\/(?:~|%7e){2}(?:\/|$)/i);
  const segments = documentPath.split('/').map(percentDecoded);
  const auidAt = segments.findIndex(
    (segment, at) => segment === 'resource-lists' && segments[at + 1] === 'users',
  );
  if (auidAt < 0 || path.split('/').map(percentDecoded).some(isMisleadingSegment)) return false;
  const [owner = '', document = ''] = segments.slice(auidAt + 2);
  return document !== '' && canonicalXui(owner) === xui;
}

/** What stands in the conditions, actions or transformations of a rule. */
function partsOf(rule: SourceElement, part: string): SourceElement[] {
  return namesakes(rule.children, policy(part)).flatMap(({ children }) => children);
}

function namesakes(elements: readonly SourceElement[], name: ExpandedName): SourceElement[] {
  return elements.filter((element) => sameName(element, name));
}

function nameOf(rule: SourceElement): string {
  return `'${attributeOf(rule, 'id')?.value ?? ''}'`;
}
