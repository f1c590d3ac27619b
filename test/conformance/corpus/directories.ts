import { element, type CorpusCase } from './case.js';

const alice = 'sip:alice@example.com';
const escapedAlice = 'sip%3Aalice%40example.com';
const services = `/rls-services/users/${alice}/index`;
const servicesOfBob = '/rls-services/users/sip:bob@example.com/index';
const service = (uri: string) => `${servicesOfBob}/~~/rls-services/service%5B@uri=%22${uri}%22%5D`;
const listOf = (xui: string) =>
  `/resource-lists/users/${xui}/index/~~/resource-lists/list%5B@name=%22rcs%22%5D`;
const serviceBody = (uri: string, list: string) =>
  `<service uri="${uri}"><resource-list>${list}</resource-list><packages><package>presence</package></packages></service>`;
const directory = `/org.openmobilealliance.xcap-directory/users/${alice}/directory.xml`;
const group = `/org.openmobilealliance.groups/users/${alice}/rowing.xml`;
const groupByUri = '/org.openmobilealliance.groups/global/byGroup/sip:rowing@groups.example.com';
const picture = `/org.openmobilealliance.pres-content/users/${alice}/oma_status-icon/rcs_status_icon`;
const pictureBody =
  '<content xmlns="urn:oma:xml:prs:pres-content"><mime-type>image/gif</mime-type><encoding>base64</encoding>' +
  '<description xml:lang="en">me</description><data>R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7</data></content>';

/** List services, groups, pictures, directories, and what clients ask for that this server does not have. */
export const directories: readonly CorpusCase[] = [
  {
    id: 'services-01',
    title: 'a service by a URI with parameters',
    method: 'GET',
    target: service('sip:team@example.com;pres-list=rcs'),
    document: 'services-bob',
    at: servicesOfBob,
    expect: { status: 200, contains: ['<package>presence</package>'] },
  },
  {
    id: 'services-02',
    title: 'a list named by a path instead of an absolute URI',
    method: 'PUT',
    target: service('sip:other@example.com'),
    headers: element,
    body: serviceBody('sip:other@example.com', listOf('sip:bob@example.com')),
    document: 'services-bob',
    at: servicesOfBob,
    expect: { status: 409, condition: 'constraint-failure' },
  },
  {
    id: 'services-03',
    title: 'a service with a URI that somebody else has',
    method: 'PUT',
    target: services,
    as: alice,
    headers: { 'content-type': 'application/rls-services+xml' },
    body:
      '<rls-services xmlns="urn:ietf:params:xml:ns:rls-services">' +
      serviceBody('sip:team@example.com;pres-list=rcs', `http://xcap.example.com${listOf(alice)}`) +
      '</rls-services>',
    document: 'services-bob',
    at: servicesOfBob,
    expect: {
      status: 409,
      condition: 'uniqueness-failure',
      contains: ['<alt-value>sip:team-alice@example.com;pres-list=rcs</alt-value>'],
    },
  },
  {
    id: 'services-04',
    title: 'a user reads the index of all services',
    method: 'GET',
    target: '/rls-services/global/index',
    as: alice,
    document: 'services-bob',
    at: servicesOfBob,
    expect: { status: 403 },
    why: 'RFC 4826 §4.4.9: it is for trusted elements only.',
  },
  {
    id: 'directory-01',
    title: 'the directory, with an escaped XUI',
    method: 'GET',
    target: `/org.openmobilealliance.xcap-directory/users/${escapedAlice}/directory.xml`,
    document: 'lists-friends',
    expect: { status: 200, contains: [`<entry uri="resource-lists/users/${alice}/index" etag="`] },
  },
  {
    id: 'directory-02',
    title: 'one folder of it',
    method: 'GET',
    target: `${directory}/~~/xcap-directory/folder%5B@auid=%22resource-lists%22%5D`,
    document: 'lists-friends',
    expect: { status: 200, contains: ['<folder auid="resource-lists">'], lacks: ['pres-rules'] },
  },
  {
    id: 'directory-03',
    title: 'it cannot be written',
    method: 'PUT',
    target: directory,
    headers: { 'content-type': 'application/vnd.oma.xcap-directory+xml' },
    body: '<xcap-directory xmlns="urn:oma:xml:xdm:xcap-directory"/>',
    document: 'lists-friends',
    expect: { status: 405 },
    why: 'No user may ever write it; 405 says so more exactly than 403.',
  },
  {
    id: 'directory-04',
    title: 'that of somebody else',
    method: 'GET',
    target: directory.replace('alice', 'bob'),
    as: alice,
    expect: { status: 403 },
  },
  {
    id: 'group-01',
    title: 'a group by its URI, read by a member',
    method: 'GET',
    target: groupByUri,
    as: 'sip:bob@example.com',
    document: 'group',
    at: group,
    expect: { status: 200, contains: ['<join-handling>true</join-handling>'] },
  },
  {
    id: 'group-02',
    title: 'the same in the words of TS 24.481',
    method: 'GET',
    target: groupByUri.replace('byGroup', 'byGroupID'),
    as: 'sip:bob@example.com',
    document: 'group',
    at: group,
    expect: { status: 200 },
  },
  {
    id: 'group-03',
    title: 'by somebody who is no member',
    method: 'GET',
    target: groupByUri,
    as: 'mcptt-user',
    document: 'group',
    at: group,
    expect: { status: 403 },
    why: 'Members read a group by its own rules, nobody else does.',
  },
  {
    id: 'picture-01',
    title: 'a picture in its folder, the first document there',
    method: 'PUT',
    target: picture.replace(alice, escapedAlice),
    headers: { 'content-type': 'application/vnd.oma.pres-content+xml' },
    body: pictureBody,
    expect: { status: 201 },
  },
  {
    id: 'picture-02',
    title: 'the owner asks whether it has changed',
    method: 'GET',
    target: picture,
    headers: { 'if-none-match': '{etag}' },
    document: 'picture',
    at: picture,
    expect: { status: 304 },
  },
  {
    id: 'picture-03',
    title: 'somebody else does',
    method: 'GET',
    target: picture,
    headers: { 'if-none-match': '{etag}' },
    as: 'sip:bob@example.com',
    document: 'picture',
    at: picture,
    expect: { status: 403 },
    why: 'Pictures are for their owners unless XCAP_POLICIES lets watchers read them.',
  },
  {
    id: 'capabilities-01',
    title: 'a client looks whether pictures, rules and capabilities are served',
    method: 'GET',
    target: '/xcap-caps/global/index',
    headers: { accept: 'application/xcap-caps+xml' },
    expect: {
      status: 200,
      contains: [
        '<namespace>urn:ietf:params:xml:ns:xcap-caps</namespace>',
        '<namespace>urn:ietf:params:xml:ns:pres-rules</namespace>',
        '<namespace>urn:oma:xml:prs:pres-content</namespace>',
      ],
    },
  },
  {
    id: 'absent-01',
    title: 'a personal contact card of OMA CAB',
    method: 'PUT',
    target: `/org.openmobilealliance.cab-pcc/users/${alice}/PCC.xml/~~/pcc/person-details/name`,
    headers: element,
    body: '<name><first>Al</first></name>',
    expect: { status: 404 },
    why: 'The vocabulary of OMA CAB is not at hand, so there is no such usage.',
  },
  {
    id: 'absent-02',
    title: 'a search',
    method: 'POST',
    target: '/org.openmobilealliance.search?target=org.openmobilealliance.user-profile/users/',
    headers: { 'content-type': 'application/vnd.oma.search+xml' },
    body: '<search-set xmlns="urn:oma:xml:xdm:search"/>',
    expect: { status: 404 },
    why: 'The server is no Search Proxy.',
  },
];
