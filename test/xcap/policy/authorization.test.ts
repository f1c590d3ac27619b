import t from 'tap';
import {
  isPermitted,
  type AuthorizationPolicy,
  type Grant,
  globalTreeForTrustedElements,
  ownerAndTrustedElements,
  readableByEveryone,
  readableByOwner,
  readOnly,
} from '../../../src/xcap/policy/authorization.js';
import type { DocumentSelector, Operation, Principal } from '../../../src/xcap/terms.js';
import { startServer } from '../../fixtures/xcap-server.js';

const subscriber = { access: 'read-write', role: undefined } as const;
const owner = { xuis: ['sip:a@example.com', 'sip:alice@example.com'], ...subscriber } as const;
const other = { xuis: ['sip:bob@example.com'], ...subscriber } as const;
const trusted = { xuis: ['sip:rls@example.com'], access: 'read-write', role: 'trusted-element' } as const;
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

t.test('the decision', (t) => {
  const nobody = () => false;
  const grant = {
    owner: 'sip:alice@example.com',
    grantee: 'sip:bob@example.com',
    auid: undefined,
    path: undefined,
    access: 'write',
  } as const;
  const deep = { ...own, path: ['folder', 'a b'] } as const;
  const administrator = { ...other, role: 'administrator' } as const;
  const support = { ...other, role: 'support' } as const;
  const cases: [
    name: string,
    principal: Principal,
    document: DocumentSelector,
    policy: AuthorizationPolicy,
    grants: Grant[],
    rights: string,
  ][] = [
    ['the owner', owner, own, ownerAndTrustedElements, [], 'rw'],
    ['with a token for reading', { ...owner, access: 'read' }, own, ownerAndTrustedElements, [], 'r'],
    ['with a token for writing', { ...owner, access: 'write' }, own, ownerAndTrustedElements, [], 'w'],
    ['somebody else', other, own, ownerAndTrustedElements, [], ''],
    ['an administrator', administrator, own, nobody, [], 'rw'],
    ['in the global tree', administrator, global, nobody, [], 'rw'],
    ['with a token for reading', { ...administrator, access: 'read' }, own, nobody, [], 'r'],
    ['the support', support, own, nobody, [], 'r'],
    ['a trusted element is bound by the policy', trusted, own, nobody, [], ''],
    ['a grant to write', other, own, nobody, [grant], 'rw'],
    ['a grant to read', other, own, nobody, [{ ...grant, access: 'read' }], 'r'],
    ['to somebody else', other, own, nobody, [{ ...grant, grantee: 'sip:carol@example.com' }], ''],
    ['by somebody else', other, own, nobody, [{ ...grant, owner: 'sip:carol@example.com' }], ''],
    ['for that usage', other, own, nobody, [{ ...grant, auid: 'a' }], 'rw'],
    ['for another usage', other, own, nobody, [{ ...grant, auid: 'b' }], ''],
    ['for that document', other, own, nobody, [{ ...grant, auid: 'a', path: 'index' }], 'rw'],
    ['for another document', other, own, nobody, [{ ...grant, auid: 'a', path: 'other' }], ''],
    ['in a folder', other, deep, nobody, [{ ...grant, auid: 'a', path: 'folder/a%20b' }], 'rw'],
    ['the folder alone is no document', other, deep, nobody, [{ ...grant, auid: 'a', path: 'folder' }], ''],
    ['no grant reaches the global tree', other, global, nobody, [grant], ''],
    [
      'one of several',
      other,
      own,
      nobody,
      [
        { ...grant, auid: 'b' },
        { ...grant, access: 'read' },
      ],
      'r',
    ],
    ['no more than the token', { ...other, access: 'read' }, own, nobody, [grant], 'r'],
  ];
  for (const [name, principal, document, policy, grants, rights] of cases) {
    const may = (operation: Operation) => isPermitted(principal, operation, document, policy, grants);
    t.equal((may('read') ? 'r' : '') + (may('write') ? 'w' : ''), rights, name);
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
