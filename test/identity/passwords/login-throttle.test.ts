import t from 'tap';
import type { Credentials, Finding, AuthenticationScheme } from '../../../src/identity/authentication.js';
import { loginThrottle, type LoginOutcome } from '../../../src/identity/passwords/login-throttle.js';
import type { Subscriber } from '../../../src/subscribers/subscriber.js';
import { networkOf } from '../../../src/identity/peer-network.js';
import { credentials } from '../../fixtures/credentials.js';
import { digestAuthorization } from '../../fixtures/digest.js';
import { addSubscriber } from '../../fixtures/subscribers.js';
import { startServer } from '../../fixtures/xcap-server.js';

const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const identified: Finding = {
  kind: 'identified',
  identities: ['sip:alice@example.com'],
  access: 'read-write',
  headers: {},
};
const refused: Finding = { kind: 'refused', reason: 'wrong', isStale: false };

function basicHeader(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

function by(user: string, password: string, peerAddress = '192.0.2.1'): Credentials {
  return credentials({ peerAddress, headers: basicHeader(user, password) });
}

/** A scheme that knows one password, and counts how often it had to look. */
function scheme(differences: Partial<AuthenticationScheme> = {}) {
  let looks = 0;
  const passwordOnly: AuthenticationScheme = {
    name: 'basic',
    async identify({ headers: { authorization = '' } }) {
      looks++;
      await new Promise((resolve) => setTimeout(resolve, 1));
      const text = Buffer.from(authorization.slice(6), 'base64').toString();
      return text.endsWith(':right') ? identified : refused;
    },
    challenges: () => [],
    ...differences,
  };
  return { passwordOnly, looks: () => looks };
}

const alice: Subscriber = {
  xui: 'sip:alice@example.com',
  identities: ['sip:alice@example.com', 'tel:+15550100001'],
  impi: 'alice@private.example.com',
  isDisabled: false,
  profile: undefined,
  quota: { documents: undefined, bytes: undefined },
};

const settings = {
  failures: 3,
  windowMilliseconds: 60_000,
  trustedProxies: ['10.0.0.0/8'],
  defaultDomain: undefined,
  directory: {
    withIdentity: async (xui: string) => (alice.identities.includes(xui) ? alice : undefined),
    withImpi: async (impi: string) => (impi === alice.impi ? alice : undefined),
  },
};

function asker(scheme: AuthenticationScheme) {
  return (request: Credentials) => scheme.identify(request);
}

function slowed(scheme: AuthenticationScheme, options = settings) {
  return asker(loginThrottle(options)(scheme));
}

t.test('one user name', async (t) => {
  const { passwordOnly, looks } = scheme();
  const identify = slowed(passwordOnly);
  for (const peer of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
    t.same(await identify(by('alice@example.com', 'wrong', peer)), refused);
  }
  for (const spelling of ['alice@example.com', 'sip:alice@EXAMPLE.com']) {
    await t.rejects(identify(by(spelling, 'right', '192.0.2.4')), {
      name: 'TooManyFailedLogins',
      retryAfterSeconds: 60,
    });
  }
  t.equal(looks(), 3, 'the last ones cost nothing');
  t.same(await identify(by('bob@example.com', 'right', '192.0.2.1')), identified, 'others go on');
});

t.test('a success clears the user name, not the peer', async (t) => {
  const identify = slowed(scheme().passwordOnly);
  await identify(by('alice', 'wrong', '192.0.2.1'));
  await identify(by('alice', 'wrong', '192.0.2.2'));
  t.same(await identify(by('alice', 'right', '192.0.2.1')), identified);
  await identify(by('alice', 'wrong', '192.0.2.1'));
  await identify(by('alice', 'wrong', '192.0.2.1'));
  t.same(await identify(by('alice', 'right', '192.0.2.2')), identified, 'two since');
  await t.rejects(identify(by('alice', 'right', '192.0.2.1')), { name: 'TooManyFailedLogins' }, 'three');
});

t.test('one peer, whatever the name', async (t) => {
  const identify = slowed(scheme().passwordOnly);
  const addresses = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3'];
  for (const [i, address] of addresses.entries()) await identify(by(`user${i}`, 'wrong', address));
  await t.rejects(identify(by('bob', 'right', '2001:db8::4')), { name: 'TooManyFailedLogins' });
  t.same(await identify(by('bob', 'right', '2001:db8:0:1::4')), identified, 'another network');
  t.same(
    await identify(credentials({ peerAddress: '2001:db8::4', headers: {} })),
    refused,
    'nobody is slowed down without credentials: this is the answer of the scheme',
  );
});

t.test('nothing is counted for trusted proxies, stale nonces and what is not refused', async (t) => {
  const throttle = loginThrottle(settings);
  const identify = asker(throttle(scheme().passwordOnly));
  for (let i = 0; i < 10; i++) await identify(by(`user${i}`, 'wrong', '10.0.0.1'));
  t.same(await identify(by('alice', 'right', '10.0.0.1')), identified);
  for (const finding of [{ ...refused, isStale: true }, { kind: 'none' } as const]) {
    const other = throttle(scheme({ identify: async () => finding }).passwordOnly);
    for (let i = 0; i < 10; i++) t.same(await other.identify(by('bob', 'x')), finding);
  }
  const asserted = scheme({ name: 'asserted-identity' }).passwordOnly;
  t.equal(throttle(asserted), asserted, 'schemes that look at no password are left as they are');
});

t.test('the window passes', async (t) => {
  const identify = slowed(scheme().passwordOnly, { ...settings, windowMilliseconds: 100 });
  for (let i = 0; i < 3; i++) await identify(by('alice', 'wrong'));
  await t.rejects(identify(by('alice', 'right')), { name: 'TooManyFailedLogins', retryAfterSeconds: 1 });
  await new Promise((resolve) => setTimeout(resolve, 150));
  t.same(await identify(by('alice', 'right')), identified);
});

t.test('500 guesses at once: no more are looked at than may fail', async (t) => {
  const { passwordOnly, looks } = scheme();
  const identify = slowed(passwordOnly);
  const guesses = Array.from({ length: 500 }, (_, i) =>
    identify(by('alice', `wrong${i}`, `198.51.100.${i % 250}`)).then(
      () => 'refused',
      (error: unknown) => (error as Error).name,
    ),
  );
  const answers = await Promise.all(guesses);
  t.equal(answers.filter((answer) => answer === 'refused').length, 3);
  t.equal(answers.filter((answer) => answer === 'TooManyFailedLogins').length, 497);
  t.equal(looks(), 3);
  const others = scheme();
  const throttled = loginThrottle(settings)(others.passwordOnly);
  const logins = Array.from({ length: 100 }, () => throttled.identify(by('bob', 'right')));
  t.ok(
    (await Promise.all(logins)).every(({ kind }) => kind === 'identified'),
    'who is right only waits',
  );
});

t.test('one peer with many names at once', async (t) => {
  const { passwordOnly, looks } = scheme();
  const identify = slowed(passwordOnly);
  const guesses = Array.from({ length: 120 }, (_, i) =>
    identify(by(`user${i}`, 'wrong')).catch(() => undefined),
  );
  const answers = await Promise.all(guesses);
  t.equal(answers.filter((answer) => answer !== undefined).length, 3);
  t.equal(looks(), 3);
});

t.test('a subscriber is counted by whichever name', async (t) => {
  const { passwordOnly, looks } = scheme();
  const identify = slowed(passwordOnly);
  const names = [
    'alice@example.com',
    'tel:+1-555-010-0001',
    'alice@private.example.com',
    'sip:alice@EXAMPLE.com',
    'alice',
  ];
  for (const [i, name] of names.entries()) {
    const answer = identify({ ...by(name, 'wrong', `198.51.100.${i}`), domain: 'example.com' });
    if (i < 3) t.same(await answer, refused, name);
    else await t.rejects(answer, { name: 'TooManyFailedLogins' }, name);
  }
  t.equal(looks(), 3);
  const inOtherRealm = { ...by('alice', 'right', '198.51.100.9'), domain: 'example.org' };
  t.same(await identify(inOtherRealm), identified, 'who has that name elsewhere is somebody else');
});

t.test('processes count together', async (t) => {
  const listeners: ((outcome: LoginOutcome) => void)[] = [];
  const looks: (() => number)[] = [];
  const workers = [0, 1, 2].map((own) => {
    const one = scheme();
    looks.push(one.looks);
    const colleagues = {
      processes: 3,
      tell: (outcome: LoginOutcome) => listeners.forEach((told, i) => i !== own && told(outcome)),
      onTold: (told: (outcome: LoginOutcome) => void) => void listeners.push(told),
    };
    return asker(loginThrottle({ ...settings, colleagues })(one.passwordOnly));
  });
  const guesses = workers.flatMap((worker) =>
    Array.from({ length: 30 }, (_, i) =>
      worker(by('alice@example.com', 'wrong', `198.51.100.${i}`)).catch(() => undefined),
    ),
  );
  await Promise.all(guesses);
  const looked = looks.reduce((sum, count) => sum + count(), 0);
  t.ok(looked >= 3 && looked <= 5, `${looked}: each process has one of its own on the way at most`);
  for (const worker of workers) await t.rejects(worker(by('alice@example.com', 'right', '203.0.113.1')));
  await workers[0]?.(by('bob', 'wrong', '203.0.113.2'));
  await workers[1]?.(by('bob', 'wrong', '203.0.113.3'));
  t.same(await workers[2]?.(by('bob', 'right', '203.0.113.4')), identified);
  for (const peer of ['203.0.113.5', '203.0.113.6']) await workers[0]?.(by('bob', 'wrong', peer));
  t.same(
    await workers[1]?.(by('bob', 'right', '203.0.113.7')),
    identified,
    'a success is known everywhere, too',
  );
});

t.test('what counts as one peer', (t) => {
  const cases: [address: string, network: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '0:0:0:0'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
  ];
  for (const [address, network] of cases) t.equal(networkOf(address), network, address);
  t.end();
});

t.test('429 with Retry-After, for Basic and Digest together', async (t) => {
  const server = await startServer(t, {
    environment: {
      XCAP_IDENTITY_METHODS: 'asserted-identity,digest,basic',
      XCAP_TRUSTED_PROXIES: '192.0.2.1',
      XCAP_LOGIN_FAILURES: '3',
    },
  });
  await addSubscriber(server.database, { xui: 'sip:alice@example.com', password: 'secret' });
  const login = (headers: Record<string, string>) => server.send('GET', target, { as: null, headers });
  const challenge = await login({});
  const header = String(challenge.headers['www-authenticate']);
  const nonce = /nonce="([^"]+)"/.exec(header)?.[1] ?? '';
  const digest = (password: string) =>
    digestAuthorization({
      ...{ username: 'alice@example.com', password, method: 'GET', uri: target },
      ...{ realm: 'example.com', nonce },
    });
  t.equal((await login(basicHeader('alice@example.com', 'guess 1'))).status, 401);
  t.equal((await login({ authorization: digest('guess 2') })).status, 401);
  t.equal((await login(basicHeader('sip:alice@example.com', 'guess 3'))).status, 401);
  for (const headers of [basicHeader('alice@example.com', 'secret'), { authorization: digest('secret') }]) {
    const answer = await login(headers);
    t.equal(answer.status, 429);
    t.match(answer.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/);
    t.match(answer.body, /too many failed logins/);
    t.equal(answer.headers['www-authenticate'], undefined);
  }
  t.equal((await login({})).status, 401, 'who sends no credentials is challenged as ever');
});

t.test('a name that no database keeps is nobody, whichever schemes are on', async (t) => {
  for (const methods of ['digest', 'digest,basic']) {
    const { send } = await startServer(t, {
      environment: { XCAP_IDENTITY_METHODS: methods, XCAP_TRUSTED_PROXIES: '192.0.2.1' },
    });
    for (const [user, password] of [
      ['\0\0', 'x'],
      ['sip:a\0@example.com', 'x'],
      ['alice', '\0'],
    ] as const) {
      const answer = await send('GET', target, { as: null, headers: basicHeader(user, password) });
      t.equal(answer.status, 401, `${methods}: ${JSON.stringify([user, password])}`);
    }
  }
});

t.test('off', async (t) => {
  const { send } = await startServer(t, {
    environment: { XCAP_IDENTITY_METHODS: 'basic', XCAP_TRUSTED_PROXIES: '', XCAP_LOGIN_FAILURES: '0' },
  });
  const headers = basicHeader('alice@example.com', 'guess');
  for (let i = 0; i < 12; i++) t.equal((await send('GET', target, { as: null, headers })).status, 401);
});
