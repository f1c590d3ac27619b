import { thrown } from '../../fixtures/thrown.js';
import t from 'tap';
import { Refusal } from '../../../src/xcap/refusal.js';
import {
  encodeDocumentSelector,
  parseNamespaceBindings,
  parseRequestTarget,
} from '../../../src/xcap/uri/uri.js';

const rules = {
  xcapRoots: ['/xcap-root', '', '/services/xcap'],
  defaultDocument: (auid: string) => (auid === 'a' ? 'index' : undefined),
};
const alice = 'sip:alice@example.com';

function refusalStatus(target: string): number | undefined {
  try {
    parseRequestTarget(target, rules);
    return undefined;
  } catch (error) {
    return error instanceof Refusal ? error.status : -1;
  }
}

t.test('§6.2: document selectors', (t) => {
  const cases: [target: string, selector: string, root: string][] = [
    [
      '/xcap-root/resource-lists/users/sip:alice@example.com/index',
      `resource-lists/users/${alice}/index`,
      '/xcap-root',
    ],
    ['/resource-lists/users/sip:alice@example.com/index', `resource-lists/users/${alice}/index`, ''],
    [
      '/services/xcap/resource-lists/users/sip:alice@example.com/index',
      `resource-lists/users/${alice}/index`,
      '/services/xcap',
    ],
    // The whole XUI may be encoded, and a plus is a plus either way.
    ['/a/users/sip%3Aalice%40example.com/index', `a/users/${alice}/index`, ''],
    ['/a/users/sip:+15550100001@ims.example.com/x', 'a/users/sip:+15550100001@ims.example.com/x', ''],
    ['/a/users/sip:%2B15550100001@ims.example.com/x', 'a/users/sip:+15550100001@ims.example.com/x', ''],
    // Every segment is decoded once, and only once.
    ['/a/users/sip:alice@example.com/a%2525b', `a/users/${alice}/a%2525b`, ''],
    ['/a/users/sip:alice@example.com/a%2Fb', `a/users/${alice}/a%2Fb`, ''],
    ['/a/users/sip:alice@example.com/a%20b', `a/users/${alice}/a%20b`, ''],
    // A doubled slash at the seam and one trailing slash.
    ['/xcap-root//a/global/index', 'a/global/index', '/xcap-root'],
    ['//xcap-root/a/global/index', 'a/global/index', '/xcap-root'],
    ['//a/global/index', 'a/global/index', ''],
    ['/xcap-root/a/global/index/', 'a/global/index', '/xcap-root'],
    // The absolute form of RFC 9112 §3.2.2.
    ['http://xcap.example.com/a/global/index', 'a/global/index', ''],
    // The query of a document URI is ignored, whatever it is.
    ['/a/global/index?xmlns(a=b)', 'a/global/index', ''],
    ['/a/global/index?%zz', 'a/global/index', ''],
    ['/a/users/sip:alice@example.com/folder/inner/doc', `a/users/${alice}/folder/inner/doc`, ''],
    // Raw UTF-8 arrives as one character for each octet.
    ['/a/global/caf\u00c3\u00a9', 'a/global/caf%C3%A9', ''],
    ['/a/global/%E3%82%A2', 'a/global/%E3%82%A2', ''],
  ];
  for (const [target, selector, root] of cases) {
    const uri = parseRequestTarget(target, rules);
    t.equal(uri && encodeDocumentSelector(uri.document), selector, target);
    t.equal(uri?.xcapRoot, root, `root of ${target}`);
    t.equal(uri?.node, undefined, `${target} has no node selector`);
  }
  t.end();
});

t.test('§8: the node selector begins behind the first separator', (t) => {
  const cases: [target: string, selector: string, query: string][] = [
    ['/a/global/i/~~/x/y', 'x/y', ''],
    ['/a/global/i/~~/x/~~/y', 'x/~~/y', ''],
    ['/a/global/i/~~x/y', 'x/y', ''],
    ['/a/global/i/%7E%7e/x', 'x', ''],
    ['/a/global/i//~~/x', 'x', ''],
    ['/a/global/i/~~/x%5B@a=%22/~~/%22%5D?xmlns(b=c)', 'x%5B@a=%22/~~/%22%5D', 'xmlns(b=c)'],
    ['/a/global/i/~~/', '', ''],
  ];
  for (const [target, selector, query] of cases) {
    const uri = parseRequestTarget(target, rules);
    t.equal(uri && encodeDocumentSelector(uri.document), 'a/global/i', target);
    t.same(uri?.node, { selector, query }, target);
  }
  t.end();
});

t.test('§5.5: a home directory', (t) => {
  const uri = parseRequestTarget('/a/users/alice@example.com/', rules);
  t.equal(uri && encodeDocumentSelector(uri.document), `a/users/${alice}/index`);
  t.equal(uri?.isHome, true);
  t.equal(parseRequestTarget('/a/users/alice@example.com/index/', rules)?.isHome, false);
  t.end();
});

t.test('targets that name no document', (t) => {
  const cases: [target: string, status: number][] = [
    ['/a', 404],
    ['/a/users', 404],
    ['/a/users/sip:alice@example.com', 404],
    ['/b/users/sip:alice@example.com/', 404],
    ['/a/users/sip:alice@example.com//', 404],
    ['/a/users//index', 404],
    ['/a/global', 404],
    ['/a/elsewhere/index', 404],
    ['/a/global/x//y', 404],
    ['/a/global/%zz', 400],
    ['/a/global/100%', 400],
    ['/a/global/%ff', 400],
    ['/a/global/%C3', 400],
    ['/a/global/\u00ff', 400],
    ['/a/global/a%00b', 400],
    ['/a/global/a%0Ab', 400],
    ['/a/users/sip:alice@example.com/../sip:bob@example.com/index', 400],
    ['/a/users/sip:alice@example.com/%2e%2E/sip:bob@example.com/index', 400],
    ['/a/users/sip:alice@example.com/./index', 400],
    [`/a/global/${'x'.repeat(2001)}`, 414],
    [`/a/global/${'/'.repeat(7000)}`, 414],
    [`/a/global/x/~~/${'a'.repeat(16_385)}`, 414],
    [`/a/global/x/~~/a?${'a'.repeat(8193)}`, 414],
    [`/a/global/x?${'a'.repeat(8193)}`, 414],
  ];
  for (const [target, status] of cases) t.equal(refusalStatus(target), status, target.slice(0, 80));
  t.equal(
    parseRequestTarget('/elsewhere/a/global/index', { xcapRoots: ['/xcap-root'] }),
    undefined,
    'below no root',
  );
  t.equal(
    parseRequestTarget('/xcap-rootlet/a/global/index', { xcapRoots: ['/xcap-root'] }),
    undefined,
    'a longer name',
  );
  t.end();
});

t.test('§6.4: xmlns() parts of the query', (t) => {
  const cases: [query: string, bindings: Record<string, string>][] = [
    ['', {}],
    ['xmlns(a=urn:a)', { a: 'urn:a' }],
    ['xmlns(a=urn:a)xmlns(b=urn:b)', { a: 'urn:a', b: 'urn:b' }],
    ['xmlns(a=urn:a)%20xmlns(b=urn:b)', { a: 'urn:a', b: 'urn:b' }],
    ['xmlns%28a=urn:a%29', { a: 'urn:a' }],
    ['xmlns(a%20=%20urn:a)', { a: 'urn:a' }],
    ['namespace=xmlns%28a=urn:a%29', { a: 'urn:a' }],
    ['xmlns(a=http://example.com/a+b?c=d&e)', { a: 'http://example.com/a+b?c=d&e' }],
    // XPointer framework §3.1: parentheses balance or are escaped.
    ['xmlns(a=urn:x(y))', { a: 'urn:x(y)' }],
    ['xmlns(a=urn:x^)y)xmlns(b=urn:b)', { a: 'urn:x)y', b: 'urn:b' }],
    ['xmlns(a=urn:x^^y)', { a: 'urn:x^y' }],
    // §6.4: other schemes are ignored, with what is in them.
    ['element(xmlns(z=urn:z))xmlns(a=urn:a)', { a: 'urn:a' }],
    ['xmlns(a)xmlns(b=)xmlns(=c)xmlns(d=urn:d', {}],
    ['xmlns(a=urn:1)xmlns(a=urn:2)', { a: 'urn:2' }],
  ];
  for (const [query, bindings] of cases) {
    t.same(Object.fromEntries(parseNamespaceBindings(query)), bindings, query);
  }
  t.match(
    thrown(() => parseNamespaceBindings('xmlns(a=%zz)')),
    { status: 400 },
  );
  t.end();
});
