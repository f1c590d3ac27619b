import t from 'tap';
import {
  globalTreeForTrustedElements,
  ownerAndTrustedElements,
  readableByEveryone,
  readableByOwner,
  readOnly,
} from '../../src/xcap/authorization.js';
import { startServer } from '../fixtures/xcap-server.js';

const owner = { xuis: ['sip:a@example.com', 'sip:alice@example.com'], isTrustedElement: false } as const;
const other = { xuis: ['sip:bob@example.com'], isTrustedElement: false } as const;
const trusted = { xuis: ['sip:rls@example.com'], isTrustedElement: true } as const;
const own = { tree: 'users', auid: 'a', xui: 'sip:alice@example.com', path: ['index'] } as const;
const global = { tree: 'global', auid: 'a', path: ['index'] } as const;

t.test('§5.7: policies', (t) => {
  const policies = {
    globalTreeForTrustedElements,
    ownerAndTrustedElements,
    readableByEveryone,
    readableByOwner,
    readOnly,
  };
  const cases: [policy: keyof typeof policies, rights: Record<string, string>][] = [
    [
      'ownerAndTrustedElements',
      { owner: 'rw', other: '', trusted: 'r', ownerGlobal: 'r', trustedGlobal: 'r' },
    ],
    [
      'globalTreeForTrustedElements',
      { owner: 'rw', other: '', trusted: 'r', ownerGlobal: '', trustedGlobal: 'r' },
    ],
    ['readableByEveryone', { owner: 'rw', other: 'r', trusted: 'r', ownerGlobal: 'r', trustedGlobal: 'r' }],
    ['readableByOwner', { owner: 'r', other: '', trusted: 'r', ownerGlobal: 'r', trustedGlobal: 'r' }],
    ['readOnly', { owner: 'r', other: 'r', trusted: 'r', ownerGlobal: 'r', trustedGlobal: 'r' }],
  ];
  for (const [name, rights] of cases) {
    const policy = policies[name];
    const right = (
      principal: typeof owner | typeof other | typeof trusted,
      document: typeof own | typeof global,
    ) => (policy(principal, 'read', document) ? 'r' : '') + (policy(principal, 'write', document) ? 'w' : '');
    t.same(
      {
        owner: right(owner, own),
        other: right(other, own),
        trusted: right(trusted, own),
        ownerGlobal: right(owner, global),
        trustedGlobal: right(trusted, global),
      },
      rights,
      name,
    );
  }
  t.end();
});

t.test('trusted elements read the documents of users', async (t) => {
  const { send } = await startServer(t, {
    environment: { XCAP_TRUSTED_ELEMENTS: 'sip:rls@EXAMPLE.com, ps@example.com' },
  });
  const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
  const body = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  t.equal((await send('PUT', target, { body })).status, 201);
  for (const as of ['sip:rls@example.com', 'sip:ps@example.com']) {
    t.equal((await send('GET', target, { as })).status, 200, as);
    t.equal((await send('PUT', target, { as, body })).status, 403, as);
  }
  t.equal((await send('GET', target, { as: 'sip:other@example.com' })).status, 403);
});

t.test('§5.5: a home directory is answered with its default document, and not written', async (t) => {
  const { send } = await startServer(t);
  const home = '/xcap-root/resource-lists/users/sip:alice@example.com/';
  const body = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  t.equal((await send('GET', home)).status, 404);
  t.equal((await send('PUT', home, { body })).status, 405);
  await send('PUT', `${home}index`, { body });
  t.equal((await send('GET', home)).body, body);
  t.equal((await send('DELETE', home)).headers.allow, 'GET, HEAD');
  t.equal((await send('GET', '/xcap-root/test/users/sip:alice@example.com/')).status, 404, 'there is none');
});
