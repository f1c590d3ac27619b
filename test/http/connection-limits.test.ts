import { execFileSync } from 'node:child_process';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { peerProgram } from '../fixtures/peers.js';
import { temporaryDirectory } from '../fixtures/serve.js';
import { startServer } from '../fixtures/xcap-server.js';
import type { TestContext } from '../fixtures/tap.js';

const request =
  'GET /xcap-root/xcap-caps/global/index HTTP/1.1\r\nHost: localhost\r\nX-3GPP-Asserted-Identity: sip:a@example.com\r\n\r\n';

/** What the server says on a new connection: the status, or 'closed'. The connection stays. */
async function ask(t: TestContext, connect: () => Socket): Promise<{ said: string; socket: Socket }> {
  const socket = connect();
  t.teardown(() => socket.destroy());
  socket.write(request);
  const said = await new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString().slice(9, 12)));
    socket.once('error', () => resolve('closed'));
    socket.once('close', () => resolve('closed'));
  });
  return { said, socket };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.destroy();
  });
}

t.test('one peer has a quarter of the connections, all have no more than all', async (t) => {
  const { port } = await startServer(t, {
    environment: { XCAP_MAX_CONNECTIONS: '8', XCAP_WORKERS: '1', XCAP_TRUSTED_PROXIES: '127.0.0.9' },
  });
  const from = (localAddress: string) => ask(t, () => connectTcp({ host: '127.0.0.1', port, localAddress }));

  const first = await from('127.0.0.2');
  t.equal(first.said, '401');
  t.equal((await from('127.0.0.2')).said, '401');
  t.equal((await from('127.0.0.2')).said, 'closed', 'a quarter is his');
  t.equal((await from('127.0.0.3')).said, '401', 'others have theirs');
  for (let i = 0; i < 5; i++) t.equal((await from('127.0.0.9')).said, '200', 'a proxy has what is left');
  t.equal((await from('127.0.0.9')).said, 'closed', 'that is all');
  t.equal((await from('127.0.0.4')).said, 'closed');
  await closed(first.socket);
  let again = await from('127.0.0.4');
  while (again.said === 'closed') again = await from('127.0.0.4');
  t.equal(again.said, '401', 'what is closed is free again');
});

t.test('over TLS', async (t) => {
  const directory = temporaryDirectory(t);
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync(peerProgram('openssl'), ['req', ...kind, '-subj', '/CN=localhost', ...files], {
    stdio: 'pipe',
  });
  const { port } = await startServer(t, {
    environment: {
      XCAP_MAX_CONNECTIONS: '2',
      XCAP_WORKERS: '1',
      XCAP_TLS_CERT: cert,
      XCAP_TLS_KEY: key,
    },
  });
  const secure = () => ask(t, () => connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }));
  const first = await secure();
  t.equal(first.said, '200');
  t.equal((await secure()).said, '200');
  t.equal((await secure()).said, 'closed');
  await closed(first.socket);
  let again = await secure();
  while (again.said === 'closed') again = await secure();
  t.equal(again.said, '200');
});

t.test('who neither sends nor reads is closed in bounded time', async (t) => {
  const { app } = await startServer(t);
  const { xcap, management } = app.listeners;
  for (const { server } of [xcap, management]) {
    t.ok(server.timeout > 0 && server.timeout <= 120_000, 'inactive connections');
    t.ok(server.headersTimeout > 0 && server.headersTimeout <= 60_000, 'heads that do not end');
    t.ok(server.requestTimeout > 0 && server.requestTimeout <= 3_600_000, 'bodies that do not end');
  }
});
