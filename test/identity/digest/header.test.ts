import t from 'tap';
import {
  authenticationInfo,
  digestChallenge,
  parseDigestAuthorization,
} from '../../../src/identity/digest/header.js';

const rest = 'realm="r",nonce="n",response="0aF",qop=auth,cnonce="c",nc=0000000a';

t.test('headers', (t) => {
  const cases: readonly [header: string, expected: object][] = [
    [
      `Digest username="alice",uri="/a",${rest}`,
      {
        username: 'alice',
        realm: 'r',
        nonce: 'n',
        uri: '/a',
        response: '0af',
        algorithm: 'MD5',
        qop: 'auth',
        cnonce: 'c',
        nc: '0000000a',
      },
    ],
    [`digest USERNAME = alice , uri = "/a" ,, ${rest},algorithm="SHA-256"`, { algorithm: 'SHA-256' }],
    [`Digest username="a\\"b\\\\c",uri="/a,b",${rest}`, { username: 'a"b\\c', uri: '/a,b' }],
    [`Digest username="alice",uri="",${rest}`, { uri: '' }],
    [
      `Digest username="alice",uri="/a/~~/cp:rule[@id="x y"]/b",${rest}`,
      { uri: '/a/~~/cp:rule[@id="x y"]/b', realm: 'r' },
    ],
    [`Digest username="${Buffer.from('José').toString('latin1')}",uri="/a",${rest}`, { username: 'José' }],
    [`Digest username="Jos\xe9",uri="/a",${rest}`, { username: 'José' }],
    [`Digest username*=UTF-8''Jos%C3%A9,uri="/a",${rest}`, { username: 'José' }],
    [
      `Digest username="sip:alice@example.com",uri="/a",${rest},opaque="o",x=y`,
      { username: 'sip:alice@example.com' },
    ],
  ];
  for (const [header, expected] of cases) t.match(parseDigestAuthorization(header), expected, header);
  t.end();
});

t.test('headers that cannot be read', (t) => {
  for (const header of [
    'Digest',
    'Digest ',
    'Digest username',
    'Digest username="alice"',
    `Digest uri="/a",${rest}`,
    `Digest username="alice",${rest}`,
    `Digest username="alice,uri="/a,${rest}`,
    `Digest username="alice",username="bob",uri="/a",${rest}`,
    `Digest username="alice",username*=UTF-8''bob,uri="/a",${rest}`,
    `Digest username*=UTF-8''%E9,uri="/a",${rest}`,
    `Digest username*=UTF-8''a%00,uri="/a",${rest}`,
    `Digest username="alice",uri="/a",${rest.replace('0000000a', '0000000g')}`,
    `Digest username="alice",uri="/a",${rest.replace('0000000a', '000000001')}`,
    `Digest username="alice",uri="/a",${rest.replace('0aF', 'xyz')}`,
    `Digest username="alice",uri="/a",${rest.replace('qop=auth,', '')}`,
    `Digest username="alice",uri="/a" b,${rest}`,
    `Digest username="alice",uri="/a",${rest}${Array.from({ length: 25 }, (_, i) => `,x${i}=y`).join('')}`,
  ]) {
    t.equal(parseDigestAuthorization(header), undefined, header);
  }
  t.end();
});

t.test('a long header that is none', (t) => {
  for (const parameters of [
    `username="${'a"'.repeat(16_000)}`,
    `username="${'\\'.repeat(32_000)}`,
    `username="${'" '.repeat(16_000)}`,
    `username="a"${' ,'.repeat(16_000)}`,
    `username="${' '.repeat(32_000)}"x`,
    `username="${`"${' '.repeat(100)}`.repeat(300)}`,
  ]) {
    t.equal(parseDigestAuthorization(`Digest ${parameters}`), undefined, parameters.slice(0, 30));
  }
  t.end();
});

t.test('challenges', (t) => {
  const challenge = { realm: 'r', nonce: 'n', algorithm: 'MD5', qops: ['auth', 'auth-int'], isStale: false };
  t.equal(digestChallenge(challenge), 'Digest realm="r",nonce="n",algorithm=MD5,qop="auth,auth-int"');
  t.match(digestChallenge({ ...challenge, isStale: true }), /",stale=true$/);
  t.end();
});

t.test('Authentication-Info', (t) => {
  const proof = { qop: 'auth', cnonce: 'a"b', nc: '00000001', rspauth: '0f' };
  t.equal(
    authenticationInfo({ nextNonce: 'n', proof }),
    'nextnonce="n",qop=auth,rspauth="0f",cnonce="a\\"b",nc=00000001',
  );
  t.equal(authenticationInfo({ nextNonce: 'n', proof: undefined }), 'nextnonce="n"');
  t.equal(authenticationInfo({ nextNonce: undefined, proof: undefined }), undefined);
  t.end();
});
