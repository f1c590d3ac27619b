import t from 'tap';
import { chooseIdentity } from '../../src/identity/intended-identity.js';
import { thrown } from '../fixtures/thrown.js';

const identities = ['sip:alice@example.com', 'tel:+4930123', 'sip:+4930123@example.com'] as const;
const [alice, number, withNumber] = identities;

t.test('X-3GPP-Intended-Identity', (t) => {
  const cases: readonly [header: string | string[] | undefined, expected: readonly string[] | 403][] = [
    [undefined, identities],
    ['', identities],
    ['""', identities],
    ['"sip:alice@example.com"', identities],
    ['"tel:+4930123"', [number, alice, withNumber]],
    ['tel:+4930123', [number, alice, withNumber]],
    ['"sip:+4930123@EXAMPLE.com"', [withNumber, alice, number]],
    ['"sip:%2B4930123@example.com"', [withNumber, alice, number]],
    ['alice', identities],
    ['"sip:alice:secret@example.com"', identities],
    ['"tel:+4930123", "tel:+4930123"', [number, alice, withNumber]],
    ['"sip:bob@example.com"', 403],
    ['"sip:alice@example.net"', 403],
    // Two of them: which is meant?
    ['"tel:+4930123", "sip:alice@example.com"', 403],
    [['"tel:+4930123"', '"sip:bob@example.com"'], 403],
  ];
  for (const [header, expected] of cases) {
    const choose = () => chooseIdentity(identities, header, 'example.com');
    const name = JSON.stringify(header);
    if (expected === 403) t.match(thrown(choose), { name: 'Refusal', status: 403 }, name);
    else t.strictSame(choose(), expected, name);
  }
  t.end();
});

t.test('what the client sends is not repeated', (t) => {
  const error = thrown(() => chooseIdentity(identities, '"sip:bob@example.com"', undefined));
  t.notMatch(String(error), /bob/);
  t.end();
});
