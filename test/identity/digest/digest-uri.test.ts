import t from 'tap';
import { isSameResource } from '../../../src/identity/digest/digest-uri.js';

const path = '/xcap-root/simservs.ngn.etsi.org/users/sip%3A%2B15550100001%40ims.example.com/simservs.xml';
const selected = `${path}/~~/ss:simservs/cp:rule%5B@id=%22x%22%5D`;
const query = '?xmlns(ss=http://uri.etsi.org/ngn/params/xml/simservs/xcap)';

t.test('uri and request target', (t) => {
  const cases: readonly [name: string, directive: string, target: string, least: string][] = [
    ['the target', selected + query, selected + query, 'strict'],
    ['the target in absolute form', `https://xcap.example.com${path}`, path, 'strict'],
    ['of a target in absolute form', path, `http://xcap.example.com:8080${path}`, 'strict'],
    ['MediaTek: without the query', selected, selected + query, 'tolerant'],
    ['bag: decoded, without the query', decodeURIComponent(selected), selected + query, 'tolerant'],
    ['decoded with the query', decodeURIComponent(selected + query), selected + query, 'tolerant'],
    ['other encoding', selected.replace('%5B', '%5b').replace('@', '%40'), selected, 'tolerant'],
    ['an escape of a percent sign', '/r/a%2525', '/r/%61%2525', 'tolerant'],
    ['Movial: without the document', '/r/resource-lists/users/a', '/r/resource-lists/users/a/index', 'loose'],
    ['with a slash at the end', '/r/resource-lists/users/a/', '/r/resource-lists/users/a/index', 'loose'],
    ['another document', '/r/resource-lists/users/b/index', '/r/resource-lists/users/a/index', 'never'],
    ['half a segment', '/r/resource-lists/users/al', '/r/resource-lists/users/alice/index', 'never'],
    ['more than was asked for', `${path}/~~/simservs`, path, 'never'],
    ['another query', `${selected}?xmlns(ss=urn:other)`, selected + query, 'never'],
    ['a query that was not asked for', selected + query, selected, 'never'],
    ['another case', '/R/a', '/r/a', 'never'],
    ['nothing', '', path, 'never'],
    ['the root', '/', path, 'never'],
    ['every server', '*', path, 'never'],
  ];
  const order = ['strict', 'tolerant', 'loose'] as const;
  for (const [name, directive, target, least] of cases) {
    for (const [i, strictness] of order.entries()) {
      const expected = least !== 'never' && i >= order.findIndex((one) => one === least);
      t.equal(isSameResource(directive, target, strictness), expected, `${name}, ${strictness}`);
    }
  }
  t.end();
});
