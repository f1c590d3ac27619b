import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCiphers } from 'node:tls';
import t from 'tap';
import { accessTokens } from '../../../src/identity/core-network/access-token.js';
import { bootstrappingServer } from '../../../src/identity/core-network/bootstrapping.js';
import { cipherSuiteCode } from '../../../src/identity/core-network/cipher-suites.js';
import { bootstrappedKeyKinds, bootstrappedKeys } from '../../../src/identity/core-network/gba.js';
import { coreNetworkClient } from '../../../src/identity/core-network/core-network-client.js';
import {
  networkFunction,
  type NetworkFunctionOptions,
} from '../../../src/identity/core-network/network-function.js';
import {
  securityProtocol,
  type SecurityProtocolOptions,
} from '../../../src/identity/core-network/security-protocol.js';
import { sharedKeyDigest } from '../../../src/identity/core-network/shared-key-digest.js';
import { cachedKeys } from '../../../src/identity/core-network/shared-keys.js';
import type { AuthenticationScheme } from '../../../src/identity/authentication.js';
import type { Subscriber } from '../../../src/subscribers/subscriber.js';
import {
  applicationKey,
  bootstrap,
  challengeOf,
  deviceSession,
  startFunction,
  type Bootstrapping,
  type NetworkReply,
  type NetworkRequest,
} from '../../fixtures/core-network.js';
import { digestParts, startIdentityServer, type Ask } from '../../fixtures/identity-server.js';
import { peerProgram } from '../../fixtures/peers.js';
import { temporaryDirectory } from '../../fixtures/serve.js';
import { startServer } from '../../fixtures/xcap-server.js';

const impi = '001010000000001@ims.mnc001.mcc001.3gppnetwork.org';
const host = 'xcap.ims.mnc001.mcc001.pub.3gppnetwork.org';
const overHttp = '0100000002';
const userAgent = 'XCAP Client 3gpp-gba';

const alice: Subscriber = {
  xui: 'sip:alice@example.com',
  identities: ['tel:+4930123', 'sip:alice@example.com'],
  impi,
  isDisabled: false,
  profile: undefined,
  quota: { documents: undefined, bytes: undefined },
};

const directory = {
  withImpi: (asked: string) => Promise.resolve(asked === impi ? alice : undefined),
};

interface MethodOptions {
  readonly url: string;
  readonly network?: Partial<NetworkFunctionOptions>;
  readonly protocol?: Partial<SecurityProtocolOptions>;
}

function gba({ url, network, protocol }: MethodOptions): AuthenticationScheme {
  const request = networkFunction({
    apiRoot: url,
    name: 'The bootstrapping server',
    scope: 'nbsp-gba',
    client: coreNetworkClient(),
    tokens: undefined,
    retryMilliseconds: 100,
    ...network,
  });
  return sharedKeyDigest({
    ...digestParts(),
    name: 'gba',
    hostnames: [host, 'a.example', 'b.example', 'tls.example.com', '::1'],
    kinds: bootstrappedKeyKinds,
    source: cachedKeys(bootstrappedKeys(bootstrappingServer(request))),
    directory,
    uriStrictness: 'tolerant',
    protocolOf: securityProtocol({ trustedProxies: [], cipherHeader: undefined, ...protocol }),
  });
}

interface Known extends Bootstrapping {
  readonly more?: object;
}

/** A BSF that knows these transactions (TS 29.309). */
function bsf(known: readonly Known[]): (request: NetworkRequest) => NetworkReply {
  return ({ path, body }) => {
    const { btId, nafId } = body as { btId: string; nafId: { nafFqdn: string; uaSecProtId: string } };
    const transaction = known.find(({ bTid }) => bTid === btId);
    if (path !== '/nbsp-gba/v1/bootstrapping-info-retrieval' || transaction === undefined) {
      return { status: 404, headers: { 'content-type': 'application/problem+json' }, body: {} };
    }
    const keyFor = (usage: 'gba-me' | 'gba-u') =>
      applicationKey(transaction, nafId.nafFqdn, nafId.uaSecProtId, usage).toString('hex');
    return {
      status: 200,
      body: {
        meKeyMaterial: keyFor('gba-me'),
        uiccKeyMaterial: keyFor('gba-u').toUpperCase(),
        keyExpiryTime: inSeconds(3600),
        impi: transaction.impi,
        ...transaction.more,
      },
    };
  };
}

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

function deviceOf(transaction: Bootstrapping, protocolId = overHttp, at = host) {
  return {
    userAgent,
    username: transaction.bTid,
    host: at,
    key: applicationKey(transaction, at, protocolId),
  };
}

const identified = {
  status: 200,
  identities: ['sip:alice@example.com', 'tel:+4930123'],
  access: 'read-write',
};
const away = { status: 503, headers: { 'retry-after': /^\d+$/ } };

t.test('a key for many requests', async (t) => {
  const transaction = bootstrap(impi);
  const server = await startFunction(t, bsf([transaction]));
  const ask = await startIdentityServer(t, [gba({ url: `${server.url}/` })]);
  const challenged = await ask({ headers: { host: `${host}:8080`, 'user-agent': userAgent } });
  t.equal(challenged.status, 401);
  t.match(
    challenged.headers['www-authenticate'],
    /^Digest realm="3GPP-bootstrapping@xcap\.ims\.mnc001\.mcc001\.pub\.3gppnetwork\.org",nonce="[^"]+",algorithm=MD5,qop="auth-int,auth"$/,
  );
  t.equal(server.requests.length, 0, 'a challenge needs nobody');

  const session = deviceSession(ask, deviceOf(transaction));
  t.match(await session.ask(), identified);
  t.match(await session.ask({ method: 'PUT', path: '/a', body: '<a/>' }), identified);
  t.match(await Promise.all(['/b', '/c', '/d'].map((path) => session.ask({ path }))), [
    identified,
    identified,
    identified,
  ]);
  t.equal(session.sent(), 6, 'one 401 and no more');
  t.match(server.requests, [
    {
      body: {
        btId: transaction.bTid,
        nafId: { nafFqdn: host, uaSecProtId: overHttp },
        gbaUAware: true,
      },
    },
  ]);
  t.equal(server.requests.length, 1, 'one request of the key');

  const others = await Promise.all(
    ['/1', '/2', '/3'].map((path) =>
      deviceSession(ask, deviceOf(transaction, overHttp, 'b.example')).ask({ path }),
    ),
  );
  t.match(others, [identified, identified, identified]);
  t.equal(server.requests.length, 2, 'several at a time ask once, and another host has another key');
});

t.test('who gets which challenge', async (t) => {
  const ask = await startIdentityServer(t, [gba({ url: 'http://127.0.0.1:1' })]);
  const cases: readonly [agent: string, at: string, realm: string | undefined][] = [
    ['3gpp-gba', 'a.example', '3GPP-bootstrapping@a.example'],
    ['Client 3GPP-GBA', 'A.example:443', '3GPP-bootstrapping@A.example'],
    ['Client 3gpp-gba 3gpp-gba-uicc', 'a.example', '3GPP-bootstrapping-uicc@a.example'],
    ['Client 3gpp-gba-digest', 'a.example', '3GPP-bootstrapping-digest@a.example'],
    ['3gpp-gba', '[::1]:8080', '3GPP-bootstrapping@[::1]'],
    ['Client', 'a.example', undefined],
    ['', 'a.example', undefined],
    ['3gpp-gba', 'stranger.example', undefined],
    ['3gpp-gba', 'a"b', undefined],
    ['3gpp-gba', 'user@a.example', undefined],
  ];
  for (const [agent, at, realm] of cases) {
    const answer = await ask({ headers: { host: at, 'user-agent': agent } });
    t.match(answer, { status: 401 });
    t.equal(challengeOf(answer)?.get('realm'), realm, `${agent} at ${at}`);
  }
});

t.test('other credentials are for other methods', async (t) => {
  const ask = await startIdentityServer(t, [gba({ url: 'http://127.0.0.1:1' })]);
  for (const authorization of [
    'Basic YTpi',
    'Bearer x',
    'Digest username="a",realm="example.com",nonce="n",uri="/",response="00",qop=auth,nc=1,cnonce="c"',
  ]) {
    const { status, headers } = await ask({ headers: { authorization, host } });
    t.equal(status, 401);
    t.notOk(headers['www-authenticate'], authorization);
  }
});

t.test('the key of the card', async (t) => {
  const transaction = bootstrap(impi);
  const server = await startFunction(t, bsf([transaction]));
  const ask = await startIdentityServer(t, [gba({ url: server.url })]);
  const device = deviceOf(transaction);
  const onCard = {
    ...device,
    userAgent: '3gpp-gba-uicc',
    key: applicationKey(transaction, host, overHttp, 'gba-u'),
  };
  t.match(await deviceSession(ask, onCard).ask(), identified);
  t.match(await deviceSession(ask, device).ask(), identified, 'that of the device is there, too');
  t.equal(server.requests.length, 1);
  t.match(await deviceSession(ask, { ...device, userAgent: '3gpp-gba-uicc' }).ask(), { status: 401 });
  t.match(await deviceSession(ask, { ...onCard, userAgent }).ask(), { status: 401 });
});

t.test('keys that are no good', async (t) => {
  const transaction = bootstrap(impi);
  const expired = { ...bootstrap(impi), more: { keyExpiryTime: inSeconds(-1) } };
  const broken = { ...bootstrap(impi), more: { meKeyMaterial: 'abc' } };
  const known: Known[] = [transaction, expired, broken];
  const server = await startFunction(t, bsf(known));
  const ask = await startIdentityServer(t, [gba({ url: server.url })]);
  const refused = { status: 401, headers: { 'www-authenticate': /realm="3GPP-bootstrapping@/ } };
  for (const [name, device] of [
    ['an unknown transaction', deviceOf(bootstrap(impi))],
    ['an expired key', deviceOf(expired)],
    ['a key that is none', deviceOf(broken)],
    ['a key for another host', { ...deviceOf(transaction, overHttp, 'other.example'), host }],
    ['a key for TLS', deviceOf(transaction, '0100011301')],
  ] as const) {
    const answer = await deviceSession(ask, device).ask();
    t.match(answer, refused, name);
    t.notMatch(answer.headers['www-authenticate'], /stale/, `${name}: a new nonce would not help`);
  }
  const expiring = { ...bootstrap(impi), more: { keyExpiryTime: inSeconds(2) } };
  known.push(expiring);
  const session = deviceSession(ask, deviceOf(expiring));
  t.match(await session.ask(), identified);
  await sleep(2100);
  const answer = await session.ask();
  t.match(answer, refused, 'a key that expires makes the device bootstrap again');
  t.match(answer.headers['www-authenticate'], /realm="3GPP-bootstrapping@/);
});

t.test('credentials for one host are none for another', async (t) => {
  const transaction = bootstrap(impi);
  const server = await startFunction(t, bsf([transaction]));
  const ask = await startIdentityServer(t, [gba({ url: server.url })]);
  // A client of a.example that says with its Host header that it means b.example.
  const session = deviceSession(
    (options = {}) => {
      const { headers = {} } = options;
      return ask(
        headers.authorization === undefined
          ? options
          : { ...options, headers: { ...headers, host: 'b.example' } },
      );
    },
    deviceOf(transaction, overHttp, 'a.example'),
  );
  t.match(await session.ask(), { status: 401 });
  t.equal(server.requests.length, 0);
});

t.test('an identifier that was made up is asked for once', async (t) => {
  const server = await startFunction(t, bsf([]));
  const ask = await startIdentityServer(t, [gba({ url: server.url })]);
  const session = deviceSession(ask, deviceOf(bootstrap(impi)));
  for (let i = 0; i < 5; i += 1) t.match(await session.ask(), { status: 401 });
  t.equal(server.requests.length, 1);
  const long = { ...deviceOf(bootstrap(impi)), username: 'x'.repeat(2000) };
  t.match(await deviceSession(ask, long).ask(), { status: 401 });
  t.equal(server.requests.length, 1, 'one that is too long is none');
});

t.test('the key of another server, whose name is none of this one', async (t) => {
  const transaction = bootstrap(impi);
  const server = await startFunction(t, bsf([transaction]));
  const ask = await startIdentityServer(t, [gba({ url: server.url })]);
  const own = deviceOf(transaction);
  t.match(await deviceSession(ask, own).ask(), identified);
  for (const at of ['naf.operator.example', '127.0.0.1', `${host}.evil.example`]) {
    const authorization =
      `Digest username="${transaction.bTid}",realm="3GPP-bootstrapping@${at}",nonce="n",uri="/",` +
      'response="00",qop=auth,nc=00000001,cnonce="c"';
    t.match(
      await ask({ headers: { host: at, 'user-agent': userAgent, authorization } }),
      { status: 421 },
      at,
    );
    const { status, headers } = await ask({ headers: { host: at, 'user-agent': userAgent } });
    t.strictSame([status, headers['www-authenticate']], [401, undefined], 'and nobody is asked for one');
  }
  t.equal(server.requests.length, 1);
});

t.test('a request of somebody who has no nonce of this server asks nobody', async (t) => {
  const transaction = bootstrap(impi);
  const server = await startFunction(t, bsf([transaction]));
  const ask = await startIdentityServer(t, [gba({ url: server.url })]);
  const authorization =
    `Digest username="${transaction.bTid}",realm="3GPP-bootstrapping@${host}",nonce="n",uri="/",` +
    'response="00",qop=auth,nc=00000001,cnonce="c"';
  t.match(await ask({ headers: { authorization, host } }), {
    status: 401,
    headers: { 'www-authenticate': /realm="3GPP-bootstrapping@/ },
  });
  t.equal(server.requests.length, 0);
});

t.test('whose key it is', async (t) => {
  const uss = (...ueIds: string[]) => ({
    ussList: [{ uss: { gsId: 1, ueIds: ueIds.map((ueId) => ({ ueId })) } }],
  });
  const cases: readonly [known: Known, expected: object][] = [
    [
      { ...bootstrap(impi), more: uss('sip:Bob@EXAMPLE.com', 'tel:+4930456') },
      { status: 200, identities: ['sip:Bob@example.com', 'tel:+4930456'] },
    ],
    [{ ...bootstrap(impi), more: { ussList: [{ uss: { gsId: 1 } }] } }, identified],
    [{ ...bootstrap(impi), more: { ussList: 'nonsense' } }, identified],
    [bootstrap('nobody@example.com'), { status: 403 }],
    [{ ...bootstrap(impi), more: { impi: undefined } }, { status: 403 }],
  ];
  const server = await startFunction(t, bsf(cases.map(([known]) => known)));
  const ask = await startIdentityServer(t, [gba({ url: server.url })]);
  for (const [known, expected] of cases) {
    t.match(await deviceSession(ask, deviceOf(known)).ask(), expected, JSON.stringify(known.more));
  }
});

t.test('the bootstrapping server is away', async (t) => {
  const transactions = [bootstrap(impi), bootstrap(impi)];
  const [first, second] = transactions.map((transaction) => deviceOf(transaction));
  if (first === undefined || second === undefined) return;
  const server = await startFunction(t, bsf(transactions));
  const ask = await startIdentityServer(t, [gba({ url: server.url })]);
  const known = deviceSession(ask, first);
  t.match(await known.ask(), identified);
  await server.stop();
  const late = deviceSession(ask, second);
  for (let i = 0; i < 5; i += 1) t.match(await late.ask(), away);
  t.match(await known.ask(), identified, 'keys that are known last');
  await server.start();
  await sleep(150);
  t.match(await late.ask(), identified, 'it heals by itself');
  t.equal(late.sent(), 7, 'with the nonce that it had');
});

t.test('a bootstrapping server that does not answer is not waited for again and again', async (t) => {
  const server = await startFunction(t, async () => sleep(5000, { status: 500 }, { ref: false }));
  const network = { timeoutMilliseconds: 1000, retryMilliseconds: 20_000 };
  const ask = await startIdentityServer(t, [gba({ url: server.url, network })]);
  const session = deviceSession(ask, deviceOf(bootstrap(impi)));
  t.match(await session.ask(), away);
  for (let i = 0; i < 5; i += 1) t.match(await session.ask(), away);
  t.equal(server.requests.length, 1);
});

t.test('what is no answer about a key', async (t) => {
  const json = { 'content-type': 'application/json' };
  const cases: readonly [reply: NetworkReply, status: number, retryAfter?: string][] = [
    [{ status: 503, headers: { 'retry-after': '17' } }, 503, '17'],
    [{ status: 429, headers: { 'retry-after': '99999' } }, 503, '60'],
    [{ status: 429 }, 503, '5'],
    [{ status: 500 }, 503, '5'],
    [{ status: 401 }, 503, '5'],
    [{ status: 403 }, 503, '5'],
    [{ status: 200, headers: json }, 503, '5'],
    [{ status: 400, body: {} }, 401],
    [{ status: 204 }, 401],
    [{ status: 200, body: [] }, 401],
  ];
  for (const [reply, status, retryAfter] of cases) {
    const server = await startFunction(t, () => reply);
    const ask = await startIdentityServer(t, [gba({ url: server.url })]);
    const answer = await deviceSession(ask, deviceOf(bootstrap(impi))).ask();
    t.equal(answer.status, status, JSON.stringify(reply));
    t.equal(answer.headers['retry-after'], retryAfter);
  }
});

t.test('redirections', async (t) => {
  const transaction = bootstrap(impi);
  const server = await startFunction(t, bsf([transaction]));
  const path = '/nbsp-gba/v1/bootstrapping-info-retrieval';
  const to = (location: string, status = 307) => startFunction(t, () => ({ status, headers: { location } }));
  const once = await to(`${server.url}${path}`, 308);
  const twice = await to(once.url);
  const thrice = await to(twice.url);
  for (const [name, { url }, expected] of [
    ['one', once, identified],
    ['two', twice, identified],
    ['three', thrice, away],
    ['to another scheme', await to('https://127.0.0.1:1/'), away],
    ['to a file', await to('file:///etc/passwd'), away],
    ['to nowhere', await to('http://'), away],
    ['another status', await to(server.url, 302), { status: 401 }],
  ] as const) {
    const ask = await startIdentityServer(t, [gba({ url })]);
    t.match(await deviceSession(ask, deviceOf(transaction)).ask(), expected, name);
  }
});

t.test('access tokens', async (t) => {
  const transactions = [bootstrap(impi), bootstrap(impi), bootstrap(impi)];
  const answer = bsf(transactions);
  let valid = 'token-1';
  const server = await startFunction(t, (request) =>
    request.headers.authorization === `Bearer ${valid}` ? answer(request) : { status: 401 },
  );
  const nrf = await startFunction(t, () => ({
    status: 200,
    body: { access_token: valid, token_type: 'Bearer', expires_in: 3600 },
  }));
  const tokens = accessTokens({
    url: nrf.url,
    clientId: 'xcapd:1',
    client: coreNetworkClient(),
    clientSecret: () => Promise.resolve('s cret\n'),
  });
  const ask = await startIdentityServer(t, [gba({ url: server.url, network: { tokens } })]);
  const [first, second, third] = transactions.map((one) => deviceSession(ask, deviceOf(one)));
  t.match(await first?.ask(), identified);
  t.match(await second?.ask(), identified);
  t.equal(nrf.requests.length, 1, 'one token for several requests');
  t.match(nrf.requests, [
    {
      headers: { authorization: `Basic ${Buffer.from('xcapd%3A1:s%20cret').toString('base64')}` },
      body: 'grant_type=client_credentials&scope=nbsp-gba',
    },
  ]);
  valid = 'token-2';
  t.match(await third?.ask(), identified, 'a token that was withdrawn is replaced');
  t.equal(nrf.requests.length, 2);

  await nrf.stop();
  const without = accessTokens({
    url: nrf.url,
    clientId: 'x',
    client: coreNetworkClient(),
    clientSecret: () => Promise.resolve('y'),
  });
  const late = await startIdentityServer(t, [gba({ url: server.url, network: { tokens: without } })]);
  t.match(await deviceSession(late, deviceOf(bootstrap(impi))).ask(), away, 'no token, no key');
});

t.test('over TLS the key is bound to the cipher suite', async (t) => {
  const directory = temporaryDirectory(t);
  const [keyFile, certificateFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync(
    peerProgram('openssl'),
    ['req', ...kind, '-subj', '/CN=test', '-keyout', keyFile, '-out', certificateFile],
    { stdio: 'pipe' },
  );
  const certificate = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  const transaction = bootstrap(impi);
  const server = await startFunction(t, bsf([transaction]));
  const ask = await startIdentityServer(t, [gba({ url: server.url })], certificate);
  for (const [tls, protocolId] of [
    [{ minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }, '0100011301'],
    [{ minVersion: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }, '0100011303'],
    [{ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, '010001c02c'],
  ] as const) {
    const options = { tls: { ...tls, rejectUnauthorized: false } };
    t.match(await deviceSession(ask, deviceOf(transaction, protocolId)).ask(options), identified, protocolId);
    const wrong = deviceSession(ask, deviceOf(transaction, overHttp));
    t.match(await wrong.ask(options), { status: 401 });
  }
});

t.test('behind a proxy the suite is what the proxy says', async (t) => {
  const transaction = bootstrap(impi);
  const server = await startFunction(t, bsf([transaction]));
  const trusting = { trustedProxies: ['127.0.0.1'], cipherHeader: 'x-tls-cipher' };
  const cases: readonly [protocol: Partial<SecurityProtocolOptions>, header: string, protocolId: string][] = [
    [trusting, 'TLS_AES_256_GCM_SHA384', '0100011302'],
    [trusting, 'ECDHE-RSA-AES128-GCM-SHA256', '010001c02f'],
    [trusting, '0xC0,0x2F', '010001c02f'],
    [trusting, '', overHttp],
    [{ ...trusting, cipherHeader: undefined }, 'TLS_AES_256_GCM_SHA384', overHttp],
    [{ ...trusting, trustedProxies: ['10.0.0.1'] }, 'TLS_AES_256_GCM_SHA384', overHttp],
  ];
  for (const [protocol, header, protocolId] of cases) {
    const ask = await startIdentityServer(t, [gba({ url: server.url, protocol })]);
    const options = { headers: { 'x-tls-cipher': header } };
    const session = deviceSession(ask, deviceOf(transaction, protocolId));
    t.match(await session.ask(options), identified, JSON.stringify([protocol, header]));
  }
  const ask = await startIdentityServer(t, [gba({ url: server.url, protocol: trusting })]);
  const unknown = { headers: { 'x-tls-cipher': 'ROT13' } };
  t.match(await deviceSession(ask, deviceOf(transaction)).ask(unknown), { status: 401 });
});

t.test('the whole server', async (t) => {
  const identity = { ussList: [{ uss: { gsId: 1, ueIds: [{ ueId: 'sip:alice@example.com' }] } }] };
  const transaction = { ...bootstrap(impi), more: identity };
  const server = await startFunction(t, bsf([transaction]));
  const { send } = await startServer(t, {
    environment: {
      XCAP_IDENTITY_METHODS: 'asserted-identity,gba,digest',
      XCAP_BSF_URL: server.url,
      XCAP_GBA_CIPHER_HEADER: 'X-TLS-Cipher',
      XCAP_HOSTNAMES: `${host.toUpperCase()}., other.example.com`,
    },
  });
  const ask: Ask = async ({ method = 'GET', path = '/', ...options } = {}) => {
    const { status, headers } = await send(method, path, { as: null, ...options });
    return { status, headers, identities: undefined, access: undefined };
  };
  const session = deviceSession(ask, deviceOf(transaction, '0100011302'));
  const headers = { 'x-tls-cipher': 'TLS_AES_256_GCM_SHA384' };
  const path = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
  const body = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  t.match(await session.ask({ method: 'PUT', path, body, headers }), { status: 201 });
  t.match(await session.ask({ path, headers }), { status: 200 });
  t.match(await session.ask({ path: path.replace('alice', 'bob'), headers }), { status: 403 });
  t.equal(session.sent(), 4, 'one 401 and no more');
  t.equal(server.requests.length, 1);
});

t.test('the codes of cipher suites', (t) => {
  for (const [suite, code] of [
    ['TLS_AES_128_GCM_SHA256', '1301'],
    ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'cca8'],
    ['AES128-SHA', '002f'],
    ['c02f', 'c02f'],
    ['0xC02F', 'c02f'],
    ['0x13, 0x01', '1301'],
    ['TLS_NULL', undefined],
    ['', undefined],
    ['c02', undefined],
  ] as const) {
    t.equal(cipherSuiteCode(suite), code, suite);
  }
  // All that a server with a certificate may agree upon here.
  for (const name of getCiphers().filter((one) => !/psk|srp/.test(one))) {
    t.ok(cipherSuiteCode(name.toUpperCase().replaceAll('TLS-', 'TLS_')), name);
  }
  t.end();
});
