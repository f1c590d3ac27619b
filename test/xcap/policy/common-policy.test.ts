import t from 'tap';
import {
  actionsOf,
  domainOf,
  readerOf,
  rulesThatHold,
  type ConditionJudge,
} from '../../../src/xcap/policy/common-policy.js';
import { attributeOf } from '../../../src/xml/source-tree.js';
import { read } from '../../fixtures/source.js';

function ruleset(rules: Readonly<Record<string, string>>) {
  const texts = Object.entries(rules).map(([id, rule]) => `<rule id="${id}">${rule}</rule>`);
  return read(
    `<ruleset xmlns="urn:ietf:params:xml:ns:common-policy" xmlns:ocp="urn:oma:xml:xdm:common-policy"
      xmlns:x="urn:example:conditions">${texts.join('')}</ruleset>`,
  ).root;
}

function idsThatHold(
  rules: Readonly<Record<string, string>>,
  xuis: readonly string[],
  judge?: ConditionJudge,
): (string | undefined)[] {
  return rulesThatHold(ruleset(rules), readerOf(xuis), judge).map((rule) => attributeOf(rule, 'id')?.value);
}

const bob = ['sip:bob@example.com'];
const bobWithNumber = ['sip:bob@example.com', 'tel:+15550100002'];
const carol = ['sip:carol@sub.example.com'];
const device = ['0a1b2c3d'];

t.test('§7: conditions of one rule', (t) => {
  const cases: [conditions: string, xuis: readonly string[], holds: boolean][] = [
    // §7: no conditions, no restriction.
    ['', bob, true],
    ['', [], false],
    // §7.1.1: one child is enough.
    ['<identity/>', bob, false],
    ['<identity><one id="sip:bob@example.com"/></identity>', bob, true],
    ['<identity><one id="sip:eve@example.com"/><one id="sip:bob@example.com"/></identity>', bob, true],
    ['<identity><one id="sip:eve@example.com"/><x:one/></identity>', bob, false],
    ['<identity><one id="sip:bob@example.com"/><x:one/></identity>', bob, true],
    [
      '<identity><one id="sip:bob@example.com"/></identity><identity><one id="sip:eve@example.com"/></identity>',
      bob,
      false,
    ],
    // §7.1.2, §7.2: identities compare as XUIs do.
    ['<identity><one id=" SIP:bob@EXAMPLE.com "/></identity>', bob, true],
    ['<identity><one id="bob@example.com"/></identity>', bob, true],
    ['<identity><one id="sip:Bob@example.com"/></identity>', bob, false],
    ['<identity><one id="sips:bob@example.com"/></identity>', bob, false],
    ['<identity><one id="tel:+15550100002"/></identity>', bobWithNumber, true],
    ['<identity><one id="tel:+15550100002"/></identity>', bob, false],
    ['<identity><one id="0a1b2c3d"/></identity>', device, true],
    ['<identity><one id="sip:bob@example.com"><x:at-work/></one></identity>', bob, false],
    // §7.1.3.1: everybody.
    ['<identity><many/></identity>', bob, true],
    ['<identity><many/></identity>', device, true],
    ['<identity><many><x:at-work/></many></identity>', bob, false],
    // §7.1.3.2: everybody but.
    ['<identity><many><except id="sip:bob@example.com"/></many></identity>', bob, false],
    ['<identity><many><except id="sip:bob@example.com"/></many></identity>', carol, true],
    ['<identity><many><except id="sip:bob@example.com"/></many></identity>', bobWithNumber, false],
    ['<identity><many><except domain="example.com"/></many></identity>', bobWithNumber, false],
    ['<identity><many><except domain="example.com"/></many></identity>', carol, true],
    ['<identity><many><except domain="example.com"/></many></identity>', device, true],
    [
      '<identity><many><except domain="example.org"/><except id="sip:bob@example.com"/></many></identity>',
      bob,
      false,
    ],
    ['<identity><many><except/></many></identity>', bob, true],
    [
      '<identity><many><except id="sip:bob@example.com"/></many><one id="sip:bob@example.com"/></identity>',
      bob,
      true,
    ],
    // §7.1.3.3: everybody of a domain.
    ['<identity><many domain="example.com"/></identity>', bob, true],
    ['<identity><many domain="EXAMPLE.com"/></identity>', bob, true],
    ['<identity><many domain="ex%61mple.com"/></identity>', bob, true],
    ['<identity><many domain="example.com"/></identity>', carol, false],
    ['<identity><many domain="example.com"/></identity>', ['tel:+15550100002'], false],
    ['<identity><many domain=""/></identity>', device, false],
    ['<identity><many domain="%E0%A4%A"/></identity>', bob, false],
    ['<identity><many domain="bücher.example"/></identity>', ['sip:bob@xn--bcher-kva.example'], true],
    ['<identity><many domain="example.com"><except id="sip:bob@example.com"/></many></identity>', bob, false],
    ['<identity><many domain="example.com"><except id="sip:eve@example.com"/></many></identity>', bob, true],
    // §7.3, §7.4: neither the sphere nor the time is known.
    ['<sphere value="work"/>', bob, false],
    ['<identity><one id="sip:bob@example.com"/></identity><sphere value="work"/>', bob, false],
    ['<validity><from>2000-01-01T00:00:00Z</from><until>2100-01-01T00:00:00Z</until></validity>', bob, false],
    // OMA XDM. Who asks is never anonymous here, and lists in other documents are not looked up.
    ['<ocp:anonymous-request/>', bob, false],
    ['<ocp:external-list><entry anc="http://example.com/l"/></ocp:external-list>', bob, false],
    ['<ocp:other-identity/>', bob, true],
    ['<ocp:other-identity/><sphere value="work"/>', bob, false],
    // §7: what is not known does not hold.
    ['<x:full-moon/>', bob, false],
  ];
  for (const [conditions, xuis, holds] of cases) {
    const given = `${conditions} for ${xuis.join(', ')}`;
    t.same(idsThatHold({ r: `<conditions>${conditions}</conditions>` }, xuis), holds ? ['r'] : [], given);
  }
  t.same(idsThatHold({ r: '' }, bob), ['r'], 'no conditions element');
  t.end();
});

t.test('OMA XDM: other-identity is who is named by no other rule', (t) => {
  const others = '<conditions><ocp:other-identity/></conditions>';
  const cases: [rule: string, xuis: readonly string[], holds: boolean][] = [
    ['<identity><one id="sip:eve@example.com"/></identity>', bob, true],
    ['<identity><one id="sip:bob@example.com"/></identity>', bob, false],
    ['<identity><one id="tel:+15550100002"/></identity>', bobWithNumber, false],
    ['<identity><one id="sip:eve@example.com"/></identity><sphere value="work"/>', bob, true],
    ['<identity><one id="sip:bob@example.com"/></identity><sphere value="work"/>', bob, false],
    ['<identity><x:one/></identity>', bob, false],
    // The list may be the one of those who are blocked.
    ['<ocp:external-list/>', bob, false],
    ['<ocp:external-list/><identity><one id="sip:eve@example.com"/></identity>', bob, true],
    ['<x:full-moon/>', bob, false],
    // These name nobody who is authenticated.
    ['<ocp:anonymous-request/>', bob, true],
    ['<ocp:other-identity/>', bob, true],
    ['<sphere value="work"/>', bob, true],
    ['', bob, true],
  ];
  for (const [conditions, xuis, holds] of cases) {
    const ids = idsThatHold({ others, rule: `<conditions>${conditions}</conditions>` }, xuis);
    t.equal(ids.includes('others'), holds, `${conditions} for ${xuis.join(', ')}`);
  }
  t.end();
});

t.test('conditions of another vocabulary', (t) => {
  const rules = {
    member: '<conditions><x:member/></conditions>',
    other: '<conditions><ocp:other-identity/></conditions>',
  };
  t.same(
    idsThatHold(rules, bob, () => true),
    ['member'],
  );
  t.same(
    idsThatHold(rules, bob, () => false),
    ['other'],
  );
  t.same(
    idsThatHold(rules, bob, () => undefined),
    [],
  );
  t.end();
});

t.test('actions', (t) => {
  const [rule] = rulesThatHold(ruleset({ r: '<actions><x:wave/><x:smile/></actions>' }), readerOf(bob));
  t.same(rule && actionsOf(rule).map(({ localName }) => localName), ['wave', 'smile']);
  t.end();
});

t.test('domains', (t) => {
  const cases: [uri: string, domain: string | undefined][] = [
    ['sip:bob@Example.COM', 'example.com'],
    ['bob@example.com', 'example.com'],
    ['sips:bob@example.com:5061;transport=tcp?subject=x', 'example.com'],
    ['sip:bob@[2001:DB8::1]:5060', '[2001:db8::1]'],
    ['mailto:bob@example.com', 'example.com'],
    ['sip:example.com', undefined],
    ['sip:bob@', undefined],
    ['sip:bob@exa mple.com', undefined],
    ['tel:+15550100002', undefined],
    ['0a1b2c3d', undefined],
  ];
  for (const [uri, domain] of cases) t.equal(domainOf(uri), domain, uri);
  t.end();
});

t.test(
  '§7: the conditions of a long ruleset are judged once, however many rules are about all others',
  (t) => {
    const count = 500;
    const rules = Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `r${String(i)}`,
        '<conditions><x:elsewhere/><ocp:other-identity/></conditions>',
      ]),
    );
    let judged = 0;
    const ids = idsThatHold(rules, bob, () => {
      judged++;
      return false;
    });
    t.same(ids, []);
    t.ok(judged <= 2 * count, `${String(judged)} times for ${String(count)} conditions`);
    t.end();
  },
);
