import fc from 'fast-check';
import t from 'tap';
import { canonicalHost, canonicalXui } from '../../../src/xcap/uri/xui.js';

t.test('§6.2: forms of one user', (t) => {
  const cases: [given: string, canonical: string, defaultDomain?: string][] = [
    ['sip:alice@example.com', 'sip:alice@example.com'],
    ['alice@example.com', 'sip:alice@example.com'],
    ['SIP:alice@EXAMPLE.com', 'sip:alice@example.com'],
    ['sip:Alice@example.com', 'sip:Alice@example.com'],
    ['sip:alice:secret@example.com', 'sip:alice@example.com'],
    ['alice:secret@example.com', 'sip:alice@example.com'],
    ['sip:alice:se:cr@et@Example.com', 'sip:alice@example.com'],
    ['sip:+15550100001:1234@ims.example.com', 'sip:+15550100001@ims.example.com'],
    ['sip:alice@Example.COM;user=phone', 'sip:alice@example.com'],
    ['sip:+15550100001@example.com;USER=Phone', 'sip:+15550100001@example.com'],
    [
      'sip:+15550100001@example.com;transport=tcp;user=phone;lr',
      'sip:+15550100001@example.com;lr;transport=tcp',
    ],
    ['sip:+15550100001@example.com;user=phone?subject=x', 'sip:+15550100001@example.com?subject=x'],
    ['sip:alice@example.com;user=phones', 'sip:alice@example.com;user=phones'],
    ['sip:alice@example.com;method=x', 'sip:alice@example.com;method=x'],
    ['+15550100001@example.com;user=phone', 'sip:+15550100001@example.com'],
    ['sips:alice@example.com', 'sips:alice@example.com'],
    ['TEL:+15550100001', 'tel:+15550100001'],
    ['tel:+1-555-010-0001', 'tel:+15550100001'],
    ['tel:+1 (555) 010.0001', 'tel:+15550100001'],
    ['tel:555-0100;phone-context=ims-1.example.com', 'tel:5550100;phone-context=ims-1.example.com'],
    ['sip:first-last.name@example.com', 'sip:first-last.name@example.com'],
    ['0a1b2c3d', '0a1b2c3d'],
    ['sip:%64ora@example.com', 'sip:dora@example.com'],
    ['sip:enc%2Dteam@example.com', 'sip:enc-team@example.com'],
    ['sip:dora%21%27%28%2a%29%7e@example.com', "sip:dora!'(*)~@example.com"],
    ['sip%3Adora%40example.com', 'sip:dora@example.com'],
    ['SIP%3adora%40example.com%3Buser%3Dphone', 'sip:dora@example.com'],
    ['sip%3Adora@example.com', 'sip:dora@example.com'],
    ['%73ip%3A%64ora%40example.com', 'sip:dora@example.com'],
    ['%73ip:dora@example.com', 'sip:dora@example.com'],
    ['dora%40example.com', 'sip:dora@example.com', 'home.example'],
    ['sip:dora%40example.com', 'sip:dora@example.com'],
    ['sip:dora@example%2ecom', 'sip:dora@example.com'],
    ['sip:dora@example%2Ecom%2E', 'sip:dora@example.com'],
    ['sip:dora@example.com.', 'sip:dora@example.com'],
    ['sip:dora@example.com.:5060', 'sip:dora@example.com:5060'],
    ['sip:dora@EXAMPLE.com:', 'sip:dora@example.com'],
    ['sip:dora@example.com..', 'sip:dora@example.com..'],
    ['sip:dora@%65xample.com', 'sip:dora@example.com'],
    ['sip:dora@b%C3%BCcher.example', 'sip:dora@xn--bcher-kva.example'],
    ['sip:dora@B\u00dcCHER.example\u3002', 'sip:dora@xn--bcher-kva.example'],
    ['sip:dora@[2001:DB8:0::1]:5060', 'sip:dora@[2001:db8::1]:5060'],
    ['sip:Example.COM.', 'sip:example.com'],
    ['sip:alice%3Ax@example.com', 'sip:alice%3Ax@example.com'],
    ['alice%3ax@example.com', 'sip:alice%3Ax@example.com'],
    ['sip:alice%3ax:secret@example.com', 'sip:alice%3Ax@example.com'],
    ['sip:alice%40example.com@example.net', 'sip:alice%40example.com@example.net'],
    ['sip:alice%2fx%3b%3f%2c@example.com', 'sip:alice%2Fx%3B%3F%2C@example.com'],
    ['sip:%2B15550100001@example.com', 'sip:+15550100001@example.com'],
    ['sip:a%2541@example.com', 'sip:a%2541@example.com'],
    ['sip:100%@example.com', 'sip:100%25@example.com'],
    ['sip:a%4%31@example.com', 'sip:a%2541@example.com'],
    ['sip:%c3%a9%ff%c2%85@example.com', 'sip:\u00e9%FF%C2%85@example.com'],
    ['sip:a\u0085\0@example.com', 'sip:a%C2%85%00@example.com'],
    ['sip:conf@example.com;B=%61;A=X%2f', 'sip:conf@example.com;a=x%2F;b=a'],
    ['tel:%2B1%2D555(010)%2E0001', 'tel:+15550100001'],
    ['tel%3A%2B1555', 'tel:+1555'],
    ['tel:*21%23', 'tel:*21#'],
    ['tel:555-0100;isub=1;Phone-Context=+1-2', 'tel:5550100;isub=1;phone-context=+12'],
    ['tel:555;phone-context=Ims-1.Example.com', 'tel:555;phone-context=ims-1.example.com'],
    ['HTTP://Example.COM.:80/%7ea/B%2fc', 'http://example.com:80/~a/B%2Fc'],
    ['URN:GSMA:imei:1', 'urn:gsma:imei:1'],
    ['alice', 'sip:alice@home.example', 'Home.example'],
    ['%61lice', 'sip:alice@home.example', 'Home.example.'],
    ['alice@example.com', 'sip:alice@example.com', 'home.example'],
    ['tel:+15550100001', 'tel:+15550100001', 'home.example'],
  ];
  for (const [given, canonical, defaultDomain] of cases) {
    t.equal(canonicalXui(given, defaultDomain), canonical, given);
    t.equal(canonicalXui(canonical, defaultDomain), canonical, `${canonical} is canonical`);
  }
  t.end();
});

/** Spells each character as it is, or as an escape in either case. */
function respelled(text: string): fc.Arbitrary<string> {
  const spellings = Array.from(text).map((character) => {
    const escaped = [...Buffer.from(character)]
      .map((octet) => `%${octet.toString(16).padStart(2, '0')}`)
      .join('');
    return fc.constantFrom(character, escaped, escaped.toUpperCase());
  });
  return fc.tuple(...spellings).map((parts) => parts.join(''));
}

function inAnyCase(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(...Array.from(text).map((character) => fc.constantFrom(character, character.toUpperCase())))
    .map((parts) => parts.join(''));
}

function textOf(characters: string, minLength = 1): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...Array.from(characters)), minLength, maxLength: 8 });
}

function encoded(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, (character) => encodeURIComponent(character));
}

t.test('RFC 3261 §19.1.4: two spellings of one URI have one form', (t) => {
  const parts = fc.record({
    user: textOf("abXYZ019-_.!~*'()+\u00e9 "),
    labels: fc.array(textOf('abz09'), { minLength: 1, maxLength: 3 }),
    parameters: fc.array(textOf('abz='), { maxLength: 3 }),
  });
  const spelled = parts.chain(({ user, labels, parameters }) => {
    const host = labels.join('.');
    const given = `sip:${user}@${[host, ...parameters].join(';')}`;
    const spelling = fc
      .record({
        scheme: inAnyCase('sip'),
        user: respelled(user),
        password: fc.constantFrom('', ':secret', ':se%40cret'),
        host: inAnyCase(host).chain(respelled),
        dot: fc.constantFrom('', '.', '%2e'),
        parameters: fc
          .shuffledSubarray(parameters, { minLength: parameters.length })
          .chain((shuffled) => fc.tuple(...shuffled.map((parameter) => inAnyCase(parameter)))),
        phone: fc.constantFrom('', ';user=phone', ';USER=Phone'),
        isWhole: fc.boolean(),
      })
      .map(({ scheme, user, password, host, dot, parameters, phone, isWhole }) => {
        const uri = `${scheme}:${user}${password}@${[`${host}${dot}`, ...parameters].join(';')}${phone}`;
        return isWhole ? encoded(uri) : uri;
      });
    return fc.tuple(fc.constant(given), spelling);
  });
  fc.assert(
    fc.property(spelled, ([given, spelling]) => canonicalXui(given) === canonicalXui(spelling)),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('the form is its own form, whatever it was made of', (t) => {
  const pieces = [
    'sip:',
    'SIP%3a',
    'tel:',
    'http://',
    'urn:',
    '%',
    '%2',
    '%4',
    '40',
    '3a',
    '%25',
    '%c3',
    '%A9',
    '%2e',
  ];
  const delimiters = [
    ...Array.from('@:;?/#[].-+,=& '),
    '\u00c9',
    '\u0130',
    '\u212a',
    '\u3002',
    '\ud800',
    'xn--',
    'user=phone',
    'A',
    '\u0085',
  ];
  const anything = fc
    .array(fc.oneof(fc.constantFrom(...pieces, ...delimiters), fc.string({ maxLength: 3 })), {
      maxLength: 12,
    })
    .map((parts) => parts.join(''));
  const isFixed = (identifier: string, defaultDomain: string | undefined) => {
    const canonical = canonicalXui(identifier, defaultDomain);
    return canonicalXui(canonical, defaultDomain) === canonical && canonicalXui(canonical) === canonical;
  };
  fc.assert(fc.property(anything, fc.constantFrom(undefined, 'Home.example'), isFixed), { numRuns: 20_000 });
  t.end();
});

t.test('hosts', (t) => {
  const cases: [given: string, canonical: string][] = [
    ['Example%2ECOM.', 'example.com'],
    ['b\u00fccher.example', 'xn--bcher-kva.example'],
    ['[2001:DB8::0:1]', '[2001:db8::1]'],
    ['[zz]', '[zz]'],
    ['.', '.'],
  ];
  for (const [given, canonical] of cases) t.equal(canonicalHost(given), canonical, given);
  t.end();
});
