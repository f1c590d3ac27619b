import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { akmaKeyKinds, akmaKeys } from '../../../src/identity/core-network/akma.js';
import { coreNetworkClient } from '../../../src/identity/core-network/core-network-client.js';
import { networkFunction } from '../../../src/identity/core-network/network-function.js';
import { securityProtocol } from '../../../src/identity/core-network/security-protocol.js';
import { sharedKeyDigest } from '../../../src/identity/core-network/shared-key-digest.js';
import { cachedKeys } from '../../../src/identity/core-network/shared-keys.js';
import type { Subscriber } from '../../../src/subscribers/subscriber.js';
import {
  akmaApplicationKey,
  deviceSession,
  startFunction,
  type NetworkReply,
  type NetworkRequest,
} from '../../fixtures/core-network.js';
import { digestParts, startIdentityServer, type Ask } from '../../fixtures/identity-server.js';
import type { TestContext } from '../../fixtures/tap.js';

const host = 'xcap.example.com';
const overHttp = '0100000002';

const alice: Subscriber = {
  xui: 'sip:alice@example.com',
  identities: ['sip:alice@example.com', 'tel:+4930123'],
  impi: '001010000000001@ims.mnc001.mcc001.3gppnetwork.org',
  isDisabled: false,
  profile: undefined,
  quota: { documents: undefined, bytes: undefined },
};
const carol: Subscriber = {
  ...alice,
  xui: 'sip:carol@example.com',
  identities: ['sip:carol@example.com'],
  impi: '310260000000002@ims.mnc260.mcc310.3gppnetwork.org',
};

const directory = {
  withImpi: (impi: string) => Promise.resolve([alice, carol].find((one) => one.impi === impi)),
};

interface Anchor {
  readonly keyId: string;
  readonly key: Buffer;
  readonly more?: object;
}

function anchor(more: object = {}): Anchor {
  return { keyId: `rid678.${randomBytes(8).toString('hex')}@example.com`, key: randomBytes(32), more };
}

/** An AAnF that knows these anchor keys (TS 29.535). */
function aanf(known: readonly Anchor[]): (request: NetworkRequest) => NetworkReply {
  return ({ path, body }) => {
    const { afId, aKId } = body as { afId: string; aKId: string };
    const found = known.find(({ keyId }) => keyId === aKId);
    if (path !== '/naanf-akma/v1/retrieve-applicationkey') return { status: 404 };
    if (found === undefined) return { status: 204 };
    const [at, protocolId] = afId.includes('.') ? [afId.slice(0, -10), afId.slice(-10)] : [host, overHttp];
    return {
      status: 200,
      body: {
        kaf: akmaApplicationKey(found.key, at, protocolId).toString('hex'),
        expiry: new Date(Date.now() + 3600_000).toISOString(),
        supi: 'imsi-001010000000001',
        ...found.more,
      },
    };
  };
}

function serve(t: TestContext, url: string, afId?: string): Promise<Ask> {
  const request = networkFunction({
    apiRoot: url,
    name: 'The AKMA anchor function',
    scope: 'naanf-akma',
    client: coreNetworkClient(),
    tokens: undefined,
    retryMilliseconds: 100,
  });
  const method = sharedKeyDigest({
    ...digestParts(),
    name: 'akma',
    hostnames: [host],
    kinds: akmaKeyKinds,
    source: cachedKeys(akmaKeys(request, afId)),
    directory,
    uriStrictness: 'tolerant',
    protocolOf: securityProtocol({ trustedProxies: [], cipherHeader: undefined }),
  });
  return startIdentityServer(t, [method]);
}

function deviceOf({ keyId, key }: Anchor, at = host) {
  return {
    userAgent: 'Client 3gpp-akma',
    username: keyId,
    host,
    key: akmaApplicationKey(key, at, overHttp),
  };
}

const identified = { status: 200, identities: ['sip:alice@example.com', 'tel:+4930123'] };

t.test('a key for many requests', async (t) => {
  const known = anchor();
  const server = await startFunction(t, aanf([known]));
  const ask = await serve(t, server.url);
  t.match(await ask({ headers: { host, 'user-agent': '3gpp-akma' } }), {
    status: 401,
    headers: {
      'www-authenticate': /^Digest realm="3GPP-AKMA@xcap\.example\.com",nonce="[^"]+",algorithm=MD5/,
    },
  });
  const session = deviceSession(ask, deviceOf(known));
  t.match(await session.ask(), identified);
  t.match(await session.ask({ method: 'PUT', body: '<a/>' }), identified);
  t.match(server.requests, [{ body: { afId: `${host}${overHttp}`, aKId: known.keyId } }]);
  t.equal(server.requests.length, 1);
});

t.test('an identifier that was agreed upon', async (t) => {
  const known = anchor();
  const server = await startFunction(t, aanf([known]));
  const ask = await serve(t, server.url, 'af-7');
  t.match(await deviceSession(ask, deviceOf(known)).ask(), identified);
  t.match(server.requests, [{ body: { afId: 'af-7' } }]);
});

t.test('whose key it is', async (t) => {
  const cases: readonly [known: Anchor, expected: object][] = [
    [anchor({ supi: 'imsi-310260000000002' }), { status: 200, identities: ['sip:carol@example.com'] }],
    [
      anchor({ supi: 'imsi-999990000000003', gpsi: 'msisdn-4930789' }),
      { status: 200, identities: ['tel:+4930789'] },
    ],
    [anchor({ supi: undefined, gpsi: 'msisdn-4930789' }), { status: 200, identities: ['tel:+4930789'] }],
    [anchor({ supi: 'imsi-999990000000003' }), { status: 403 }],
    [anchor({ supi: 'nai-x@example.com', gpsi: 'extid-x@example.com' }), { status: 403 }],
  ];
  const server = await startFunction(t, aanf(cases.map(([known]) => known)));
  const ask = await serve(t, server.url);
  for (const [known, expected] of cases) {
    t.match(await deviceSession(ask, deviceOf(known)).ask(), expected, JSON.stringify(known.more));
  }
});

t.test('keys that are no good', async (t) => {
  const expired = anchor({ expiry: new Date(Date.now() - 1000).toISOString() });
  const known = anchor();
  const server = await startFunction(t, aanf([known, expired]));
  const ask = await serve(t, server.url);
  const refused = { status: 401, headers: { 'www-authenticate': /realm="3GPP-AKMA@/ } };
  t.match(await deviceSession(ask, deviceOf(anchor())).ask(), refused, 'an unknown one');
  t.match(await deviceSession(ask, deviceOf(expired)).ask(), refused, 'an expired one');
  t.match(await deviceSession(ask, deviceOf(known, 'other.example')).ask(), refused, 'that of another host');
});

t.test('the anchor function is away', async (t) => {
  const known = anchor();
  const server = await startFunction(t, aanf([known]));
  const ask = await serve(t, server.url);
  await server.stop();
  const session = deviceSession(ask, deviceOf(known));
  t.match(await session.ask(), { status: 503, headers: { 'retry-after': '5' } });
  await server.start();
  await sleep(150);
  t.match(await session.ask(), identified);
});
