import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import t from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { peerProgram } from '../fixtures/peers.js';
import { sendSignal, serve, temporaryDirectory, urlOf } from '../fixtures/serve.js';

const directory = temporaryDirectory(t);
const files = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };

/** Makes a certificate for 127.0.0.1 that signs itself. */
function makeCertificate(name: string): { certificate: string; key: string } {
  const made = { certificate: join(directory, `${name}.cert`), key: join(directory, `${name}.key`) };
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    peerProgram('openssl'),
    ['req', ...kind, ...subject, '-keyout', made.key, '-out', made.certificate],
    {
      stdio: 'pipe',
    },
  );
  return made;
}

function install(from: { certificate: string; key: string }): void {
  copyFileSync(from.certificate, files.certificate);
  copyFileSync(from.key, files.key);
}

interface Seen {
  readonly status: number | undefined;
  /** The name in the certificate of the connection. */
  readonly name: string | undefined;
  readonly isReused: boolean;
}

/** Asks over https and believes none but the certificates of this test. */
function ask(port: number, agent: https.Agent): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const request = https.get(
      {
        agent,
        host: '127.0.0.1',
        port,
        path: '/xcap-root/xcap-caps/global/index',
        headers: { 'x-3gpp-asserted-identity': 'sip:alice@example.com' },
      },
      (response) => {
        const { socket } = response;
        const name = socket instanceof TLSSocket ? socket.getPeerCertificate().subject.CN : undefined;
        response.on('error', reject).resume();
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            name: [name].flat()[0],
            isReused: request.reusedSocket,
          }),
        );
      },
    );
    request.on('error', reject);
  });
}

t.test('certificates are replaced without losing a connection', async (t) => {
  const first = makeCertificate('first');
  const second = makeCertificate('second');
  const ca = [first, second].map(({ certificate }) => readFileSync(certificate));
  install(first);
  const served = await serve(t, {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    XCAP_TLS_CERT: files.certificate,
    XCAP_TLS_KEY: files.key,
  });
  t.match(served.output(), /"url":"https:.*"msg":"xcapd listens"/, 'the scheme is said');
  const kept = new https.Agent({ ca, keepAlive: true, maxSockets: 1 });
  t.teardown(() => kept.destroy());
  // Without a cache of sessions, which would spare the server to show its certificate.
  const askAnew = () => ask(served.port, new https.Agent({ ca, maxCachedSessions: 0 }));

  t.strictSame(await ask(served.port, kept), { status: 200, name: 'first', isReused: false });

  install(second);
  t.match(await askAnew(), { name: 'first' }, 'nothing changes before the signal');
  sendSignal(served.pid, 'SIGHUP');
  await served.wrote(/the certificate was read again/);
  t.match(await askAnew(), { status: 200, name: 'second' }, 'new connections get the new certificate');
  t.strictSame(
    await ask(served.port, kept),
    { status: 200, name: 'first', isReused: true },
    'old ones go on',
  );

  writeFileSync(files.certificate, '-----BEGIN CERTIFICATE-----\nbroken\n');
  sendSignal(served.pid, 'SIGHUP');
  const [line] = await served.wrote(/^.*the certificate could not be read; the old one stays.*$/m);
  t.match(JSON.parse(line), { level: 50, reason: /XCAP_TLS_CERT/ }, 'the log says so');
  t.match(await askAnew(), { status: 200, name: 'second' }, 'the old certificate stays');

  copyFileSync(first.key, files.key);
  copyFileSync(second.certificate, files.certificate);
  sendSignal(served.pid, 'SIGHUP');
  await served.wrote(/key values mismatch/);
  t.match(await askAnew(), { status: 200, name: 'second' }, 'also where the key is that of another one');
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});
