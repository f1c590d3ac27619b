import { element, rules, type CorpusCase } from './case.js';

const cr = 'xmlns(cr=urn:ietf:params:xml:ns:common-policy)';
const rule = (id: string, rest = '') => `${rules}/~~/cr:ruleset/cr:rule%5B@id=%22${id}%22%5D${rest}?${cr}`;

/** Presence rules, and the capabilities that presence clients look at. */
export const presence: readonly CorpusCase[] = [
  {
    id: 'presence-01',
    title: 'an unprefixed root is looked for in the namespace of presence rules',
    method: 'GET',
    target: `${rules}/~~/ruleset`,
    document: 'rules',
    expect: { status: 404 },
    why: 'RFC 5025 §9.3: the default document namespace is not that of the root.',
  },
  {
    id: 'presence-02',
    title: 'prefixed steps of common policy, an unprefixed step of presence rules',
    method: 'GET',
    target: rule('one', '/cr:actions/sub-handling'),
    document: 'rules',
    expect: { status: 200, body: '<pr:sub-handling>allow</pr:sub-handling>' },
  },
  {
    id: 'presence-03',
    title: 'a value that the schema does not have',
    method: 'PUT',
    target: rule('one', '/cr:actions/sub-handling'),
    headers: element,
    body: '<pr:sub-handling>perhaps</pr:sub-handling>',
    document: 'rules',
    expect: { status: 409, condition: 'schema-validation-error' },
  },
  {
    id: 'presence-04',
    title: 'a new rule, its prefixes declared by the document',
    method: 'PUT',
    target: rule('two'),
    headers: element,
    body: '<cr:rule id="two"><cr:conditions><cr:identity><cr:many domain="example.com"><cr:except id="sip:tim@example.com"/></cr:many></cr:identity></cr:conditions><cr:actions><pr:sub-handling>polite-block</pr:sub-handling></cr:actions></cr:rule>',
    document: 'rules',
    expect: { status: 201, contains: ['</cr:rule><cr:rule id="two">'] },
  },
  {
    id: 'presence-05',
    title: 'a document of another name is another document',
    method: 'GET',
    target: '/pres-rules/users/sip:alice@example.com/presrules',
    document: 'rules',
    expect: { status: 404 },
  },
  {
    id: 'presence-06',
    title: 'no rules yet',
    method: 'GET',
    target: rules,
    expect: { status: 404 },
  },
  {
    id: 'presence-07',
    title: 'the capabilities, which some clients insist on',
    method: 'GET',
    target: '/xcap-caps/global/index',
    headers: { accept: 'application/xcap-caps+xml', connection: 'close' },
    expect: {
      status: 200,
      contentType: 'application/xcap-caps+xml',
      contains: [
        '<auid>pres-rules</auid>',
        '<extensions/>',
        '<namespace>urn:ietf:params:xml:ns:xcap-caps</namespace>',
        '<namespace>urn:ietf:params:xml:ns:pres-rules</namespace>',
      ],
    },
  },
  {
    id: 'presence-08',
    title: 'the capabilities cannot be written',
    method: 'PUT',
    target: '/xcap-caps/global/index',
    headers: { 'content-type': 'application/xcap-caps+xml' },
    body: '<xcap-caps xmlns="urn:ietf:params:xml:ns:xcap-caps"><auids><auid>xcap-caps</auid></auids><extensions/><namespaces><namespace>urn:ietf:params:xml:ns:xcap-caps</namespace></namespaces></xcap-caps>',
    expect: { status: 405 },
    why: 'The document is made by the server, so the method does not exist for anybody.',
  },
];
