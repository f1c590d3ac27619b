import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import type { DocumentSelector } from '../../src/xcap/terms.js';
import { textOf } from '../../src/xml/text-content.js';
import { read } from '../../test/fixtures/source.js';
import { startServer } from '../../test/fixtures/xcap-server.js';
import { usage } from './usage.js';

const auid = 'org.openmobilealliance.pres-rules';
const examples = join(packageFolder, 'auids', auid, 'examples');
const path = ['pres-rules'] as const;

t.test('clients name elements of common policy without a prefix, and rules stay simple', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const target = `/${auid}/users/sip:alice@example.com/pres-rules`;
  const created = await send('PUT', target, {
    headers: { 'content-type': 'application/auth-policy+xml' },
    body: readFileSync(join(examples, 'valid-handset-five-rules.xml')),
  });
  t.equal(created.status, 201);
  const put = (id: string, body: string) =>
    send('PUT', `${target}/~~/ruleset/rule%5B@id=%22${id}%22%5D`, {
      headers: { 'content-type': 'application/xcap-el+xml' },
      body: `<rule id="${id}">${body}</rule>`,
    });

  const mixed = await put(
    'mixed',
    '<conditions><identity><one id="sip:bob@example.com"/></identity><ocp:anonymous-request/></conditions>',
  );
  t.equal(mixed.status, 409);
  t.match(mixed.body, '<constraint-failure ');
  t.match(mixed.body, 'identity and anonymous-request');

  const blocked = await put(
    'wp_prs_blockedcontacts',
    '<actions><pr:sub-handling>block</pr:sub-handling></actions>' +
      '<transformations><pr:provide-all-attributes/></transformations>',
  );
  t.equal(blocked.status, 409);
  t.match(blocked.body, '<constraint-failure ');

  const allowed = await put('friends', '<actions><pr:sub-handling>allow</pr:sub-handling></actions>');
  t.equal(allowed.status, 201, allowed.body);
});

t.test('a list has to be of the user whose rules name it, but global rules are of nobody', (t) => {
  const faultOf = (example: string, document: DocumentSelector) => {
    const { text, root } = read(readFileSync(join(examples, `${example}.xml`), 'utf8'));
    return usage.constraints(root, {
      document,
      xcapRoots: ['/xcap-root'],
      hostnames: [],
      textOf: (element) => textOf(text, element),
    });
  };
  const listOfBob = 'constraint-failure-list-of-another-user';
  t.match(
    faultOf(listOfBob, { tree: 'users', auid, xui: 'sip:alice@example.com', path }),
    'sip:bob@example.com',
  );
  t.equal(faultOf(listOfBob, { tree: 'global', auid, path }), undefined);
  t.type(faultOf('constraint-failure-list-relative', { tree: 'global', auid, path }), 'string');
  t.end();
});
