/** What the operator learns where the two schema validators disagree. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { usageFolders } from '../../src/package-files.js';
import { startServer } from '../fixtures/xcap-server.js';

const auid = 'org.openmobilealliance.groups';
const target = `/xcap-root/${auid}/users/sip:alice@example.com/fire-brigade.xml`;
const group = readFileSync(
  join(usageFolders.sources, auid, 'examples/valid-mission-critical-group.xml'),
  'utf8',
);
const mediaType = 'application/vnd.oma.poc.groups+xml';

t.test('a document that one of them refuses is refused, counted, and reported once', async (t) => {
  const lines: string[] = [];
  const { send, manage } = await startServer(t, { log: (line) => lines.push(line) });
  const put = (body: string) => send('PUT', target, { headers: { 'content-type': mediaType }, body });
  t.equal((await put(group)).status, 201);
  // More years than libxml2 counts: the first validator says so, the second one calculates with what overflows.
  const timer = 'P99999999999Y';
  for (let i = 0; i < 3; i++) {
    const { status, body } = await put(group.replace('PT10S', timer));
    t.equal(status, 409);
    t.match(
      body,
      `Element 'on-network-hang-timer': '${timer}' is not a valid value of the atomic type 'xs:duration'. (line 50)`,
    );
  }
  t.equal((await put(group.replace('PT10S', 'ten'))).status, 409, 'both refuse it');

  const { body } = await manage('GET', '/metrics');
  t.match(body, 'xcapd_schema_disagreements_total 3\n');
  const reports = lines.filter((line) => line.includes('second schema validator'));
  t.match(
    reports.map((line): unknown => JSON.parse(line)),
    [{ level: 40, schema: /groups\/[\w-]+\.xsd$/, code: 1824 }],
  );
  t.equal(reports.length, 1);
  t.notMatch(reports.join(''), timer, 'without what stands in the document');
});
