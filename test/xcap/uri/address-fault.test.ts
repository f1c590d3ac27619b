import fc from 'fast-check';
import t from 'tap';
import { addressFault } from '../../../src/xcap/uri/address-fault.js';

t.test('RFC 3261 §25.1: URIs of somebody', (t) => {
  for (const given of [
    'sip:dora@example.com',
    'SIPS:dora@EXAMPLE.com.:5061;transport=tls;lr;maddr=192.0.2.1?Subject=a%20b&Priority=&to=[x]/?:+$',
    'sip:dora:pa=$&+,ss@example.com',
    'sip:dora;x=@example.com',
    "sip:-_.!~*'()&=+$,;?/@example.com",
    'sip:do%20ra%40%3a@example.com',
    'sip:d\u00f8ra@b\u00fccher.example',
    'sip:dora@192.0.2.1',
    'sip:dora@[2001:db8::192.0.2.1]:5060;x=[y]/:&+$',
    'sip:dora@a-b.c1',
    'sip:dora@localhost:0',
    'sip:example.com;lr',
    'sip%3Adora%40example.com%3Bx%3D1',
    '%73ip:dora@example.com',
    'sip:dora%40example.com',
    'dora@example.com',
    'pres:dora@example.com',
    'im:dora@example.com',
    'tel:+1-(555).0100;ext=7;phone-context=example.com;x',
    'tel:*21%23;phone-context=+1555',
    'tel:100;Phone-Context=%2B1-555',
    'tel:100;phone-context=EXAMPLE.com.',
    'tel:+1 555 0100',
  ]) {
    t.equal(addressFault(given), undefined, given);
  }
  t.end();
});

t.test('what is none', (t) => {
  const cases: [given: string, why: string][] = [
    ['sip:do ra@example.com', 'it has a blank or a control character'],
    ['sip:do\u00a0ra@example.com', 'it has a blank or a control character'],
    ['sip:do\u202era@example.com', 'it has a blank or a control character'],
    ['sip:dora\n@example.com', 'it has a blank or a control character'],
    ['sip%3Ado%20ra%40example.com', 'it has a blank or a control character'],
    ['%73ip%3Ado%20ra%40example.com', 'it has a blank or a control character'],
    ['sip:<dora@example.com>', 'it has < without an escape'],
    ['"Dora" <sip:dora@example.com>', 'it has " without an escape'],
    ['sip:do\\ra@example.com', 'it has \\ without an escape'],
    ['sip:do%ra@example.com', 'it has a % that begins no escape'],
    ['sip:dora@example.com%', 'it has a % that begins no escape'],
    ['sip:dora@example.com/', 'it has / behind its host'],
    ['sip:dora@example.com#x', 'it has # behind its host'],
    ['sip:dora#x@example.com', 'it has # in its name'],
    ['sip:do[r]a@example.com', 'it has [ in its name'],
    ['sip:dora@example.com;x=@example.com', 'it has more than one @'],
    ['sip:dora@example.com?x=a@example.com', 'it has more than one @'],
    ['sip:dora@@example.com', 'it has more than one @'],
    ['sip:dora:a:b@example.com', 'it has a delimiter in its password'],
    ['sip:@example.com', 'its name is empty'],
    ['sip::x@example.com', 'its name is empty'],
    ['sip:dora@', 'it has no host'],
    ['sip:', 'it has no host'],
    ['sip:dora@example..com', 'example..com is no host'],
    ['sip:dora@-example.com', '-example.com is no host'],
    ['sip:dora@example-.com', 'example-.com is no host'],
    ['sip:dora@exam_ple.com', 'exam_ple.com is no host'],
    ['sip:dora@example.1', 'example.1 is no host'],
    ['sip:dora@192.0.2.256', '192.0.2.256 is no host'],
    ['sip:dora@[192.0.2.1]', '[192.0.2.1] is no host'],
    ['sip:dora@[fe80::1%25eth0]', '[fe80::1%25eth0] is no host'],
    ['sip:dora@[::1', '[::1 is no host'],
    ['sip:dora@example.com,evil.example', 'example.com,evil.example is no host'],
    ['sip:dora@example.com:', ': is no port'],
    ['sip:dora@example.com:a', ':a is no port'],
    ['sip:dora@example.com:65536', ':65536 is no port'],
    ['sip:dora@[::1]x', 'x is no port'],
    ['sip:dora@example.com;', '; is no parameter'],
    ['sip:dora@example.com;;x', '; is no parameter'],
    ['sip:dora@example.com;=x', ';=x is no parameter'],
    ['sip:dora@example.com;x=', ';x= is no parameter'],
    ['sip:dora@example.com;x=1=2', ';x=1=2 is no parameter'],
    ['sip:dora@example.com;x#y', ';x#y is no parameter'],
    ['sip:dora@example.com;x=1;X=2', 'it has the parameter X twice'],
    ['sip:dora@example.com?', "'' is no header"],
    ['sip:dora@example.com?x', "'x' is no header"],
    ['sip:dora@example.com?x=1&', "'' is no header"],
    ['sip:dora@example.com?x=1;y=2', "'x=1;y=2' is no header"],
    ['tel:', 'it has no telephone number'],
    ['tel:dora', 'it has no telephone number'],
    ['tel:+a', 'it has no telephone number'],
    ['tel:+1555;', '; is no parameter'],
    ['tel:+1555;x=a b', 'it has a blank or a control character'],
    ['tel:+1555;x=<', 'it has < without an escape'],
    ['tel:100;phone-context', ';phone-context is no context of a number'],
    ['tel:100;phone-context=+', ';phone-context=+ is no context of a number'],
    ['tel:100;phone-context=+1a', ';phone-context=+1a is no context of a number'],
    ['tel:100;phone-context=192.0.2.1', ';phone-context=192.0.2.1 is no context of a number'],
    ['tel:100;phone-context=example..com', ';phone-context=example..com is no context of a number'],
    [
      'tel:100;phone-context=b\u00fccher.example',
      ';phone-context=b\u00fccher.example is no context of a number',
    ],
    ['tel:100;phone-context=\uff45xample.com', ';phone-context=\uff45xample.com is no context of a number'],
    ['tel:100;phone-context=example.com/', ';phone-context=example.com/ is no context of a number'],
  ];
  for (const [given, why] of cases) t.equal(addressFault(given), why, given);
  t.end();
});

t.test('all that the grammar makes, and nothing with a delimiter in the wrong place', (t) => {
  const escape = fc.integer({ min: 0, max: 255 }).map((octet) => `%${octet.toString(16).padStart(2, '0')}`);
  const text = (characters: string, minLength = 1) =>
    fc
      .array(fc.oneof(fc.constantFrom(...Array.from(characters)), escape), { minLength, maxLength: 8 })
      .map((parts) => parts.join(''));
  const unreserved = "abzABZ019-_.!~*'()";
  const label = fc.constantFrom('a', 'example', 'a-1', '1a');
  const host = fc.oneof(
    fc.array(label, { maxLength: 3 }).map((labels) => [...labels, 'com'].join('.')),
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
  );
  const parameters = fc.array(
    fc.tuple(text(`[]/:&+$${unreserved}`), fc.option(text(`[]/:&+$${unreserved}`))),
    { maxLength: 3 },
  );
  const headers = fc.array(fc.tuple(text(`[]/?:+$${unreserved}`), text(`[]/?:+$${unreserved}`, 0)), {
    maxLength: 3,
  });
  const uri = fc
    .record({
      scheme: fc.constantFrom('sip:', 'SIPS:', 'pres:', ''),
      user: text(`&=+$,;?/${unreserved}`),
      password: fc.option(text(`&=+$,${unreserved}`, 0)),
      host,
      port: fc.option(fc.integer({ min: 0, max: 65_535 })),
      parameters,
      headers,
    })
    .map((parts) => {
      const tail = [
        parts.port === null ? '' : `:${String(parts.port)}`,
        // A number makes each name another one.
        ...parts.parameters.map(
          ([name, value], i) => `;${name}${String(i)}${value === null ? '' : `=${value}`}`,
        ),
        parts.headers.length === 0 ? '' : `?${parts.headers.map((header) => header.join('=')).join('&')}`,
      ].join('');
      // Without a scheme of its own the name must not look like one.
      const user = `u${parts.user}${parts.password === null ? '' : `:${parts.password}`}`;
      return { before: `${parts.scheme}${user}`, behind: `${parts.host}${tail}` };
    });
  fc.assert(
    fc.property(uri, ({ before, behind }) => addressFault(`${before}@${behind}`) === undefined),
    { numRuns: 5000 },
  );
  const stray = fc.constantFrom(
    ' ',
    '<',
    '>',
    '"',
    '\\',
    '^',
    '`',
    '{',
    '|',
    '}',
    '#',
    '@',
    '\t',
    '\u2028',
    '%',
  );
  fc.assert(
    fc.property(uri, fc.nat(), stray, ({ before, behind }, at, character) => {
      const text = `${before}@${behind}`;
      // An escape would go on behind a percent sign.
      const place = character === '%' ? text.length : at % (text.length + 1);
      return addressFault(text.slice(0, place) + character + text.slice(place)) !== undefined;
    }),
    { numRuns: 5000 },
  );
  t.end();
});
