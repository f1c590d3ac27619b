import t from 'tap';
import { beginningsMeant, identitiesMeant, identityFault } from '../../src/subscribers/identity-forms.js';
import { canonicalXui } from '../../src/xcap/uri/xui.js';

t.test('identities that somebody can have', (t) => {
  for (const given of [
    'sip:alice@example.com',
    'alice@example.com',
    'sips:alice@example.com:5061',
    'sip:alice@[2001:db8::1]',
    'sip:alice@192.0.2.1',
    'sip:+15550100@example.com;user=phone',
    'sip:a%3Ab@example.com',
    'sip:presence.example.com',
    'tel:+1-555-0100',
    'tel:0100;phone-context=example.com',
    'tel:*21#',
    'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'mailto:alice@example.com',
    'http://example.com/alice',
    '0a1b2c3d',
    'mcptt-device.7',
    'sip:a;b?c/d=e&f$g,h+i@example.com;x=[y]/:&+$',
    'sip:alice@example.com.',
    'sips:alice@[::ffff:192.0.2.1]:65535',
    'sip:\u00e4lice@b\u00fccher.example',
    'xmpp:alice@example.com',
  ]) {
    t.equal(identityFault(canonicalXui(given)), undefined, given);
  }
  t.end();
});

t.test('what nobody can have', (t) => {
  for (const given of [
    'not a uri',
    'sip:',
    'sip:alice@',
    'sip:@example.com',
    'sip:a@b@example.com',
    'sip:alice@exam ple.com',
    'alice@-',
    'tel:',
    'tel:alice',
    'tel:+',
    'urn:',
    'sip:alice@example.com:port',
    'alice:secret',
    '',
  ]) {
    t.match(identityFault(canonicalXui(given)), /is not the identity of anybody/, given);
  }
  t.end();
});

t.test('why nobody can have it', (t) => {
  const cases: [given: string, why: RegExp][] = [
    ['sip:al ice@example.com', /because it has a blank or/],
    ['sip:al%20ice@example.com', /because it has a blank or/],
    ['sip:<alice@example.com>', /because it has < without an escape/],
    ['sip:alice@example.com/', /because it has \/ behind its host/],
    ['sip:alice@example.com#x', /because it has # behind its host/],
    ['sip:alice@example.com;x=@example.com', /because it has more than one @/],
    ['sip:100%@example.com', /because it has a % that begins no escape/],
    ['alice@example..com', /because example\.\.com is no host/],
    ['sip:alice@example.com:70000', /because :70000 is no port/],
    ['sip:alice@example.com;', /because ; is no parameter/],
    ['sip:alice@example.com?subject=x', /because it has headers/],
    ['pres:example.com', /because it has no name/],
    ['tel:+1555;x=<', /because it has < without an escape/],
    ['tel:+1555;ext=1;ext=2', /because it has the parameter ext twice/],
    ['tel:+fee', /because it has no telephone number/],
  ];
  for (const [given, why] of cases) t.match(identityFault(given), why, given);
  t.equal(identityFault('alice', 'example.com'), undefined);
  t.equal(identityFault('+1555', 'example.com'), undefined);
  t.match(identityFault('al ice', 'example.com'), /because it has a blank/);
  t.end();
});

t.test('whom somebody may mean', (t) => {
  const cases: [given: string, meant: readonly string[]][] = [
    ['alice', ['sip:alice@example.com']],
    ['sip:alice@example.com', ['sip:alice@example.com']],
    ['+1 555-0100', ['sip:+1 555-0100@example.com', 'tel:+15550100']],
    ['+15550100', ['sip:+15550100@example.com', 'tel:+15550100']],
    ['sip:+15550100', ['sip:+15550100', 'sip:+15550100@example.com', 'tel:+15550100']],
    ['tel:alice', ['tel:alice', 'sip:alice@example.com']],
  ];
  for (const [given, meant] of cases) t.same(identitiesMeant(given, 'example.com'), meant, given);
  t.end();
});

t.test('how identities may begin', (t) => {
  t.same(beginningsMeant('al'), ['sip:al', 'al']);
  t.same(beginningsMeant('sip:al'), ['sip:al']);
  t.same(beginningsMeant('+1 555'), ['sip:+1 555', 'tel:+1555', '+1 555']);
  t.end();
});
