import { element, type CorpusCase } from './case.js';

const rules = '/org.openmobilealliance.pres-rules/users/sip:alice@example.com/pres-rules';
const profile = '/org.openmobilealliance.user-profile/users/sip:alice@example.com/user-profile';
const rule = (id: string) => `${rules}/~~/ruleset/rule%5B@id=%22${id}%22%5D`;
const ownList =
  'http://xcap.example.com/resource-lists/users/sip:alice@example.com/index/~~/resource-lists/list%5B@name=%22rcs%22%5D';
const listOf = (anchor: string) => `<ocp:external-list><ocp:entry anc="${anchor}"/></ocp:external-list>`;
const ruleBody = (id: string, conditions: string, handling = 'allow', transformations = '') =>
  `<rule id="${id}"><conditions>${conditions}</conditions>` +
  `<actions><pr:sub-handling>${handling}</pr:sub-handling></actions>${transformations}</rule>`;

/** The documents of OMA, RCS and MCPTT clients. */
export const oma: readonly CorpusCase[] = [
  {
    id: 'oma-01',
    title: 'steps without a prefix are in the namespace of common policy',
    method: 'GET',
    target: rule('strangers'),
    document: 'oma-rules',
    at: rules,
    expect: { status: 200, contains: ['<ocp:anonymous-request/>'] },
  },
  {
    id: 'oma-02',
    title: 'the AUID once more as the first step',
    method: 'GET',
    target: `${rules}/~~/org.openmobilealliance.pres-rules/ruleset`,
    document: 'oma-rules',
    at: rules,
    expect: { status: 404 },
  },
  { id: 'oma-03', title: 'no rules yet', method: 'GET', target: rules, expect: { status: 404 } },
  {
    id: 'oma-04',
    title: 'a rule about a list of the user',
    method: 'PUT',
    target: rule('contacts'),
    headers: element,
    body: ruleBody('contacts', listOf(ownList)),
    document: 'oma-rules',
    at: rules,
    expect: { status: 201, contains: ['</rule><rule id="contacts">'] },
  },
  {
    id: 'oma-05',
    title: 'a rule about a list of somebody else',
    method: 'PUT',
    target: rule('contacts'),
    headers: element,
    body: ruleBody('contacts', listOf(ownList.replace('alice', 'bob'))),
    document: 'oma-rules',
    at: rules,
    expect: { status: 409, condition: 'constraint-failure' },
  },
  {
    id: 'oma-06',
    title: 'two conditions on who asks in one rule',
    method: 'PUT',
    target: rule('both'),
    headers: element,
    body: ruleBody('both', `<identity><one id="sip:tim@example.com"/></identity>${listOf(ownList)}`),
    document: 'oma-rules',
    at: rules,
    expect: { status: 409, condition: 'constraint-failure' },
  },
  {
    id: 'oma-07',
    title: 'transformations for those who are blocked',
    method: 'PUT',
    target: rule('blocked'),
    headers: element,
    body: ruleBody(
      'blocked',
      '<ocp:other-identity/>',
      'block',
      '<transformations><pr:provide-all-attributes/></transformations>',
    ),
    document: 'oma-rules',
    at: rules,
    expect: { status: 409, condition: 'constraint-failure' },
  },
  {
    id: 'oma-08',
    title: 'a profile of one’s own',
    method: 'PUT',
    target: profile,
    headers: { 'content-type': 'application/vnd.oma.user-profile+xml' },
    body: '<user-profiles xmlns="urn:oma:xml:xdm:user-profile"><user-profile uri="sip:alice@example.com"/></user-profiles>',
    expect: { status: 201 },
  },
  {
    id: 'oma-09',
    title: 'a profile of somebody else in one’s own place',
    method: 'PUT',
    target: profile,
    headers: { 'content-type': 'application/vnd.oma.user-profile+xml' },
    body: '<user-profiles xmlns="urn:oma:xml:xdm:user-profile"><user-profile uri="sip:bob@example.com"/></user-profiles>',
    expect: { status: 409, condition: 'constraint-failure' },
  },
  {
    id: 'oma-10',
    title: 'everyone reads profiles: there is none yet, and that is no secret',
    method: 'GET',
    target: profile,
    as: 'sip:bob@example.com',
    expect: { status: 404 },
  },
  {
    id: 'oma-11',
    title: 'the locked profile is the operator’s',
    method: 'PUT',
    target: profile.replaceAll('user-profile', 'locked-user-profile'),
    headers: { 'content-type': 'application/vnd.oma.user-profile+xml' },
    body: '<user-profiles xmlns="urn:oma:xml:xdm:user-profile"><user-profile uri="sip:alice@example.com"/></user-profiles>',
    expect: { status: 403 },
  },
  {
    id: 'oma-12',
    title: 'a list of groups that refers elsewhere',
    method: 'PUT',
    target: '/org.openmobilealliance.group-usage-list/users/sip:alice@example.com/index',
    headers: { 'content-type': 'application/vnd.oma.group-usage-list+xml' },
    body: `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><external anchor='${ownList}'/></list></resource-lists>`,
    expect: { status: 409, condition: 'constraint-failure' },
  },
  {
    id: 'oma-13',
    title: 'hard state presence of the user',
    method: 'PUT',
    target: '/pidf-manipulation/users/sip:alice@example.com/index',
    headers: { 'content-type': 'application/pidf+xml', 'if-none-match': '*' },
    body:
      '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com">' +
      '<tuple id="t1"><status><basic>closed</basic></status><note>Back on Monday</note></tuple></presence>',
    expect: { status: 201 },
  },
  {
    id: 'oma-14',
    title: 'presence of somebody else',
    method: 'PUT',
    target: '/pidf-manipulation/users/sip:alice@example.com/index',
    headers: { 'content-type': 'application/pidf+xml' },
    body: '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:bob@example.com"/>',
    expect: { status: 409, condition: 'constraint-failure' },
  },
  {
    id: 'oma-15',
    title: 'a device that nobody has logged in on asks for its first configuration',
    method: 'GET',
    target: '/org.3gpp.mcptt.ue-init-config/users/0a1b2c3d/0a1b2c3d',
    headers: { 'contact-type': 'application/vnd.3gpp.mcptt-ue-init-config+xml', authorization: 'Bearer abc' },
    as: 'mcptt-user',
    expect: { status: 404 },
    why: 'The XUI is the device, whoever asks with it: everyone may read, and there is none yet. Tokens are not read yet.',
  },
];
