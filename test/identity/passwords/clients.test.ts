/** Clients that others have written, against a server that listens. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { digestAuthorization, parametersOf } from '../../fixtures/digest.js';
import { needs, peerProgram } from '../../fixtures/peers.js';
import { addSubscriber } from '../../fixtures/subscribers.js';
import { startServer } from '../../fixtures/xcap-server.js';

const run = promisify(execFile);

const path = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const key = Buffer.alloc(32, 9);
const resourceLists =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="friends"/></resource-lists>';

async function start(t: Test, environment: Record<string, string>) {
  const server = await startServer(t, {
    environment: {
      // Nobody is believed without a password.
      XCAP_TRUSTED_PROXIES: '192.0.2.1',
      XCAP_SECRETS_KEY: key.toString('hex'),
      ...environment,
    },
  });
  await addSubscriber(server.database, {
    xui: 'sip:alice@example.com',
    impi: 'alice@private.example.com',
    password: 'se cret',
    key,
  });
  return { ...server, url: `http://127.0.0.1:${server.port}${path}` };
}

/** Puts, reads, reads a node of, and deletes a document; the statuses. */
async function curl(url: string, ...options: string[]): Promise<string[]> {
  const one = async (target: string, ...more: string[]) => {
    const { stdout } = await run(peerProgram('curl'), [
      ...['-s', '-g', '-o', '/dev/null', '-w', '%{http_code}', ...options, ...more, target],
    ]);
    return stdout;
  };
  const put = ['-X', 'PUT', '-H', 'Content-Type: application/resource-lists+xml', '-d', resourceLists];
  return [
    await one(url, ...put),
    await one(url),
    await one(`${url}/~~/rl:resource-lists/list%5b1%5d?xmlns(rl=urn:ietf:params:xml:ns:resource-lists)`),
    await one(url, '-X', 'DELETE'),
  ];
}

t.test('curl', needs('curl'), async (t) => {
  for (const algorithm of ['MD5', 'SHA-256']) {
    const { url } = await start(t, { XCAP_DIGEST_ALGORITHMS: algorithm });
    for (const user of ['alice', 'alice@example.com', 'alice@private.example.com']) {
      const statuses = await curl(url, '--digest', '-u', `${user}:se cret`);
      t.same(statuses, ['201', '200', '200', '200'], `${algorithm}, ${user}`);
    }
    t.same(await curl(url, '--digest', '-u', 'alice:secret'), ['401', '401', '401', '401'], algorithm);
    t.same(await curl(url, '--basic', '-u', 'alice:se cret'), ['401', '401', '401', '401'], 'Basic is off');
  }
  const { url } = await start(t, { XCAP_IDENTITY_METHODS: 'digest,basic' });
  t.same(await curl(url, '--basic', '-u', 'alice:se cret'), ['201', '200', '200', '200']);
  t.same(await curl(url, '--basic', '-u', 'sip:alice@example.com:se cret'), ['201', '200', '200', '200']);
  t.same(await curl(url, '--basic', '-u', 'alice:secret'), ['401', '401', '401', '401']);
  t.same(await curl(url, '--anyauth', '-u', 'alice:se cret'), ['201', '200', '200', '200']);
});

/** Twenty requests of one session, which counts up; then one with a wrong password. */
const requestsScript = `
import sys, requests
from requests.auth import HTTPDigestAuth
url, body = sys.argv[1:]
session = requests.Session()
session.auth = HTTPDigestAuth('sip:alice@example.com', 'se cret')
put = session.put(url, data=body, headers={'Content-Type': 'application/resource-lists+xml'})
answers = [put] + [session.get(url) for _ in range(20)]
print([answer.status_code for answer in answers], sum(len(answer.history) for answer in answers))
print(requests.get(url, auth=HTTPDigestAuth('alice', 'secret')).status_code)
`;

t.test('requests of Python', needs('python'), async (t) => {
  for (const algorithm of ['MD5', 'SHA-256', 'MD5,SHA-256']) {
    const { url } = await start(t, { XCAP_DIGEST_ALGORITHMS: algorithm });
    const { stdout } = await run(peerProgram('python'), ['-c', requestsScript, url, resourceLists]);
    t.equal(stdout, `[201${', 200'.repeat(20)}] 1\n401\n`, `${algorithm}: one challenge for all requests`);
  }
});

t.test('over HTTP', async (t) => {
  const { send, database } = await start(t, {});
  const first = await send('GET', path, { as: null });
  t.equal(first.status, 401);
  const { realm = '', nonce = '' } = parametersOf(first.headers['www-authenticate'] ?? '');
  const request = { username: 'alice', password: 'se cret', realm, nonce, method: 'PUT', uri: path };
  const put = (nc: string, body: string, to = send) =>
    to('PUT', path, {
      as: null,
      body,
      headers: {
        authorization: digestAuthorization({ ...request, nc, qop: 'auth-int', body: resourceLists }),
        'content-type': 'application/resource-lists+xml',
      },
    });
  t.equal((await put('00000001', `${resourceLists}\n`)).status, 401, 'another body');
  t.equal((await put('00000001', resourceLists)).status, 201);
  const repeated = await put('00000001', resourceLists);
  t.match(repeated, { status: 401, headers: { 'www-authenticate': /stale=true/ } });

  const other = await startServer(t, {
    database,
    environment: { XCAP_TRUSTED_PROXIES: '192.0.2.1', XCAP_SECRETS_KEY: key.toString('base64') },
  });
  t.equal((await put('00000001', resourceLists, other.send)).status, 401, 'repeated at another process');
  t.equal(
    (await put('00000002', resourceLists, other.send)).status,
    200,
    'the same nonce at another process',
  );
  t.equal((await put('00000002', resourceLists)).status, 401);
  t.equal((await put('00000003', resourceLists)).status, 200);
});

t.test('a key that does not fit is a fault of the server', async (t) => {
  const { send, database } = await start(t, {});
  await addSubscriber(database, { xui: 'sip:bob@example.com', password: 'b', key: Buffer.alloc(32, 1) });
  const first = await send('GET', path, { as: null });
  const { realm = '', nonce = '' } = parametersOf(first.headers['www-authenticate'] ?? '');
  const request = { username: 'bob', password: 'b', realm, nonce, method: 'GET', uri: path };
  const answer = await send('GET', path, {
    as: null,
    headers: { authorization: digestAuthorization(request) },
  });
  t.match(answer, { status: 500, body: 'Internal error.\n' });
});
