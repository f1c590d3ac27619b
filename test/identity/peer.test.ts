import t from 'tap';
import { peer } from '../../src/identity/peer.js';
import { credentials } from '../fixtures/credentials.js';
import { startServer } from '../fixtures/xcap-server.js';

t.test('the address says who it is', async (t) => {
  const scheme = peer({
    peers: [
      { network: '10.0.0.5', identity: 'presence@EXAMPLE.com' },
      { network: '10.0.0.0/24', identity: 'rls' },
      { network: '2001:db8::/64', identity: 'sip:six@example.com' },
    ],
    defaultDomain: 'example.org',
  });
  const who = async (peerAddress: string, headers = {}) => {
    const finding = await scheme.identify(credentials({ peerAddress, headers }));
    return finding.kind === 'identified' ? finding.identities[0] : finding.kind;
  };
  for (const [address, identity] of [
    ['10.0.0.5', 'sip:presence@example.com'],
    ['::ffff:10.0.0.5', 'sip:presence@example.com'],
    ['10.0.0.6', 'sip:rls@example.org'],
    ['2001:db8::1', 'sip:six@example.com'],
    ['10.0.1.5', 'none'],
    ['', 'none'],
  ] as const) {
    t.equal(await who(address), identity, address);
  }
  t.equal(await who('10.0.0.5', { authorization: 'Basic eDp5' }), 'none', 'credentials are for others');
  t.equal(await who('192.0.2.1', { 'x-forwarded-for': '10.0.0.5' }), 'none');
});

t.test('a presence server without a header reads the rules of users, and writes none', async (t) => {
  const { send } = await startServer(t, {
    environment: {
      XCAP_IDENTITY_METHODS: 'asserted-identity,digest,peer',
      XCAP_PEERS: '127.0.0.1=sip:presence@example.com',
      XCAP_TRUSTED_ELEMENTS: 'sip:presence@example.com',
    },
  });
  const target = '/xcap-root/pres-rules/users/sip:alice@example.com/index';
  const body = '<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"/>';
  t.match(await send('PUT', target, { body }), { status: 201 });
  t.match(await send('GET', target, { as: null }), { status: 200, body });
  t.match(await send('PUT', target, { as: null, body }), { status: 403 });
  t.match(
    await send('GET', target, { as: 'sip:bob@example.com' }),
    { status: 403 },
    'an assertion comes first',
  );
  t.match(await send('GET', target, { as: null, headers: { host: 'evil.example' } }), { status: 421 });
});
