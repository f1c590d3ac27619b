import t from 'tap';
import { textOf } from '../../src/xml/text-content.js';
import { readerOf } from '../../src/xcap/policy/common-policy.js';
import { read } from '../../test/fixtures/source.js';
import { startServer } from '../../test/fixtures/xcap-server.js';
import { usage } from './usage.js';

const document = { tree: 'users', auid: usage.auid, xui: 'sip:alice@example.com', path: ['icon'] } as const;

/** The smallest of what is taken for a PNG, and then blanks. */
function picture(bytes: number): Buffer {
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(bytes - 8)]);
}

function contentWith(mimeType: string, data: string) {
  const { text, root } = read(
    `<content xmlns="urn:oma:xml:prs:pres-content"><mime-type>${mimeType}</mime-type><data>${data}</data></content>`,
  );
  return { root, textOf: (element: typeof root) => textOf(text, element) };
}

t.test('a picture has at most 300 kB', (t) => {
  const faultOf = (bytes: number) => {
    const { root, textOf } = contentWith('image/png', picture(bytes).toString('base64'));
    return usage.constraints(root, { document, xcapRoots: ['/'], hostnames: [], textOf });
  };
  // One for each length of padding.
  for (const bytes of [8, 9, 10, 300 * 1024 - 1, 300 * 1024]) t.equal(faultOf(bytes), undefined);
  t.equal(faultOf(300 * 1024 + 1), 'A picture can have at most 307200 bytes, this one has 307201.');
  t.end();
});

t.test('the picture itself', (t) => {
  const { root, textOf } = contentWith(' Image/PNG ', '\n  iVBORw0KGgo&#13;\n\tAAAANSU<!-- -->hEUgAA  ');
  t.same(usage.carriedContent(root, textOf), { mediaType: 'image/png', base64: 'iVBORw0KGgoAAAANSUhEUgAA' });
  t.end();
});

t.test('watchers: who may subscribe to the presence', (t) => {
  const { rulesFor, admit } = usage.otherPolicies.watchers.readers;
  const admits = (xui: string, ...rules: readonly [conditions: string, handling: string][]) => {
    const texts = rules.map(
      ([conditions, handling], i) =>
        `<rule id="r${String(i)}"><conditions>${conditions}</conditions>
          <actions><pr:sub-handling>${handling}</pr:sub-handling></actions></rule>`,
    );
    const { text, root } = read(
      `<ruleset xmlns="urn:ietf:params:xml:ns:common-policy" xmlns:pr="urn:ietf:params:xml:ns:pres-rules"
        xmlns:ocp="urn:oma:xml:xdm:common-policy">${texts.join('')}</ruleset>`,
    );
    return admit(root, readerOf([xui]), (element) => textOf(text, element));
  };
  const [bob, carol] = ['sip:bob@example.com', 'sip:carol@example.com'];
  const isBob = `<identity><one id="${bob}"/></identity>`;
  const others = '<ocp:other-identity/>';
  t.equal(admits(bob), false);
  t.equal(admits(bob, [isBob, ' allow ']), true);
  t.equal(admits(carol, [isBob, 'allow']), false);
  for (const handling of ['block', 'confirm', 'polite-block']) t.equal(admits(bob, [isBob, handling]), false);
  // RFC 5025 §3.2.1: the highest handling counts.
  t.equal(admits(bob, [isBob, 'block'], ['', 'allow']), true);
  t.equal(admits(bob, [isBob, 'block'], [others, 'allow']), false);
  t.equal(admits(carol, [isBob, 'block'], [others, 'allow']), true);
  t.equal(admits(carol, ['<ocp:external-list/>', 'block'], [others, 'allow']), false);

  t.same(
    rulesFor(document).map(({ tree, auid, path }) => [tree, auid, ...path].join('/')),
    [
      'users/org.openmobilealliance.pres-rules/pres-rules',
      'users/org.openmobilealliance.pres-rules/index',
      'users/pres-rules/index',
    ],
  );
  t.same(rulesFor({ tree: 'global', auid: usage.auid, path: ['icon'] }), []);
  t.end();
});

t.test('watchers read where the operator wants it', async (t) => {
  const { send } = await startServer(t, {
    environment: { XCAP_ROOTS: '/', XCAP_POLICIES: `${usage.auid}=watchers` },
  });
  const put = async (target: string, type: string, body: string) => {
    const { status } = await send('PUT', target, { headers: { 'content-type': type }, body });
    t.equal(status, 201, target);
  };
  const icon = `/${usage.auid}/users/sip:alice@example.com/oma_status-icon/rcs_status_icon`;
  const data = picture(100).toString('base64');
  await put(
    icon,
    usage.mediaType,
    `<content xmlns="urn:oma:xml:prs:pres-content"><mime-type>image/png</mime-type><data>${data}</data></content>`,
  );
  const readBy = async (as: string) => (await send('GET', icon, { as })).status;
  t.equal(await readBy('sip:bob@example.com'), 403);
  await put(
    '/org.openmobilealliance.pres-rules/users/sip:alice@example.com/pres-rules',
    'application/auth-policy+xml',
    `<ruleset xmlns="urn:ietf:params:xml:ns:common-policy" xmlns:pr="urn:ietf:params:xml:ns:pres-rules">
      <rule id="a"><conditions><identity><one id="sip:bob@example.com"/></identity></conditions>
        <actions><pr:sub-handling>allow</pr:sub-handling></actions></rule></ruleset>`,
  );
  t.equal(await readBy('sip:bob@example.com'), 200);
  t.equal(await readBy('sip:carol@example.com'), 403);
});
