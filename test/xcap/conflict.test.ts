import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { conflictBody, simpleConditions, type ConflictReport } from '../../src/xcap/conflict.js';
import { readDocument } from '../../src/xml/fence.js';
import { loadSchema, validate } from '../../src/xml/schema.js';

const schema = loadSchema(join(packageFolder, 'schemas/xcap-error.xsd'));
const nasty = `<a & b> "c" 'd' \n\t \u0000 \uD800 ]]> é`;

t.test('§11.2: every report is valid, whatever its values hold', (t) => {
  const reports: ConflictReport[] = [
    ...simpleConditions.map((condition) => ({ condition, phrase: nasty })),
    { condition: 'no-parent', phrase: nasty },
    { condition: 'no-parent', phrase: nasty, ancestor: '/xcap-root/a?xmlns(a=b)&c' },
    { condition: 'uniqueness-failure', phrase: nasty, exists: [{ field: nasty, alternatives: [] }] },
    {
      condition: 'uniqueness-failure',
      phrase: nasty,
      exists: [
        { field: 'a/@b', alternatives: [nasty, 'x'] },
        { field: 'a/@c', alternatives: [] },
      ],
    },
    { condition: 'extension', content: '<x xmlns="urn:x"/>' },
  ];
  for (const report of reports) {
    const body = conflictBody(report);
    const reading = readDocument(body);
    t.ok(reading.ok, `${report.condition} is well-formed`);
    t.same(validate(body, schema), { valid: true }, `${report.condition} is valid`);
    if (!reading.ok) continue;
    const { root } = reading.value;
    t.equal(root.prefix, '', 'no prefix');
    t.equal(root.children[0]?.localName, report.condition);
    t.equal(root.children[0]?.prefix, '');
  }
  t.end();
});
