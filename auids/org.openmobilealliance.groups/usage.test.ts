import t from 'tap';
import type { DocumentSelector } from '../../src/xcap/terms.js';
import { textOf } from '../../src/xml/text-content.js';
import { readerOf } from '../../src/xcap/policy/common-policy.js';
import { read } from '../../test/fixtures/source.js';
import { startServer } from '../../test/fixtures/xcap-server.js';
import { usage as pocGroups } from '../org.openmobilealliance.poc-groups/usage.js';
import { usage as groups } from './usage.js';

const path = ['football.xml'] as const;

function documentOf(xui: string): DocumentSelector {
  return { tree: 'users', auid: groups.auid, xui, path };
}

function documentWith(...services: readonly string[]) {
  return read(
    `<group xmlns="urn:oma:xml:poc:list-service" xmlns:cp="urn:ietf:params:xml:ns:common-policy"
      xmlns:ocp="urn:oma:xml:xdm:common-policy" xmlns:info="urn:3gpp:ns:mcpttGroupInfo:1.0">${services.join('')}</group>`,
  );
}

function groupWith(content: string, uri = 'sip:football@groups.example.com'): string {
  return `<list-service uri="${uri}">${content}</list-service>`;
}

function rule(conditions: string, actions = '<join-handling>true</join-handling>'): string {
  return `<cp:rule id="a"><cp:conditions>${conditions}</cp:conditions><cp:actions>${actions}</cp:actions></cp:rule>`;
}

const bobInList = '<list><entry uri=" SIP:bob@EXAMPLE.com "/></list>';
const listElsewhere = '<list><external anchor="http://xcap.example.com/l"/></list>';
const members = `<cp:ruleset>${rule('<is-list-member/>')}</cp:ruleset>`;

for (const usage of [groups, pocGroups]) {
  const admits = (services: readonly string[], xuis: readonly string[]) => {
    const { text, root } = documentWith(...services);
    return usage.readers.admit(root, readerOf(xuis), (element) => textOf(text, element));
  };

  t.test(`${usage.auid}: who is a member reads`, (t) => {
    const cases: [content: string, admitted: boolean][] = [
      ['', false],
      [bobInList, false],
      [members, false],
      [bobInList + members, true],
      ['<list><entry uri="sip:eve@example.com"/></list>' + members, false],
      [listElsewhere + members, false],
      [
        '<list><entry uri="sip:bob@example.com"/><external anchor="http://x.example.com/l"/></list>' +
          members,
        true,
      ],
      [`<cp:ruleset>${rule('')}</cp:ruleset>`, true],
      [
        '<cp:ruleset><cp:rule id="a"><cp:actions><join-handling>1</join-handling></cp:actions></cp:rule></cp:ruleset>',
        true,
      ],
      [
        `<cp:ruleset>${rule('<cp:identity><cp:many domain="example.com"/></cp:identity>')}</cp:ruleset>`,
        true,
      ],
      // Everybody but the members, and the members as far as they are known.
      [
        `${bobInList}<cp:ruleset>${rule('<is-list-member/>', '')}${rule('<ocp:other-identity/>')}</cp:ruleset>`,
        false,
      ],
      [
        `<list/><cp:ruleset>${rule('<is-list-member/>', '')}${rule('<ocp:other-identity/>')}</cp:ruleset>`,
        true,
      ],
      [
        `${listElsewhere}<cp:ruleset>${rule('<is-list-member/>', '')}${rule('<ocp:other-identity/>')}</cp:ruleset>`,
        false,
      ],
    ];
    for (const [content, admitted] of cases) {
      t.equal(admits([groupWith(content)], ['tel:+15550100002', 'sip:bob@example.com']), admitted, content);
    }
    t.equal(admits([groupWith(bobInList + members), groupWith('')], ['sip:bob@example.com']), false);
    t.end();
  });

  t.test(`${usage.auid}: what lets read`, (t) => {
    const cases: [action: string, admitted: boolean][] = [
      ['<join-handling> true </join-handling>', true],
      ['<join-handling>allow</join-handling>', true],
      ['<join-handling>confirm</join-handling>', false],
      ['<join-handling>false</join-handling>', false],
      ['<allow-initiate-conference>true</allow-initiate-conference>', true],
      ['<allow-initiate-conference>0</allow-initiate-conference>', false],
      ['<info:on-network-allow-getting-member-list>true</info:on-network-allow-getting-member-list>', true],
      ['<info:on-network-allow-getting-member-list>false</info:on-network-allow-getting-member-list>', false],
      [
        '<join-handling>true</join-handling><info:on-network-allow-getting-member-list>false</info:on-network-allow-getting-member-list>',
        false,
      ],
      [
        '<join-handling>false</join-handling><info:on-network-allow-getting-member-list>1</info:on-network-allow-getting-member-list>',
        true,
      ],
      ['<allow-conference-state>true</allow-conference-state>', false],
      ['<allow-anonymity>true</allow-anonymity>', false],
    ];
    for (const [action, admitted] of cases) {
      const content = `<cp:ruleset>${rule('', action)}</cp:ruleset>`;
      t.equal(admits([groupWith(content)], ['sip:bob@example.com']), admitted, action);
    }
    t.end();
  });

  t.test(`${usage.auid}: the list of members is for those whom any rule lets see it`, (t) => {
    const seeing = (allowed: boolean) =>
      `<info:on-network-allow-getting-member-list>${String(allowed)}</info:on-network-allow-getting-member-list>`;
    const join = '<join-handling>true</join-handling>';
    const others = '<cp:identity><cp:one id="sip:carol@example.com"/></cp:identity>';
    const cases: [rules: string, admitted: boolean][] = [
      [rule('', join) + rule('<is-list-member/>', seeing(false)), false],
      [rule('', join + seeing(false)) + rule('<is-list-member/>', seeing(true)), true],
      [rule('', join) + rule(others, seeing(false)), true],
    ];
    for (const [rules, admitted] of cases) {
      const content = `${bobInList}<cp:ruleset>${rules}</cp:ruleset>`;
      t.equal(admits([groupWith(content)], ['sip:bob@example.com']), admitted, rules);
    }
    t.end();
  });

  t.test(`${usage.auid}: addresses`, (t) => {
    const faultOf = (uri: string, document: DocumentSelector) => {
      const { root } = documentWith(groupWith('', uri));
      return usage.constraints(root, { document, xcapRoots: ['/'], hostnames: [], textOf: () => '' });
    };
    const cases: [uri: string, owner: string, accepted: boolean][] = [
      ['sip:a@example.com', 'sip:alice@example.com', true],
      [' SIP:a@Groups.EXAMPLE.com:5060;transport=tcp ', 'sip:alice@example.com', true],
      ['sip:a@groups.example.org', 'sip:alice@example.com', false],
      ['sip:a@com', 'sip:alice@example.com', false],
      ['sip:a@example.com', 'sip:alice@groups.example.com', false],
      ['sip:a@example.org;x=.example.com', 'sip:alice@example.com', false],
      ['sip:a@example.org?x=.example.com', 'sip:alice@example.com', false],
      ['sip:a@example.org@example.com', 'sip:alice@example.com', false],
      ['tel:7042;phone-context=groups.example.com', 'sip:alice@example.com', true],
      ['tel:7042;phone-context=+1555', 'sip:alice@example.com', false],
      ['tel:+15550100099', 'sip:alice@example.com', false],
      ['tel:+15550100099', 'tel:+15550100001', true],
      ['sip:a@groups.example.org', '0a1b2c3d', true],
      ['football', '0a1b2c3d', false],
      ['tel:', '0a1b2c3d', false],
      ['sip:@example.com', '0a1b2c3d', false],
    ];
    for (const [uri, owner, accepted] of cases) {
      const fault = faultOf(uri, documentOf(owner));
      t.equal(fault === undefined, accepted, `${uri} of ${owner}`);
    }
    const global = { tree: 'global', auid: usage.auid, path } as const;
    t.equal(faultOf('sip:a@groups.example.org', global), undefined);
    t.type(faultOf('football', global), 'string');
    t.end();
  });

  t.test(`${usage.auid}: the URI of each group is claimed, and the global tree is not for everybody`, (t) => {
    const { root } = documentWith(groupWith('', 'sip:a@example.com'), groupWith('', 'sip:b@example.com'));
    t.same(
      usage.claims(root).map(({ element, attribute, isListed }) => [element, attribute, isListed]),
      root.children.map((element) => [element, 'uri', false]),
    );
    const global = { tree: 'global', auid: usage.auid, path } as const;
    const bob = { xuis: ['sip:bob@example.com'], role: undefined, access: 'read-write' } as const;
    t.equal(usage.authorization(bob, 'read', global), false);
    t.equal(usage.authorization({ ...bob, role: 'trusted-element' }, 'read', global), true);
    t.same(usage.readers.rulesFor(global), [global]);
    t.end();
  });
}

t.test('a group is found by its URI, by its members only', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const put = await send('PUT', `/${groups.auid}/users/sip:alice@example.com/football.xml`, {
    headers: { 'content-type': groups.mediaType },
    body: documentWith(groupWith(bobInList + members)).text,
  });
  t.equal(put.status, 201, put.body);
  for (const directory of groups.claimDirectories) {
    const target = `/${groups.auid}/global/${directory}/sip:football@groups.example.com`;
    const statusFor = async (as: string) => (await send('GET', target, { as })).status;
    t.equal(await statusFor('sip:alice@example.com'), 200);
    t.equal(await statusFor('sip:bob@example.com'), 200);
    t.equal(await statusFor('sip:carol@example.com'), 403);
  }
});
