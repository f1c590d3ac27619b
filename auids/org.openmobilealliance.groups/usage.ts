import {
  actionsOf,
  attributeOf,
  canonicalXui,
  commonPolicyNamespace,
  defineApplicationUsage,
  elementsNamed,
  globalTreeForTrustedElements,
  listLimits,
  once,
  policy,
  repeatedRuleIds,
  repeatedValues,
  ruleOrder,
  rulesThatHold,
  sameName,
  unusableAddress,
} from '../../src/xcap/usage/contract.js';
import type { Reader, UniquenessFailure, UsageContext } from '../../src/xcap/usage/contract.js';
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const namespace = 'urn:oma:xml:poc:list-service';
const listsNamespace = 'urn:ietf:params:xml:ns:resource-lists';
const extensionsNamespace = 'urn:oma:xml:xdm:extensions';

/** OMA Shared Group XDM: groups of users, each with the rules of who may do what in it. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.groups',
  defaultDocumentNamespace: namespace,
  rootElement: named('group'),
  limits: listLimits,
  mediaType: 'application/vnd.oma.poc.groups+xml',
  schema: 'groups.xsd',
  namespaces: [
    namespace,
    listsNamespace,
    commonPolicyNamespace,
    'urn:oma:xml:xdm:common-policy',
    extensionsNamespace,
  ],
  // Unlike other global documents, groups are not for everybody: who is in one is known to its members.
  authorization: globalTreeForTrustedElements,
  readers: { rulesFor: (document) => [document], admit },
  childOrder: [
    {
      parent: named('list-service'),
      children: [...['display-name', 'list', 'invite-members', 'max-participant-count'].map(named), '*'],
    },
    { parent: named('list'), children: [named('entry'), named('external')] },
    { parent: named('entry'), children: [{ namespace: listsNamespace, localName: 'display-name' }, '*'] },
    ruleOrder,
    {
      parent: extension('session-active-policy'),
      children: [
        ...['max-duration', 'required-participants-list', 'min-participant-count', 'schedule'].map(extension),
        '*',
      ],
    },
  ],
  uniqueness,
  // No two groups of all users have the same URI.
  claims: (root) =>
    groupsIn(root).map((element) => ({ element, attribute: 'uri', isListed: false }) as const),
  // TS 24.481 and its clients disagree on the name.
  claimDirectories: ['byGroup', 'byGroupID'],
  constraints,
});

function named(localName: string): ExpandedName {
  return { namespace, localName };
}

function extension(localName: string): ExpandedName {
  return { namespace: extensionsNamespace, localName };
}

function groupsIn(root: SourceElement): SourceElement[] {
  return namesakes(root.children, named('list-service'));
}

/** RFC 4745 §6.1: ids of rules. And as in resource lists: the members of a list. */
function uniqueness(root: SourceElement): readonly UniquenessFailure[] {
  const lists = [
    ...elementsNamed(root, named('list')),
    ...elementsNamed(root, extension('required-participants-list')),
  ];
  return [
    ...repeatedRuleIds(root),
    ...lists.flatMap(({ namespace, children }) => [
      ...repeatedValues(namesakes(children, { namespace, localName: 'entry' }), 'uri'),
      ...repeatedValues(namesakes(children, { namespace, localName: 'external' }), 'anchor'),
    ]),
  ].sort((a, b) => a.element.start - b.element.start);
}

/** Users give out addresses of their own domain. */
function constraints(root: SourceElement, { document }: UsageContext): string | undefined {
  for (const { attributes } of groupsIn(root)) {
    const uri = attributes.find(({ localName }) => localName === 'uri')?.value.trim() ?? '';
    const failure = unusableAddress('group', uri, document);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** A document with several groups is for those whom each of them admits. */
function admit(root: SourceElement, reader: Reader, textOf: UsageContext['textOf']): boolean {
  const groups = groupsIn(root);
  return groups.length > 0 && groups.every((group) => admitsToGroup(group, reader, textOf));
}

function admitsToGroup(group: SourceElement, reader: Reader, textOf: UsageContext['textOf']): boolean {
  const membership = once(() => isMember(group, reader));
  const judge = (condition: SourceElement) =>
    sameName(condition, named('is-list-member')) ? membership() : undefined;
  const isTrue = (action: SourceElement) => ['true', '1', 'allow'].includes(textOf(action).trim());
  const actions = namesakes(group.children, policy('ruleset'))
    .flatMap((ruleset) => rulesThatHold(ruleset, reader, judge))
    .flatMap(actionsOf);
  // TS 24.481 §7.2.12.1: whom the list of members is kept from may take part, and does not get the group, which has the list.
  const onMemberList = namesakes(actions, seeingMembers);
  if (onMemberList.length > 0) return onMemberList.some(isTrue);
  return actions.some((action) => isParticipation(action) && isTrue(action));
}

/** Undefined where other documents would have to tell. */
function isMember(group: SourceElement, reader: Reader): boolean | undefined {
  const members = namesakes(group.children, named('list')).flatMap(({ children }) => children);
  const isNamed = namesakes(members, named('entry')).some((entry) =>
    reader.xuis.has(canonicalXui(attributeOf(entry, 'uri')?.value.trim() ?? '')),
  );
  if (isNamed) return true;
  return namesakes(members, named('external')).length > 0 ? undefined : false;
}

const seeingMembers: ExpandedName = {
  namespace: 'urn:3gpp:ns:mcpttGroupInfo:1.0',
  localName: 'on-network-allow-getting-member-list',
};

/** To take part in a group. */
function isParticipation(action: SourceElement): boolean {
  return [named('join-handling'), named('allow-initiate-conference')].some((name) => sameName(action, name));
}

function namesakes(elements: readonly SourceElement[], name: ExpandedName): SourceElement[] {
  return elements.filter((element) => sameName(element, name));
}
