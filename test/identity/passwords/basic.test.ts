import t from 'tap';
import type { Credentials } from '../../../src/identity/authentication.js';
import { basic } from '../../../src/identity/passwords/basic.js';
import { hashPassword } from '../../../src/identity/passwords/secrets.js';
import type { Subscriber } from '../../../src/subscribers/subscriber.js';
import { credentials } from '../../fixtures/credentials.js';

const cost = { logarithmicCost: 10, blockSize: 8, parallelization: 1 };
const none = { isDisabled: false, profile: undefined, quota: { documents: undefined, bytes: undefined } };
const alice: Subscriber = {
  ...none,
  xui: 'sip:alice@example.com',
  identities: ['sip:alice@example.com', 'tel:+15550100001'],
  impi: 'alice@private.example.com',
};
const bob: Subscriber = {
  ...none,
  xui: 'sip:bob@example.com',
  identities: ['sip:bob@example.com'],
  impi: undefined,
};
const subscribers = [alice, bob];

async function setUp() {
  const hashes = new Map([[alice.xui, await hashPassword('se:cret é', cost)]]);
  const method = basic({
    directory: {
      withIdentity: async (identity) => subscribers.find((one) => one.identities.includes(identity)),
      withImpi: async (impi) => subscribers.find((one) => one.impi === impi),
      passwordHash: async (xui) => hashes.get(xui),
    },
    defaultRealm: 'xcapd',
    defaultDomain: undefined,
    trustedProxies: [],
  });
  const send = (text: string, request: Partial<Credentials> = { isSecure: true }) => {
    const authorization = `Basic ${Buffer.from(text).toString('base64')}`;
    return method.identify(credentials({ ...request, headers: { authorization } }));
  };
  return { method, send, hashes };
}

t.test('who is let in', async (t) => {
  const { send } = await setUp();
  for (const user of [
    'alice',
    'alice@example.com',
    'alice@EXAMPLE.com',
    'sip:alice@example.com',
    'tel:+15550100001',
    'alice@private.example.com',
  ]) {
    t.match(
      await send(`${user}:se:cret é`),
      { kind: 'identified', identities: ['sip:alice@example.com'] },
      user,
    );
  }
});

t.test('who is refused', async (t) => {
  const { method, send } = await setUp();
  for (const text of [
    'alice:se:cret',
    'alice:',
    'alice@example.org:se:cret é',
    'carol:se:cret é',
    'bob:se:cret é',
    'bob:',
    ':',
    'alice',
    'sip:alice',
    'alice\0:se:cret é',
  ]) {
    t.match(await send(text), { kind: 'refused', isStale: false }, JSON.stringify(text));
  }
  for (const authorization of ['Basic', 'Basic !', 'Basic YQ== YQ==']) {
    const finding = await method.identify(credentials({ isSecure: true, headers: { authorization } }));
    t.match(finding, { kind: 'refused' }, authorization);
  }
  for (const authorization of [undefined, 'Digest a="b"', 'Basically YTpi']) {
    const headers = authorization === undefined ? {} : { authorization };
    t.same(await method.identify(credentials({ headers })), { kind: 'none' }, String(authorization));
  }
  t.match(
    await send('alice:se:cret é', { isSecure: true, domain: undefined }),
    { kind: 'refused' },
    'no domain',
  );
});

t.test('only where nobody listens', async (t) => {
  const { method, send } = await setUp();
  const cases: readonly [request: Partial<Credentials>, isOffered: boolean][] = [
    [{ isSecure: true, peerAddress: '192.0.2.1' }, true],
    [{ isSecure: true, peerAddress: '' }, true],
    [{ peerAddress: '127.0.0.1' }, true],
    [{ peerAddress: '127.1.2.3' }, true],
    [{ peerAddress: '::1' }, true],
    [{ peerAddress: '::ffff:127.0.0.1' }, true],
    [{ peerAddress: '192.0.2.1' }, false],
    [{ peerAddress: '2001:db8::1' }, false],
    [{ peerAddress: '::ffff:192.0.2.1' }, false],
    [{ peerAddress: '' }, false],
  ];
  for (const [request, isOffered] of cases) {
    const name = JSON.stringify(request);
    const challenges = isOffered ? ['Basic realm="example.com",charset="UTF-8"'] : [];
    t.same(method.challenges(credentials(request), false), challenges, name);
    t.match(await send('alice:se:cret é', request), { kind: isOffered ? 'identified' : 'refused' }, name);
  }
  const other = credentials({ isSecure: true, domain: 'a"b' });
  t.match(method.challenges(other, false), ['Basic realm="xcapd",charset="UTF-8"']);
});

t.test('a new password counts at once, and an old one no more', async (t) => {
  const { send, hashes } = await setUp();
  t.match(await send('alice:se:cret é'), { kind: 'identified' });
  t.match(await send('alice:new'), { kind: 'refused' });
  hashes.set(alice.xui, await hashPassword('new', cost));
  t.match(await send('alice:new'), { kind: 'identified' });
  t.match(await send('alice:se:cret é'), { kind: 'refused' });
  hashes.delete(alice.xui);
  t.match(await send('alice:new'), { kind: 'refused' });
});

/** What this process computes meanwhile, in milliseconds: a machine that others use changes nothing. */
async function computedBy(action: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

t.test('one check for many requests', async (t) => {
  const { send, hashes } = await setUp();
  hashes.set(alice.xui, await hashPassword('slow', { ...cost, logarithmicCost: 15 }));
  const ask = () => Promise.all(Array.from({ length: 50 }, () => send('alice:slow')));
  const first = await computedBy(ask);
  const later = await computedBy(ask);
  t.ok(later < first / 2, `${first} ms, then ${later} ms`);
});

t.test('a hash that is broken is an error of the server', async (t) => {
  const { send, hashes } = await setUp();
  hashes.set(alice.xui, 'plain');
  await t.rejects(send('alice:plain'), /known form/);
  await t.rejects(send('alice:plain'), /known form/);
});

t.test('an unknown user costs what a known one does', async (t) => {
  const { send } = await setUp();
  const millisecondsFor = (text: string) =>
    computedBy(async () => t.match(await send(text), { kind: 'refused' }));
  await send('nobody@example.com:guess');
  const first = await millisecondsFor('nobody1@example.com:guess');
  const second = await millisecondsFor('nobody2@example.com:guess');
  t.ok(second > first / 5, 'the answer to another name is not that of the name before');
});

t.test('why somebody is refused is known to the log', async (t) => {
  const { send } = await setUp();
  for (const [text, reason] of [
    ['nobody@example.com:x', 'the user is not known'],
    ['bob@example.com:x', 'the user has no password'],
    ['alice@example.com:x', 'the password is wrong'],
    [`${'a'.repeat(1100)}:x`, 'the header breaks the syntax'],
  ] as const) {
    t.match(await send(text), { kind: 'refused', reason });
  }
});
