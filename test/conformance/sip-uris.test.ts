/** Wherever the URI of somebody may stand in a document, RFC 3261 says what a URI is, not the xs:anyURI of libxml2. */
import t from 'tap';
import { startServer } from '../fixtures/xcap-server.js';

const simservs = 'http://uri.etsi.org/ngn/params/xml/simservs/xcap';
const policy = 'urn:ietf:params:xml:ns:common-policy';

/** A document that has the URI where its first part says. */
const places: readonly (readonly [
  place: string,
  target: string,
  mediaType: string,
  around: (uri: string) => string,
])[] = [
  [
    'entry',
    'resource-lists',
    'application/resource-lists+xml',
    (uri) =>
      `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="${uri}"/></list></resource-lists>`,
  ],
  [
    'contact',
    'pidf-manipulation',
    'application/pidf+xml',
    (uri) =>
      `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com"><tuple id="a"><status/><contact>${uri}</contact></tuple></presence>`,
  ],
  [
    'forward-to target',
    'simservs.ngn.etsi.org',
    'application/vnd.etsi.simservs+xml',
    (uri) =>
      `<simservs xmlns="${simservs}" xmlns:cp="${policy}"><communication-diversion><cp:ruleset><cp:rule id="a"><cp:actions><forward-to><target>${uri}</target></forward-to></cp:actions></cp:rule></cp:ruleset></communication-diversion></simservs>`,
  ],
  [
    'identity of flexible alerting',
    'simservs.ngn.etsi.org',
    'application/vnd.etsi.simservs+xml',
    (uri) =>
      `<simservs xmlns="${simservs}"><flexible-alerting-specific><identity>${uri}</identity></flexible-alerting-specific></simservs>`,
  ],
  [
    'one',
    'pres-rules',
    'application/auth-policy+xml',
    (uri) =>
      `<cp:ruleset xmlns:cp="${policy}"><cp:rule id="a"><cp:conditions><cp:identity><cp:one id="${uri}"/></cp:identity></cp:conditions></cp:rule></cp:ruleset>`,
  ],
  [
    'except',
    'pres-rules',
    'application/auth-policy+xml',
    (uri) =>
      `<cp:ruleset xmlns:cp="${policy}"><cp:rule id="a"><cp:conditions><cp:identity><cp:many><cp:except id="${uri}"/></cp:many></cp:identity></cp:conditions></cp:rule></cp:ruleset>`,
  ],
];

t.test('brackets that no URI has are told with what to write instead', async (t) => {
  const { send } = await startServer(t);
  const put = (uri: string) =>
    send('PUT', '/xcap-root/resource-lists/users/sip:alice@example.com/index', {
      body: `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="${uri}"/></list></resource-lists>`,
    });
  t.match(await put('sip:[bob]@example.com'), { status: 409, body: /%5B for \[ and %5D for \]/ });
  t.notMatch((await put('sip:b%zz@example.com')).body, '%5B');
  t.equal((await put('sip:%5Bbob%5D@example.com')).status, 201);
});

t.test('URIs with brackets', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const uris: [uri: string, status: number, except?: string][] = [
    ['sip:bob@[2001:db8::1]', 201],
    ['sip:[2001:db8::1]', 201],
    [' SIPS:bob@[2001:db8::1]:5061;transport=tls ', 201],
    ['pres:bob@[::ffff:192.0.2.1]', 201],
    ['sip:bob:secret@[2001:db8::1]?subject=a', 201],
    ['sip:bob@example.com;maddr=[2001:db8::1]', 201],
    ['tel:+15550100002;ext=[1]', 201],
    ['http://[2001:db8::1]:8080/x', 201],
    ['sip:bob@[2001:db8::1', 409],
    ['sip:bob@2001:db8::1]', 409],
    ['sip:bob@[example.com]', 409],
    ['sip:bo[b]@example.com', 409],
    ['sip:bob@[2001:db8::1] x', 409],
    ['[2001:db8::1]', 409],
  ];
  for (const [place, auid, mediaType, around] of places) {
    for (const [index, [uri, status]] of uris.entries()) {
      const target = `/${auid}/users/sip:alice@example.com/d${String(index)}-${encodeURIComponent(place)}`;
      const put = await send('PUT', target, { headers: { 'content-type': mediaType }, body: around(uri) });
      t.equal(put.status, status, `${place}: ${uri} ${put.body}`);
    }
  }
});

t.test('a user of an IPv6 domain has presence and services', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const put = await send('PUT', '/pidf-manipulation/users/sip:100@%5B2001:db8::1%5D/index', {
    as: 'sip:100@[2001:db8::1]',
    headers: { 'content-type': 'application/pidf+xml' },
    body: '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:100@[2001:db8::1]"/>',
  });
  t.equal(put.status, 201, put.body);
  const services = (domain: string) =>
    send('PUT', '/rls-services/users/sip:100@%5B2001:db8::1%5D/index', {
      as: 'sip:100@[2001:db8::1]',
      headers: { 'content-type': 'application/rls-services+xml' },
      body: `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="sip:all@${domain}"><list/><packages/></service></rls-services>`,
    });
  t.equal((await services('[2001:DB8:0::1]:5061')).status, 201);
  t.equal((await services('[2001:db8::2]')).status, 409, 'of their own');
});
