import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import {
  coreNetworkClient,
  type CoreNetworkClient,
} from '../../../src/identity/core-network/core-network-client.js';
import { peerProgram } from '../../fixtures/peers.js';
import { temporaryDirectory } from '../../fixtures/serve.js';
import type { TestContext } from '../../fixtures/tap.js';

interface CoreFunction {
  readonly url: string;
  readonly connections: Set<Socket>;
  readonly opened: () => number;
  /** The most requests that it had to answer at a time. */
  readonly mostAtOnce: () => number;
  /** The version of HTTP of each request. */
  readonly versions: string[];
}

async function start(t: TestContext, server: Server, scheme = 'http'): Promise<CoreFunction> {
  const connections = new Set<Socket>();
  let opened = 0;
  let atOnce = 0;
  let mostAtOnce = 0;
  const versions: string[] = [];
  server.on('connection', (socket: Socket) => {
    opened++;
    connections.add(socket);
    socket.on('close', () => connections.delete(socket)).on('error', () => undefined);
  });
  server.prependListener('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    versions.push(request.httpVersion);
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    response.on('close', () => atOnce--);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = `${scheme}://127.0.0.1:${port}/`;
  return { url, connections, opened: () => opened, mostAtOnce: () => mostAtOnce, versions };
}

/** Answers a while after the body with what it got. */
async function respond(
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
): Promise<void> {
  const text = Buffer.concat(await request.toArray()).toString();
  await sleep(100);
  response.setHeader('content-type', 'application/json');
  response.end(text);
}

const listener = (
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
) => void respond(request, response);

function post(client: CoreNetworkClient, url: string, milliseconds = 3000) {
  const signal = AbortSignal.timeout(milliseconds);
  return client({ url, headers: { 'content-type': 'application/json' }, body: '{"a":1}', signal });
}

const answered = { status: 200, text: '{"a":1}', headers: { 'content-type': 'application/json' } };

t.test('prior knowledge: many requests, one connection, all at a time', async (t) => {
  const bsf = await start(t, http2.createServer(listener));
  const client = coreNetworkClient();
  t.match(await post(client, bsf.url), answered);
  for (const reply of await Promise.all(Array.from({ length: 20 }, () => post(client, bsf.url)))) {
    t.match(reply, answered);
  }
  t.equal(bsf.mostAtOnce(), 20, 'none waits for another');
  t.equal(bsf.opened(), 1);
  t.strictSame(new Set(bsf.versions), new Set(['2.0']));
});

t.test('the other end closes, resets, is silent', async (t) => {
  const sessions: http2.ServerHttp2Session[] = [];
  let isReset = false;
  let isSilent = false;
  const server = http2.createServer();
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    if (isReset) {
      isReset = false;
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    } else if (!isSilent) {
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end('{"a":1}');
    }
  });
  const bsf = await start(t, server);
  const client = coreNetworkClient();
  t.match(await post(client, bsf.url), answered);
  isReset = true;
  t.match(await post(client, bsf.url), answered, 'a stream that is refused is asked for again');
  sessions.at(-1)?.goaway();
  t.match(await post(client, bsf.url), answered, 'GOAWAY');
  sessions.at(-1)?.close();
  t.match(await post(client, bsf.url), answered, 'an idle connection that was closed');
  for (const socket of bsf.connections) socket.resetAndDestroy();
  t.match(await post(client, bsf.url), answered, 'RST');
  isSilent = true;
  await t.rejects(post(client, bsf.url, 300));
  isSilent = false;
  t.match(await post(client, bsf.url), answered, 'after silence');
});

t.test('HTTP/1.1 is what is left', async (t) => {
  const bsf = await start(t, http.createServer(listener));
  const client = coreNetworkClient();
  t.match(await post(client, bsf.url), answered);
  for (let i = 0; i < 5; i++) t.match(await post(client, bsf.url), answered);
  t.ok(bsf.opened() < 5, 'it is remembered, and connections are used again');
  t.strictSame(new Set(bsf.versions), new Set(['1.1']));
  await t.rejects(post(client, 'http://127.0.0.1:1/'));
});

t.test('over TLS both ends agree', async (t) => {
  const folder = temporaryDirectory(t);
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(peerProgram('openssl'), ['req', '-x509', ...key, ...names, '-out', certFile], {
    stdio: 'ignore',
  });
  const tls = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  const modern = await start(t, http2.createSecureServer(tls, listener), 'https');
  const old = await start(t, https.createServer(tls, listener), 'https');
  await t.rejects(post(coreNetworkClient(), modern.url), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const client = coreNetworkClient({ ca: tls.cert });
  const opened = modern.opened();
  for (const { url } of [modern, old, modern, old]) t.match(await post(client, url), answered);
  t.strictSame(
    [modern.versions, old.versions],
    [
      ['2.0', '2.0'],
      ['1.1', '1.1'],
    ],
  );
  t.equal(modern.opened(), opened + 1);
  await Promise.all(Array.from({ length: 10 }, () => post(client, old.url)));
  t.ok(old.mostAtOnce() > 1, 'HTTP/1.1 has several connections');
});

t.test('an answer that is longer than any can be', async (t) => {
  const bsf = await start(
    t,
    http2.createServer((_request, response) => {
      response.on('error', () => undefined);
      response.end(Buffer.alloc(1_000_000));
    }),
  );
  t.match(await post(coreNetworkClient(), bsf.url), { status: 200, text: '' });
});
