import t from 'tap';
import { textOf } from '../../src/xml/text-content.js';
import { read } from '../fixtures/source.js';

t.test('the text of an element', (t) => {
  const cases: [xml: string, text: string][] = [
    ['<a/>', ''],
    ['<a></a>', ''],
    ['<a> x </a>', ' x '],
    ['<a>x<b>not this</b>y</a>', 'xy'],
    ['<a>1 &lt; 2 &amp;&#38;&#x26;</a>', '1 < 2 &&&'],
    ['<a>&#x00000002F;&#0000000000047;</a>', '//'],
    ['<a>x<!-- <b> &amp; -->y<?pi z?></a>', 'xy'],
    ['<a><![CDATA[<b>&amp;]]>]</a>', '<b>&amp;]'],
    ['<a>1\r\n2\r3\n4<![CDATA[\r\n]]></a>', '1\n2\n3\n4\n'],
    ['<a x=">">t</a>', 't'],
  ];
  for (const [xml, text] of cases) t.equal(textOf(xml, read(xml).root), text, xml);
  t.end();
});
