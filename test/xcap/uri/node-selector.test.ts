import t from 'tap';
import { thrown } from '../../fixtures/thrown.js';
import { readDocument } from '../../../src/xml/fence.js';
import { selectNode } from '../../../src/xcap/document/locate.js';
import { encodeSteps, parseNodeSelector } from '../../../src/xcap/uri/node-selector.js';
import { Refusal } from '../../../src/xcap/refusal.js';

const xml = `<list xmlns="urn:d" xmlns:p="urn:p" p:kind="k" kind="plain">
  <entry uri="sip:a@example.com" xml:lang="en">1</entry>
  <!-- <entry/> -->
  <p:entry uri="sip:a@example.com"/>
  <entry uri="x/y]&quot;&amp;'~~/z"><name>n</name></entry>
  <entry uri="sip:b@example.com" p:rank="1"/>
  <other xmlns=""><inner/></other>
</list>`;

const reading = readDocument(xml);
if (!reading.ok) throw new Error(reading.refusal.message);
const { root } = reading.value;

/** What the selector selects in the document above, in source text; or the status of its refusal. */
function select(selector: string, query = ''): string | number | undefined {
  try {
    const parsed = parseNodeSelector({ selector, query }, () => 'urn:d').selector;
    const node = selectNode(root, parsed);
    if (node === undefined) return undefined;
    if (node.kind === 'attribute') return `@${node.attribute.value}`;
    const text = xml.slice(node.element.start, node.element.end);
    return node.kind === 'element' ? text : `namespaces of ${text}`;
  } catch (error) {
    return error instanceof Refusal ? error.status : -1;
  }
}

const first = '<entry uri="sip:a@example.com" xml:lang="en">1</entry>';
const second = '<p:entry uri="sip:a@example.com"/>';
const third = `<entry uri="x/y]&quot;&amp;'~~/z"><name>n</name></entry>`;
const fourth = '<entry uri="sip:b@example.com" p:rank="1"/>';
const p = 'xmlns(p=urn:p)';

t.test('§6.3: what selectors select', (t) => {
  const cases: [selector: string, selected: string | number | undefined, query?: string][] = [
    ['list', xml],
    ['list/', xml],
    ['*', xml],
    ['list/entry[1]', first],
    ['list/entry%5b1%5D', first],
    ['list/entry[2]', third],
    ['list/*[2]', second],
    ['list/*[2][@uri="sip:a@example.com"]', second],
    ['list/*[1][@uri="sip:b@example.com"]', undefined],
    ['list/entry[@uri="sip:b@example.com"]', fourth],
    ['list/entry[@uri=%22sip:b%40example.com%22]', fourth],
    ["list/entry[%40uri='sip:b@example.com']", fourth],
    ['list/entry[3][@uri="sip:b@example.com"]', fourth],
    ['list/p:entry', second, p],
    ['list/q:entry', second, `xmlns(unused=urn:u)xmlns(q=urn:p)`],
    ['d:list/d:entry[1]', first, 'xmlns(d=urn:d)'],
    ['list/*[@p:rank="1"]', fourth, p],
    ['list/*[@xml:lang="en"]', first],
    ['list/entry[2]/name', '<name>n</name>'],
    // A value in either quote, with references, and with what would split a path elsewhere.
    [`list/entry[@uri="x/y]%26quot;%26amp;'~~/z"]`, third],
    [`list/entry[@uri='x/y]"%26amp;%26apos;~~/z']`, third],
    [`list/entry[@uri='x/y]%26%2334;%26%23x26;%26apos;~~/z']`, third],
    // An ampersand that begins no reference is meant as one.
    [`list/entry[@uri='x/y]"&%26apos;~~/z']`, third],
    ['list/@kind', '@plain'],
    ['list/%40kind', '@plain'],
    ['list/@p:kind', '@k', p],
    ['list/entry[1]/@uri', '@sip:a@example.com'],
    ['list/entry[1]/@xml:lang', '@en'],
    ['list/entry[1]/namespace::*', `namespaces of ${first}`],
    // No match, several matches.
    ['entry', undefined],
    ['list/entry', undefined],
    ['list/entry/name', undefined],
    ['list/entry[5]', undefined],
    ['list/entry[0]', undefined],
    ['list/other', undefined],
    ['list/*[@uri="sip:a@example.com"]', undefined],
    ['list/@nothing', undefined],
    ['list/@xmlns', undefined],
    ['list/@xmlns:p', undefined],
    ['list/*[@xmlns=""]', undefined],
    // §8: an undeclared prefix is 400.
    ['list/p:entry', 400],
    ['list/*[@p:rank="1"]', 400],
    ['list/@p:kind', 400],
    ['list/p:entry', 400, 'xmlns(P=urn:p)'],
    ['list/%zz', 400],
    ['list/%ff', 400],
    // §8: what is not understood is 404.
    ['', 404],
    ['/', 404],
    ['list//entry', 404],
    ['list/entry[', 404],
    ['list/entry[]', 404],
    ['list/entry[x]', 404],
    ['list/entry[-1]', 404],
    ['list/entry[1', 404],
    ['list/entry[@uri]', 404],
    ['list/entry[@uri=sip:a@example.com]', 404],
    ['list/entry[@uri="a<b"]', 404],
    ['list/entry[@uri="%26unknown;"]', 404],
    ['list/entry[@uri="sip:b@example.com"][4]', 404],
    ['list/entry[last()]', 404],
    ['list/text()', 404],
    ['list/..', 404],
    ['//entry', 404],
    ['@kind', 404],
    ['list/@*', 404],
    ['list/@kind/x', 404],
    ['list/namespace::p', 404],
    ['list/namespace::*/x', 404],
    ['list/a:b:c', 404, 'xmlns(a=b)'],
    ['list/1entry', 404],
  ];
  for (const [selector, selected, query] of cases) {
    t.equal(select(selector, query), selected, `${selector} ${query ?? ''}`);
  }
  t.end();
});

t.test('long selectors are read in linear time', (t) => {
  const value = '/~~/]'.repeat(4000);
  t.equal(select(`list/entry[@uri="${value}"]`), undefined);
  t.equal(select(`list/entry[@uri="${value}`), 404);
  t.end();
});

t.test('a selector has no more steps than a document has levels', (t) => {
  t.equal(select(`${'list/'.repeat(99)}list`), undefined);
  t.equal(select(`${'list/'.repeat(99)}list/@kind`), undefined);
  t.equal(select(`${'list/'.repeat(100)}list`), 404);
  t.match(
    thrown(() => parseNodeSelector({ selector: 'list/'.repeat(5000), query: '' }, () => '')),
    { message: /more than 100 steps/ },
  );
  t.end();
});

t.test('steps are written back percent-encoded, with the bindings they need', (t) => {
  const parsed = parseNodeSelector(
    { selector: 'list/p:entry%5B@uri=%22a/b%22%5D/@x', query: 'xmlns(p=urn:a^)b)' },
    () => 'urn:d',
  );
  t.equal(encodeSteps(parsed, 2), 'list/p:entry%5B@uri=%22a%2Fb%22%5D?xmlns(p=urn:a%5E)b)');
  t.equal(encodeSteps(parsed, 1), 'list?xmlns(p=urn:a%5E)b)');
  t.end();
});
