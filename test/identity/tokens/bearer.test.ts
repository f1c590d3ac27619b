import http from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWK, type JWTPayload } from 'jose';
import t from 'tap';
import { bearer, type BearerOptions } from '../../../src/identity/tokens/bearer.js';
import { jsonWebKeys, type JsonWebKeysOptions } from '../../../src/identity/tokens/json-web-keys.js';
import { close, listen, startIdentityServer, type Ask, type Who } from '../../fixtures/identity-server.js';
import { temporaryDirectory } from '../../fixtures/serve.js';
import type { TestContext } from '../../fixtures/tap.js';

const issuer = 'https://idp.example.com/';
const audience = 'xcap';

interface Key {
  readonly sign: (claims: JWTPayload, header?: { kid?: string }) => Promise<string>;
  readonly jwk: JWK;
}

async function newKey(kid: string, algorithm = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
    sign: (claims, header = { kid }) =>
      new SignJWT(claims).setProtectedHeader({ alg: algorithm, ...header }).sign(privateKey),
  };
}

const now = () => Math.floor(Date.now() / 1000);
const alice = () => ({ sub: 'alice@example.com', iss: issuer, aud: audience, exp: now() + 60 });

/** A provider of keys; `keys` and `status` are what it answers with. */
interface Provider {
  keys: readonly JWK[];
  status: number;
  requests: number;
  readonly url: string;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

async function startProvider(t: TestContext, keys: readonly JWK[]): Promise<Provider> {
  const respond: http.RequestListener = (_request, response) => {
    provider.requests += 1;
    response.writeHead(provider.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: provider.keys }));
  };
  let server = http.createServer(respond);
  const port = await listen(t, server);
  const provider: Provider = {
    keys,
    status: 200,
    requests: 0,
    url: `http://127.0.0.1:${port}/jwks`,
    stop: () => close(server),
    async start() {
      server = http.createServer(respond);
      await listen(t, server, port);
    },
  };
  return provider;
}

async function startServer(
  t: TestContext,
  source: string,
  options: Partial<BearerOptions> = {},
  limits: Partial<JsonWebKeysOptions> = {},
): Promise<(token: string) => Promise<Who>> {
  const method = bearer({
    keys: jsonWebKeys(source, limits),
    realm: 'example.com',
    issuer,
    audience,
    identityClaim: 'sub',
    readScopes: [],
    writeScopes: [],
    defaultDomain: 'example.com',
    ...options,
  });
  const ask: Ask = await startIdentityServer(t, [method]);
  return (token) => ask(token === '' ? {} : { headers: { authorization: `Bearer ${token}` } });
}

const identified = (...identities: string[]) => ({ status: 200, identities, access: 'read-write' });
const refused = {
  status: 401,
  headers: { 'www-authenticate': 'Bearer realm="example.com",error="invalid_token"' },
};

t.test('tokens', async (t) => {
  const [ec, rsa, pss, ed] = await Promise.all([
    newKey('ec'),
    newKey('rsa', 'RS256'),
    newKey('pss', 'PS384'),
    newKey('ed', 'EdDSA'),
  ]);
  const keys = [ec, rsa, pss, ed];
  const stranger = await newKey('ec');
  const provider = await startProvider(
    t,
    keys.map(({ jwk }) => jwk),
  );
  const ask = await startServer(t, provider.url);

  for (const key of keys) t.match(await ask(await key.sign(alice())), identified('sip:alice@example.com'));
  t.equal(provider.requests, 1, 'keys are fetched once');
  t.match(
    await ask(''),
    { status: 401, headers: { 'www-authenticate': /^Bearer realm="example\.com"$/ } },
    'who has no token is told nothing of an error',
  );
  const accepted: readonly [claims: JWTPayload, identity: string][] = [
    [{ ...alice(), sub: 'alice' }, 'sip:alice@example.com'],
    [{ ...alice(), sub: 'tel:+4930123' }, 'tel:+4930123'],
    [{ ...alice(), aud: ['other', audience] }, 'sip:alice@example.com'],
    [{ ...alice(), exp: now() - 20 }, 'sip:alice@example.com'],
    [{ ...alice(), nbf: now() + 20 }, 'sip:alice@example.com'],
  ];
  for (const [claims, identity] of accepted) {
    t.match(await ask(await ec.sign(claims)), identified(identity), JSON.stringify(claims));
  }
  const wrong: readonly JWTPayload[] = [
    { ...alice(), exp: now() - 40 },
    { ...alice(), nbf: now() + 40 },
    { ...alice(), iss: 'https://other.example.com/' },
    { ...alice(), aud: 'other' },
    { ...alice(), sub: '' },
    { sub: 'alice@example.com', iss: issuer, aud: audience },
    { iss: issuer, aud: audience, exp: now() + 60 },
  ];
  for (const claims of wrong) t.match(await ask(await ec.sign(claims)), refused, JSON.stringify(claims));

  const valid = await ec.sign(alice());
  const [head, , signature] = valid.split('.');
  const payload = Buffer.from(JSON.stringify({ ...alice(), sub: 'bob@example.com' })).toString('base64url');
  const publicPem = Buffer.from(JSON.stringify(rsa.jwk));
  const forged: readonly [name: string, token: string][] = [
    ['another content', `${head}.${payload}.${signature}`],
    ['no signature', `${head}.${payload}.`],
    ['the algorithm none', new UnsecuredJWT(alice()).encode()],
    [
      'a public key as a secret',
      await new SignJWT(alice()).setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).sign(publicPem),
    ],
    ['the key of somebody else', await stranger.sign(alice())],
    ['an unknown key', await stranger.sign(alice(), { kid: 'unknown' })],
    ['no token', 'x'],
    ['not even that', '..'],
    ['blanks between', `${' '.repeat(15_000)}x`],
  ];
  for (const [name, token] of forged) t.match(await ask(token), refused, name);
  t.equal(provider.requests, 1, 'unknown keys do not make it ask at once again');
});

t.test('a secret among the keys is none for tokens', async (t) => {
  const secret = Buffer.alloc(32, 1);
  const provider = await startProvider(t, [{ kty: 'oct', k: secret.toString('base64url'), kid: 's' }]);
  const ask = await startServer(t, provider.url);
  const token = await new SignJWT(alice()).setProtectedHeader({ alg: 'HS256', kid: 's' }).sign(secret);
  t.match(await ask(token), refused);
});

t.test('the identity of MCX', async (t) => {
  const key = await newKey('k');
  const provider = await startProvider(t, [key.jwk]);
  const options = { identityClaim: 'mcptt_id', issuer: undefined, audience: undefined };
  const ask = await startServer(t, provider.url, options);
  const claims = { exp: now() + 60, mcptt_id: 'sip:mcptt-alice@example.com', sub: 'bob' };
  t.match(await ask(await key.sign(claims)), identified('sip:mcptt-alice@example.com'));
  const both = { ...claims, mcptt_id: ['sip:a@example.com', 'sip:b@example.com', 7] };
  t.match(await ask(await key.sign(both)), identified('sip:a@example.com', 'sip:b@example.com'));
});

t.test('scopes', async (t) => {
  const key = await newKey('k');
  const provider = await startProvider(t, [key.jwk]);
  const both = { readScopes: ['xcap:read'], writeScopes: ['xcap:write', 'mc'] };
  const cases: readonly [options: Partial<BearerOptions>, scope: unknown, expected: string | 403][] = [
    [{}, undefined, 'read-write'],
    [both, 'openid xcap:read', 'read'],
    [both, 'xcap:write mc', 'write'],
    [both, ['xcap:read', 'xcap:write', 'mc'], 'read-write'],
    [both, 'xcap:read xcap:write', 'read'],
    [both, 'xcap:reader', 403],
    [both, undefined, 403],
    [{ writeScopes: ['w'] }, undefined, 'read'],
    [{ writeScopes: ['w'] }, 'w', 'read-write'],
    [{ readScopes: ['r'] }, undefined, 'write'],
  ];
  for (const [options, scope, expected] of cases) {
    const ask = await startServer(t, provider.url, options);
    const token = await key.sign({ ...alice(), ...(scope === undefined ? {} : { scope }) });
    const result = expected === 403 ? { status: 403 } : { status: 200, access: expected };
    t.match(await ask(token), result, JSON.stringify([options, scope]));
  }
});

t.test('the provider is away', async (t) => {
  const [first, second] = await Promise.all([newKey('first'), newKey('second')]);
  const provider = await startProvider(t, [first.jwk]);
  const limits = { maximalAgeMilliseconds: 300, cooldownMilliseconds: 300, retryMilliseconds: 100 };
  const ask = await startServer(t, provider.url, {}, limits);
  const token = await first.sign(alice());
  const away = { status: 503, headers: { 'retry-after': /^\d+$/ } };

  await provider.stop();
  t.match(await ask(token), away, 'nobody knows');
  await provider.start();
  provider.status = 500;
  await sleep(150);
  t.match(await ask(token), away, 'an error is no set of keys');
  provider.status = 200;
  await sleep(150);
  t.match(await ask(token), identified('sip:alice@example.com'), 'it heals by itself');

  await provider.stop();
  await sleep(400);
  t.match(await ask(token), identified('sip:alice@example.com'), 'known keys last');
  t.match(await ask(await second.sign(alice())), away, 'a key that may be a new one cannot be judged');
  await provider.start();
  provider.keys = [second.jwk];
  await sleep(150);
  t.match(await ask(await second.sign(alice())), identified('sip:alice@example.com'), 'new keys are found');
  await sleep(400);
  t.match(await ask(token), refused, 'a key that was withdrawn does not count for ever');
});

t.test('a provider that does not answer is not waited for again and again', async (t) => {
  let requests = 0;
  const port = await listen(
    t,
    http.createServer(() => requests++),
  );
  const limits = { timeoutMilliseconds: 1000, retryMilliseconds: 20_000 };
  const ask = await startServer(t, `http://127.0.0.1:${port}/`, {}, limits);
  const token = await (await newKey('k')).sign(alice());
  for (let i = 0; i < 6; i += 1) t.match(await ask(token), { status: 503 });
  t.equal(requests, 1);
});

t.test('keys in a file, which may change', async (t) => {
  const file = join(temporaryDirectory(t), 'jwks.json');
  const [first, second] = await Promise.all([newKey('first'), newKey('second')]);
  const write = (key: Key) => writeFileSync(file, JSON.stringify({ keys: [key.jwk] }));
  write(first);
  const ask = await startServer(t, file, {}, { cooldownMilliseconds: 0 });
  t.match(await ask(await first.sign(alice())), identified('sip:alice@example.com'));
  t.match(await ask(await second.sign(alice())), refused);
  write(second);
  t.match(await ask(await second.sign(alice())), identified('sip:alice@example.com'));
});
