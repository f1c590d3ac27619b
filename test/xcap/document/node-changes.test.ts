/** The laws of edits, on random documents: untouched bytes stay, GET returns what was PUT, DELETE undoes PUT. */
import fc from 'fast-check';
import t from 'tap';
import { Conflict } from '../../../src/xcap/conflict.js';
import {
  descendantsOrSelf,
  sameName,
  type SourceElement,
  type SourceTree,
} from '../../../src/xml/source-tree.js';
import { loadUsages } from '../../../src/usages/registry.js';
import { putAttributeValue, putElement, removeNode } from '../../../src/xcap/document/node-changes.js';
import { readAttributeValue } from '../../../src/xcap/document/splice.js';
import { selectNode } from '../../../src/xcap/document/locate.js';
import type { NodeSelector, Step } from '../../../src/xcap/terms.js';
import { thrown } from '../../fixtures/thrown.js';
import { randomDocument, randomElement } from '../../fixtures/documents.js';
import { isStored } from '../../../src/xcap/usage/loaded-usage.js';
import { read, rulesForAlice, stepsTo } from '../../fixtures/source.js';
import { ownUsageFolders } from '../../fixtures/usage-folders.js';

const usage = (await loadUsages([ownUsageFolders])).get('org.example.root');
if (usage === undefined || !isStored(usage)) throw new Error('the fixture usage is missing');
const rules = rulesForAlice(usage);

/** A random element of the tree. */
function pick(tree: SourceTree, choice: number): SourceElement {
  const elements = descendantsOrSelf(tree.root);
  return elements[choice % elements.length] ?? tree.root;
}

const choice = fc.nat(1000);
const nth = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });

/** A put, or undefined where the server refuses it: then there is nothing to check. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof Conflict) return undefined;
    throw error;
  }
}

t.test('§8.2.3: a created element', (t) => {
  let created = 0;
  fc.assert(
    fc.property(
      randomDocument,
      randomElement,
      choice,
      nth,
      fc.boolean(),
      (text, body, choice, position, wildcard) => {
        const tree = read(text);
        const parent = pick(tree, choice);
        const [element] = read(`<root xmlns:p="urn:p">${body}</root>`).root.children;
        if (element === undefined) return;
        const target: Step = {
          name: wildcard ? '*' : { namespace: element.namespace, localName: element.localName },
          attribute: { name: { namespace: '', localName: 'id' }, value: element.attributes[0]?.value ?? '' },
          ...(position === undefined ? {} : { position }),
        };
        const selector = {
          kind: 'element',
          steps: [...stepsTo(parent), target],
        } as const satisfies NodeSelector;
        const put = attempt(() => putElement(tree, selector, body, rules));
        if (put === undefined || !('tree' in put) || !put.created) return;
        created++;
        const after = put.tree;
        // GET returns what was PUT.
        const selected = selectNode(after.root, selector);
        if (selected?.kind !== 'element') throw new Error('the new element is not selected');
        const { start, end } = selected.element;
        if (after.text.slice(start, end) !== body) throw new Error('GET returns something else');
        // Untouched bytes stay: without the new element it is the old text, but for a parent that was opened.
        const undone = removeNode(after, selector, rules).text;
        const expected = after.text.length - body.length === text.length ? text : opened(text, parent);
        if (undone !== expected) throw new Error(`DELETE does not undo PUT:\n${text}\n${undone}`);
        if (after.text.slice(0, start) + after.text.slice(end) !== expected)
          throw new Error('other bytes changed');
        // §8.2.3: the place.
        const siblings =
          selected.element.parent?.children.filter((e) => wildcard || sameName(e, element)) ?? [];
        if (position !== undefined && siblings.indexOf(selected.element) !== position - 1)
          throw new Error('position');
        if (position === undefined) {
          const same = selected.element.parent?.children.filter((e) => sameName(e, element)) ?? [];
          if (same.at(-1) !== selected.element) throw new Error('not the last of its name');
          const previous = same.at(-2);
          if (previous !== undefined && previous.end !== start)
            throw new Error('not the earliest last place');
        }
      },
    ),
    { numRuns: 2000, seed: 4825 },
  );
  t.ok(created > 300, `${created} elements were created`);
  t.end();
});

/** The text where the empty-element tag of `parent` was replaced by a start and an end tag. */
function opened(text: string, parent: SourceElement): string {
  const name = parent.prefix === '' ? parent.localName : `${parent.prefix}:${parent.localName}`;
  return `${text.slice(0, parent.end - 2)}></${name}>${text.slice(parent.end)}`;
}

t.test('§8.2.4: a replaced element', (t) => {
  fc.assert(
    fc.property(randomDocument, randomElement, choice, (text, body, choice) => {
      const tree = read(text);
      const old = pick(tree, choice);
      if (old.parent === undefined) return;
      const steps = stepsTo(old);
      const target: Step = { name: '*', position: old.parent.children.indexOf(old) + 1 };
      const selector = { kind: 'element', steps: [steps[0], ...steps.slice(1, -1), target] } as const;
      const put = putElement(tree, selector, body, rules);
      if (!('tree' in put)) throw new Error('the parent is there');
      if (put.created) throw new Error('it was there before');
      if (put.tree.text !== text.slice(0, old.start) + body + text.slice(old.end))
        throw new Error('other bytes changed');
      // Putting the old element back restores the document.
      const back = putElement(put.tree, selector, text.slice(old.start, old.end), rules);
      if (!('tree' in back) || back.tree.text !== text) throw new Error('PUT does not undo PUT');
    }),
    { numRuns: 500, seed: 4825 },
  );
  t.end();
});

const attributeValue = fc.constantFrom(
  '',
  'x',
  'a &amp; b',
  '&#10;',
  'é\u{1f4de}',
  "it's",
  'say "x"',
  ' a\tb ',
);

t.test('§8.2.3, §8.2.4: attributes', (t) => {
  let created = 0;
  fc.assert(
    fc.property(
      randomDocument,
      choice,
      fc.constantFrom('id', 'new', 'p:new', 'xml:lang'),
      attributeValue,
      (text, choice, name, body) => {
        const tree = read(text);
        const element = pick(tree, choice);
        const selector = {
          kind: 'attribute',
          steps: stepsTo(element),
          attribute: attributeName(name),
        } as const;
        const value = readAttributeValue(body);
        const put = putAttributeValue(tree, selector, value, rules);
        if (!('tree' in put)) throw new Error('the parent is there');
        const again = putAttributeValue(put.tree, selector, value, rules);
        if (!('tree' in again) || again.tree.text !== put.tree.text) throw new Error('PUT is not idempotent');
        if (!put.created) return;
        created++;
        if (removeNode(put.tree, selector, rules).text !== text) throw new Error('DELETE does not undo PUT');
      },
    ),
    { numRuns: 1000, seed: 4825 },
  );
  t.ok(created > 300, `${created} attributes were created`);
  t.end();
});

function attributeName(name: string) {
  const namespaces: Record<string, string> = { p: 'urn:p', xml: 'http://www.w3.org/XML/1998/namespace' };
  const [prefix = '', localName = ''] = name.includes(':') ? name.split(':') : ['', name];
  return { namespace: namespaces[prefix] ?? '', localName, prefix };
}

t.test('bodies of attribute PUTs', (t) => {
  const accepted: [body: string, value: string][] = [
    ['true', 'true'],
    ['', ''],
    // XML 1.0 §2.3 AttValue has its quotes; clients send both forms.
    ['"true"', 'true'],
    ["'true'", 'true'],
    ['""', ''],
    ['"true"\n', 'true'],
    ['true\n', 'true\n'],
    ['"', '"'],
    ['say "x"', 'say "x"'],
    ['"a" and "b"', '"a" and "b"'],
    ['&lt;&#38;&#x26;&apos;', '&lt;&#38;&#x26;&apos;'],
    ['sip:alice@example.com?a=b', 'sip:alice@example.com?a=b'],
  ];
  for (const [body, value] of accepted) t.equal(readAttributeValue(body), value, body);
  const refused = [
    'a<b',
    'a&b',
    '&',
    '&;',
    '&nothing;',
    '&#0;',
    '&#x110000;',
    '\u0001',
    `"'`,
    'a\uFFFE',
    '&amp',
  ];
  for (const body of refused) {
    const expected = { report: { condition: 'not-xml-att-value' } };
    t.match(
      thrown(() => readAttributeValue(body)),
      expected,
      JSON.stringify(body),
    );
  }
  t.end();
});
