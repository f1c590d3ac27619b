/** A whole run at the level at which most is logged, and nothing secret in its output. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import t from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { digestAuthorization, parametersOf } from '../fixtures/digest.js';
import { client } from '../fixtures/http-client.js';
import { exchange } from '../fixtures/raw-socket.js';
import { serve, urlOf } from '../fixtures/serve.js';

const password = 'pass-topsecret-word';
const adminToken = 'admin-topsecret-token';
const secretsKey = createHash('sha256').update('the key of the secrets').digest('base64');
const realm = 'example.com';
const ha1 = createHash('md5').update(`sip:alice@example.com:${realm}:${password}`).digest('hex');
const basic = Buffer.from(`sip:alice@example.com:${password}`).toString('base64');
const wrongBasic = Buffer.from('sip:alice@example.com:guess-topsecret-guess').toString('base64');
const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ0b3BzZWNyZXQifQ.dG9wc2VjcmV0LXNpZ25hdHVyZQ';
const bTid = 'dG9wc2VjcmV0LWItdGlkIQ==@bsf.example.com';

const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const body = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';

t.test('no secret is logged', async (t) => {
  // A bootstrapping server that is broken: what it was asked is in the error.
  const bootstrapping = http.createServer((_request, response) => response.writeHead(500).end('broken'));
  await new Promise<void>((resolve) => bootstrapping.listen(0, '127.0.0.1', resolve));
  t.teardown(() => bootstrapping.close());
  const address = bootstrapping.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const served = await serve(t, {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    LOG_LEVEL: 'trace',
    ADMIN_TOKEN: adminToken,
    XCAP_IDENTITY_METHODS: 'digest,basic,bearer,gba',
    XCAP_SECRETS_KEY: secretsKey,
    XCAP_JWT_JWKS: `http://127.0.0.1:${port}/keys`,
    XCAP_BSF_URL: `http://127.0.0.1:${port}`,
    XCAP_HOSTNAMES: 'xcap.example.com',
  });
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const send = client(served.port, agent);
  const manage = client(served.managementPort, agent);
  const asAdmin = { 'content-type': 'application/json', authorization: `Bearer ${adminToken}` };
  const subscriber = JSON.stringify({ xui: 'sip:alice@example.com', password });
  const post = { as: null, headers: asAdmin, body: subscriber };
  t.equal((await manage('POST', '/api/v1/subscribers', post)).status, 201);
  t.equal((await manage('POST', '/api/v1/subscribers', post)).status, 409);
  const wrong = { ...asAdmin, authorization: `Bearer ${adminToken}x` };
  t.equal((await manage('POST', '/api/v1/subscribers', { ...post, headers: wrong })).status, 401);
  const broken = { ...post, body: `${subscriber}, topsecret` };
  t.equal((await manage('POST', '/api/v1/subscribers', broken)).status, 400);

  const ask = (authorization: string, headers: Record<string, string> = {}, method = 'PUT') =>
    send(method, target, { as: null, headers: { ...headers, authorization }, body });
  const nonceFor = async (headers: Record<string, string>) => {
    const challenge = await send('GET', target, { as: null, headers });
    return parametersOf(String(challenge.headers['www-authenticate']));
  };
  const { nonce = '' } = await nonceFor({});
  const login = { username: 'sip:alice@example.com', method: 'PUT', uri: target, realm, nonce };
  const digest = digestAuthorization({ ...login, password });
  t.equal((await ask(digest)).status, 201, 'digest');
  t.equal((await ask(digest)).status, 401, 'again');
  t.equal((await ask(digestAuthorization({ ...login, password: 'other', nc: '2' }))).status, 401);
  t.equal((await ask(`Basic ${basic}`)).status, 200, 'basic');
  t.equal((await ask(`Basic ${wrongBasic}`)).status, 401);
  t.ok((await ask(`Bearer ${token}`)).status >= 401, 'bearer');
  const device = { 'user-agent': 'XCAP Client 3gpp-gba', host: 'xcap.example.com' };
  const bootstrapped = await nonceFor(device);
  const withKey = digestAuthorization({
    ...login,
    username: bTid,
    realm: bootstrapped.realm ?? '',
    nonce: bootstrapped.nonce ?? '',
    password: 'key',
  });
  t.equal((await ask(withKey, device)).status, 503, 'gba');
  for (const port of [served.port, served.managementPort]) {
    const malformed = `GET / HTTP/1.1\r\nAuthorization: Bearer ${adminToken}\r\nno header\r\n\r\n`;
    t.match(await exchange(port, [malformed], /\r\n\r\n/), /^HTTP\/1.1 400 /);
  }
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });

  const output = served.output();
  t.match(output, /"msg":"request"/, 'there is a log');
  for (const [scheme, reason] of [
    ['digest', 'the nonce count was used before'],
    ['digest', 'the password is wrong'],
    ['basic', 'the password is wrong'],
  ]) {
    t.match(output, `"scheme":"${scheme}","reason":"${reason}"`, 'why credentials were refused');
  }
  const secrets = {
    password,
    adminToken,
    secretsKey,
    ha1,
    basic,
    wrongBasic,
    token,
    bTid,
    'a word that all of them have': 'topsecret',
    'the response of a digest': parametersOf(digest).response ?? '',
  };
  for (const [name, secret] of Object.entries(secrets)) {
    t.notOk(output.includes(secret), name, { lines: output.split('\n').filter((l) => l.includes(secret)) });
  }
});
