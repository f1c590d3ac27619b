/** URIs in documents that are percent-encoded as a whole, as SIP SIMPLE clients write them. */
import t from 'tap';
import { startServer } from '../fixtures/xcap-server.js';

const lists = 'xcap-root/resource-lists/users';
const own = `http%3A//xcap.example.com/${lists}/sip%3Aalice%40example.com/index/~~/resource-lists/list%5B%40name%3D%22a%22%5D`;
const foreign = own.replace('alice', 'bob');
const climbing = own.replace('/index/', '/../sip%3Abob%40example.com/index/');
const raw = `http://xcap.example.com/${lists}/sip:alice@example.com/index/~~/resource-lists/list[@name=&quot;a&quot;]`;

type Body = (uri: string) => string;
const external: Body = (uri) =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><external anchor="${uri}"/></list></resource-lists>`;
const service: Body = (uri) =>
  `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="sip%3Aalice-friends%40example.com"><resource-list>${uri}</resource-list><packages/></service></rls-services>`;
const rules: Body = (uri) =>
  `<cp:ruleset xmlns:cp="urn:ietf:params:xml:ns:common-policy"><cp:rule id="a"><cp:conditions><o:external-list xmlns:o="urn:oma:xml:xdm:common-policy"><o:entry anc="${uri}"/></o:external-list></cp:conditions></cp:rule></cp:ruleset>`;
const presence: Body = (uri) => `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${uri}"/>`;
const profile: Body = (uri) =>
  `<user-profiles xmlns="urn:oma:xml:xdm:user-profile"><user-profile uri="${uri}"/></user-profiles>`;

t.test('URIs that are encoded as a whole', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/xcap-root' } });
  const cases: (readonly [auid: string, mediaType: string, body: Body, uri: string, accepted: boolean])[] = [
    ...[own, raw, foreign].map(
      (uri) => ['resource-lists', 'resource-lists+xml', external, uri, true] as const,
    ),
    ['resource-lists', 'resource-lists+xml', external, 'sip%3Abob%40example.com', false],
    ['resource-lists', 'resource-lists+xml', external, 'http%253A//xcap.example.com/', false],
    ...[own, raw].map((uri) => ['rls-services', 'rls-services+xml', service, uri, true] as const),
    ...[foreign, climbing].map((uri) => ['rls-services', 'rls-services+xml', service, uri, false] as const),
    ...[own, raw].map(
      (uri) => ['org.openmobilealliance.pres-rules', 'auth-policy+xml', rules, uri, true] as const,
    ),
    ...[foreign, climbing].map(
      (uri) => ['org.openmobilealliance.pres-rules', 'auth-policy+xml', rules, uri, false] as const,
    ),
    ['pidf-manipulation', 'pidf+xml', presence, 'sip%3Aalice%40example.com', true],
    ['pidf-manipulation', 'pidf+xml', presence, 'PRES%3aalice%40EXAMPLE.com', true],
    ['pidf-manipulation', 'pidf+xml', presence, 'sip%3Abob%40example.com', false],
    ['pidf-manipulation', 'pidf+xml', presence, 'sip%253Aalice%2540example.com', false],
    [
      'org.openmobilealliance.user-profile',
      'vnd.oma.user-profile+xml',
      profile,
      'sip%3Aalice%40example.com',
      true,
    ],
    [
      'org.openmobilealliance.user-profile',
      'vnd.oma.user-profile+xml',
      profile,
      'sip%3Abob%40example.com',
      false,
    ],
  ];
  for (const [index, [auid, mediaType, body, uri, accepted]] of cases.entries()) {
    const target = `/xcap-root/${auid}/users/sip:alice@example.com/d${String(index)}`;
    const headers = { 'content-type': `application/${mediaType}` };
    const put = await send('PUT', target, { headers, body: body(uri) });
    t.equal(put.status, accepted ? 201 : 409, `${auid}: ${uri} ${put.body}`);
    if (accepted) t.equal((await send('GET', target)).body, body(uri), 'the bytes are kept');
    await send('DELETE', target);
  }
});

t.test('a resource-list is on this server, where the operator has said its names', async (t) => {
  const at = (authority: string) => service(raw.replace('//xcap.example.com/', `//${authority}/`));
  const target = '/xcap-root/rls-services/users/sip:alice@example.com/index';
  const headers = { 'content-type': 'application/rls-services+xml', host: 'xcap.example.com' };
  const named = await startServer(t, {
    environment: { XCAP_ROOTS: '/xcap-root', XCAP_HOSTNAMES: 'xcap.example.com,2001:db8::1' },
  });
  const cases: readonly [authority: string, accepted: boolean][] = [
    ['xcap.example.com', true],
    ['XCAP.example.com.', true],
    ['xcap%2eexample.com:8443', true],
    ['[2001:DB8:0::1]:8443', true],
    ['evil.example.com', false],
    ['xcap.example.com.evil.example', false],
    ['xcap.example.com@evil.example', false],
    ['xcap.example.com:80@evil.example', false],
    ['user@xcap.example.com', false],
    ['127.0.0.1', false],
  ];
  for (const [authority, accepted] of cases) {
    const put = await named.send('PUT', target, { headers, body: at(authority) });
    t.equal(put.status < 300, accepted, authority);
    if (!accepted) t.match(put.body, /has to be on this server, http:\/\/xcap\.example\.com/);
  }
  const nameless = await startServer(t, { environment: { XCAP_ROOTS: '/xcap-root' } });
  t.equal(
    (
      await nameless.send('PUT', target, {
        headers: { 'content-type': headers['content-type'] },
        body: at('evil.example.com'),
      })
    ).status,
    201,
    'any, without names',
  );
});
