import t from 'tap';
import { authenticate, type Credentials, type Finding } from '../../../src/identity/authentication.js';
import { nonces } from '../../../src/identity/digest/nonce.js';
import { digest, type DigestOptions } from '../../../src/identity/digest/digest.js';
import type { NonceCounts } from '../../../src/identity/digest/nonce-counts.js';
import { digestSecretsFor } from '../../../src/identity/passwords/secrets.js';
import { secretBox } from '../../../src/subscribers/secret-box.js';
import { unusedWindow, useCount, type NonceWindow } from '../../../src/storage/nonces/window.js';
import type { SubscriberDirectory } from '../../../src/subscribers/subscriber.js';
import { credentials } from '../../fixtures/credentials.js';
import { digestAuthorization, parametersOf, type DigestRequest } from '../../fixtures/digest.js';

const alice = {
  xui: 'sip:alice@example.com',
  identities: ['sip:alice@example.com', 'tel:+15550100001'],
  impi: 'alice@private.example.com',
};
const box = secretBox({ secretsKey: Buffer.alloc(32, 7) });
const secrets = digestSecretsFor(alice, ['xcapd', 'example.org'], 'secret').map((one) =>
  box.seal(one, box.keyId),
);
const directory: Pick<SubscriberDirectory, 'digestSecret'> = {
  digestSecret: async (realm, username, algorithm) =>
    secrets.find((one) => one.realm === realm && one.username === username && one.algorithm === algorithm),
};

/** The counts of one process. */
function countsInMemory(): NonceCounts {
  const windows = new Map<string, NonceWindow>();
  return {
    maker: '0123456789ab',
    async use(nonce, count) {
      const next = useCount(windows.get(nonce) ?? unusedWindow, count);
      if (next !== undefined) windows.set(nonce, next);
      return next !== undefined;
    },
  };
}

function setUp(differences: Partial<DigestOptions> = {}) {
  const time = { now: 1_000_000 };
  const counts = countsInMemory();
  const key = Buffer.alloc(32, 1);
  const method = digest({
    directory,
    secretBox: box,
    defaultRealm: 'xcapd',
    nonces: nonces({ key, maker: counts.maker, lifetimeSeconds: 300, now: () => time.now }),
    counts,
    algorithms: ['MD5', 'SHA-256'],
    uriStrictness: 'tolerant',
    ...differences,
  });
  const ask = (request: Partial<Credentials> = {}) => method.identify(credentials(request));
  const challenge = (request: Partial<Credentials> = {}) =>
    parametersOf(method.challenges(credentials(request), false)[0] ?? '');
  /** A correct answer to a challenge, but for the differences. */
  const answer = (differences: Partial<DigestRequest> = {}) => {
    const { realm = '', nonce = '' } = challenge();
    const { method: verb, target: uri } = credentials();
    return digestAuthorization({
      username: 'alice',
      password: 'secret',
      method: verb,
      uri,
      realm,
      nonce,
      ...differences,
    });
  };
  const send = (authorization: string, request: Partial<Credentials> = {}): Promise<Finding> =>
    ask({ ...request, headers: { authorization } });
  return { method, time, ask, challenge, answer, send };
}

t.test('challenges', (t) => {
  const { method } = setUp();
  const challenges = method.challenges(credentials(), false);
  t.equal(challenges.length, 2);
  t.match(
    challenges[0],
    /^Digest realm="example\.com",nonce="[0-9a-f]{72}",algorithm=MD5,qop="auth,auth-int"$/,
  );
  t.match(challenges[1], /,algorithm=SHA-256,/);
  for (const challenge of challenges) t.notMatch(challenge.slice('Digest '.length), /\s/);
  for (const challenge of method.challenges(credentials(), true)) t.match(challenge, /,stale=true$/);
  const [only, ...more] = setUp({ algorithms: ['SHA-256'] }).method.challenges(credentials(), false);
  t.match(only, /algorithm=SHA-256/);
  t.same(more, []);
  for (const domain of [undefined, '', 'a"b', 'a\\b', 'a b', 'a\r\nb', 'é.example']) {
    t.match(method.challenges(credentials({ domain }), false)[0], /^Digest realm="xcapd",/, String(domain));
  }
  t.end();
});

t.test('who is let in', async (t) => {
  const { send, answer, challenge } = setUp();
  const target = credentials().target;
  const cases: readonly [
    name: string,
    differences: Partial<DigestRequest>,
    request?: Partial<Credentials>,
  ][] = [
    ['user part', {}],
    ['address', { username: 'alice@example.com' }],
    ['SIP URI', { username: 'sip:alice@example.com' }],
    ['private identity', { username: 'alice@private.example.com' }],
    ['telephone number', { username: 'tel:+15550100001' }],
    ['SHA-256', { algorithm: 'SHA-256' }],
    ['auth-int', { qop: 'auth-int' }],
    [
      'auth-int with a body',
      { qop: 'auth-int', method: 'PUT', body: '<a/>' },
      { method: 'PUT', body: Buffer.from('<a/>') },
    ],
    ['auth with a body', { method: 'PUT' }, { method: 'PUT', body: Buffer.from('<a/>') }],
    ['MediaTek: uri without query', {}, { target: `${target}?xmlns(a=urn:a)` }],
    [
      'decoded uri',
      { uri: `${target}/~~/a[@b="c d"]` },
      { target: `${target}/~~/a%5B@b=%22c%20d%22%5D?xmlns(a=b)` },
    ],
    ['absolute uri', { uri: `http://xcap.example.com${target}` }],
    ['lower-case algorithm', { algorithm: 'md5' }],
    [
      'the default realm',
      { realm: 'xcapd', nonce: challenge({ domain: undefined }).nonce ?? '', username: 'tel:+15550100001' },
    ],
  ];
  for (const [name, differences, request] of cases) {
    const finding = await send(answer(differences), request);
    t.match(finding, { kind: 'identified', identities: ['sip:alice@example.com'] }, name);
  }
});

t.test('who is refused, with a challenge that is fresh', async (t) => {
  const { method, answer, challenge } = setUp();
  const { nonce = '' } = challenge();
  const other = challenge({ domain: 'example.org' }).nonce ?? '';
  const foreign = setUp({
    nonces: nonces({ key: Buffer.alloc(32, 2), maker: '0123456789ab', lifetimeSeconds: 300 }),
  });
  const cases: readonly [name: string, authorization: string, request?: Partial<Credentials>][] = [
    ['wrong password', answer({ password: 'Secret' })],
    ['unknown user', answer({ username: 'bob' })],
    ['user of another algorithm', answer({ algorithm: 'SHA-512-256' })],
    ['AOSP’s name for MD5-sess', answer({ algorithm: 'MD5-sees' })],
    ['no nonce', answer({ nonce: '' })],
    ['a nonce of nobody', answer({ nonce: 'f'.repeat(nonce.length) })],
    [
      'a nonce that was changed',
      answer({ nonce: `${nonce.slice(0, 20)}${nonce[20] === '0' ? '1' : '0'}${nonce.slice(21)}` }),
    ],
    ['a nonce of another server', answer({ nonce: foreign.challenge().nonce ?? '' })],
    ['a nonce of another realm', answer({ nonce: other })],
    ['another realm', answer({ realm: 'example.org' })],
    ['a uri of somebody else', answer({ uri: '/xcap-root/resource-lists/users/sip:bob@example.com/index' })],
    ['a uri that was changed', answer().replace('/index"', '/index?"')],
    ['another method', answer(), { method: 'DELETE' }],
    ['a quality of protection that there is not', answer({ qop: 'auth-conf' })],
    ['another quality of protection', answer().replace('qop=auth,', 'qop=auth-int,')],
    ['another body with auth-int', answer({ qop: 'auth-int', body: '<a/>' }), { body: Buffer.from('<b/>') }],
    ['another count', answer().replace('00000001', '00000002')],
    ['no count', answer().replace('nc=00000001, ', '')],
    ['another cnonce', answer().replace('c0ffee', 'coffee')],
    ['a response that is too short', answer().slice(0, -2) + '"'],
    ['a response that is no number', answer().slice(0, -2) + 'g"'],
    ['nothing', 'Digest'],
  ];
  for (const [name, authorization, request] of cases) {
    const result = await authenticate([method], credentials({ ...request, headers: { authorization } }));
    t.match(result, { kind: 'unknown' }, name);
    if (result.kind !== 'unknown') continue;
    t.not(result.reason, 'no credentials', name);
    t.notMatch(result.reason, /alice|secret|[0-9a-f]{8}/, `${name}: a reason for the log`);
    t.equal(result.challenges.length, 2, name);
    for (const one of result.challenges) {
      t.notMatch(one, /stale/, name);
      t.notOk(one.includes(nonce), `${name}: another nonce`);
    }
  }
});

t.test('what is not for this method', async (t) => {
  const { ask, send, answer } = setUp();
  t.same(await ask(), { kind: 'none' });
  t.same(await send('Basic YTpi'), { kind: 'none' });
  t.same(await send('DigestX a=b'), { kind: 'none' });
  t.same(await send(answer({ realm: '3GPP-bootstrapping@xcap.example.com' })), { kind: 'none' });
});

t.test('a nonce that has expired', async (t) => {
  const { method, time, answer, send } = setUp();
  const [first, second, wrong] = [answer(), answer(), answer({ password: 'guess' })];
  time.now += 299_999;
  t.match(await send(first), { kind: 'identified' });
  time.now += 1;
  t.match(await send(second), { kind: 'refused', isStale: true });
  t.match(await send(wrong), { kind: 'refused', isStale: false }, 'who does not have the password');
  const result = await authenticate([method], credentials({ headers: { authorization: second } }));
  t.match(result, { challenges: [/,stale=true$/, /,stale=true$/] });
});

t.test('counts', async (t) => {
  const { send, answer, challenge } = setUp();
  const { nonce = '' } = challenge();
  const use = (nc: string) => send(answer({ nonce, nc }));
  for (const [nc, isGood] of [
    ['00000001', true],
    ['00000001', false],
    ['00000004', true],
    ['00000002', true],
    ['00000003', true],
    ['00000002', false],
    ['00000009', true],
    // AOSP counts in decimal digits: its tenth request.
    ['00000010', true],
    ['00000011', true],
    ['0000000a', true],
    ['00000100', true],
    ['000000c0', false],
    ['000000c1', true],
    ['ffffffff', true],
    ['ffffffff', false],
  ] as const) {
    t.match(await use(nc), isGood ? { kind: 'identified' } : { kind: 'refused', isStale: true }, nc);
  }
  const { nonce: fresh = '' } = challenge();
  await send(answer({ nonce: fresh, password: 'guess' }));
  t.match(await send(answer({ nonce: fresh })), { kind: 'identified' }, 'wrong responses use no count up');
});

t.test('Authentication-Info', async (t) => {
  const { time, answer, send, method } = setUp();
  const early = answer();
  const finding = await send(early);
  if (finding.kind !== 'identified') throw new Error(finding.kind);
  const info = finding.headers['authentication-info'] ?? '';
  t.match(info, /^qop=auth,rspauth="[0-9a-f]{32}",cnonce="c0ffee",nc=00000001$/);
  const asServer = digestAuthorization({
    ...{ username: 'alice', password: 'secret', method: '', uri: credentials().target },
    ...{ realm: 'example.com', nonce: parametersOf(early).nonce ?? '' },
  });
  t.equal(parametersOf(info).rspauth, parametersOf(asServer).response);
  t.match(await send(answer({ qop: 'auth-int' })), { headers: {} });
  const late = answer({ qop: 'auth-int' });
  time.now += 226_000;
  const lateFinding = await send(late);
  if (lateFinding.kind !== 'identified') throw new Error(lateFinding.kind);
  const next = lateFinding.headers['authentication-info'] ?? '';
  t.match(next, /^nextnonce="[0-9a-f]{72}"$/);
  time.now += 200_000;
  const { nextnonce = '' } = parametersOf(next);
  t.match(await send(answer({ nonce: nextnonce })), { kind: 'identified' }, 'the next nonce is good');
  t.equal(method.name, 'digest');
});

t.test('algorithms that are off', async (t) => {
  const { send, answer } = setUp({ algorithms: ['SHA-256'] });
  t.match(await send(answer({ algorithm: 'MD5' })), { kind: 'refused', reason: /algorithm/ });
  t.match(await send(answer().replace('algorithm=MD5, ', '')), { kind: 'refused', reason: /algorithm/ });
  t.match(await send(answer({ algorithm: 'SHA-256' })), { kind: 'identified' });
});

t.test('a strict uri', async (t) => {
  const { send, answer } = setUp({ uriStrictness: 'strict' });
  const target = `${credentials().target}?xmlns(a=b)`;
  t.match(await send(answer(), { target }), { kind: 'refused' });
  t.match(await send(answer({ uri: target }), { target }), { kind: 'identified' });
});
