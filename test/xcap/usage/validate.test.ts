import t from 'tap';
import { repeatedValues } from '../../../src/xcap/usage/contract.js';
import { startServer } from '../../fixtures/xcap-server.js';
import { readDocument } from '../../../src/xml/fence.js';

function children(xml: string) {
  const reading = readDocument(xml);
  if (!reading.ok) throw new Error(reading.refusal.message);
  return reading.value.root.children;
}

t.test('repeated values', (t) => {
  const elements = children('<r><e n="a"/><e n="b"/><e/><e n="a"/><e n="a-2"/><e n="a"/></r>');
  const failures = repeatedValues(elements, 'n', true);
  t.same(
    failures.map(({ element, alternatives }) => [elements.indexOf(element), alternatives]),
    [
      [3, ['a-3']],
      [5, ['a-4']],
    ],
  );
  t.same(repeatedValues(elements, 'n')[0]?.alternatives, [], 'a URI cannot be made up');
  // One name as often as a document can have it: a search from the start each time would not end.
  const many = children(`<r>${'<e n="a"/>'.repeat(49_000)}</r>`);
  t.same(repeatedValues(many, 'n', true).at(-1)?.alternatives, ['a-49000']);
  t.end();
});

t.test('§11.1: a uniqueness failure says where, and what would be free', async (t) => {
  const { send } = await startServer(t);
  const lists = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
  const body = `<r:resource-lists xmlns:r="urn:ietf:params:xml:ns:resource-lists"><r:list name="a"><r:entry uri="sip:x@example.com"/>
    <r:entry uri="sip:x@example.com"/></r:list><r:list name="a"/></r:resource-lists>`;
  const conflict = (await send('PUT', lists, { body })).body;
  t.match(conflict, '<exists field="resource-lists/list%5B1%5D/entry%5B2%5D/@uri"></exists>');
  t.match(conflict, '<exists field="resource-lists/list%5B2%5D/@name"><alt-value>a-2</alt-value></exists>');

  const rules = '/xcap-root/pres-rules/users/sip:alice@example.com/index';
  const ruleset = `<cp:ruleset xmlns:cp="urn:ietf:params:xml:ns:common-policy"><cp:rule id="r"/><cp:rule id="r"/></cp:ruleset>`;
  const policy = 'n1:ruleset/n1:rule%5B2%5D/@id?xmlns(n1=urn:ietf:params:xml:ns:common-policy)';
  t.match(
    (await send('PUT', rules, { body: ruleset })).body,
    `<exists field="${policy}"><alt-value>r-2</alt-value>`,
  );
});

t.test('§8.2.5: names that no schema of a known namespace has', async (t) => {
  const { send } = await startServer(t);
  const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
  const document = (content: string, attribute = '') =>
    `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:common-policy"
      xmlns:x="urn:x"><list ${attribute}>${content}</list></resource-lists>`;
  const cases: [body: string, status: number][] = [
    [document('<x:anything x:at="all"><cp:rule id="r"/></x:anything>'), 201],
    [document('<cp:unheard-of/>'), 409],
    [document('<x:anything><unheard-of/></x:anything>'), 409],
    [document('', 'x:at="all"'), 200],
    [document('', 'cp:unheard-of="1"'), 409],
    [document('<x:anything cp:unheard-of="1"/>'), 409],
    ['<list xmlns="urn:ietf:params:xml:ns:resource-lists"/>', 409],
  ];
  for (const [body, status] of cases) {
    const answer = await send('PUT', target, { body });
    t.equal(answer.status, status, body);
    if (status === 409) t.match(answer.body, '<schema-validation-error ');
  }
});
