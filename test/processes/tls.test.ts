import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import t from 'tap';
import { askSecurely, makeCertificate, type CertificateFiles } from '../fixtures/certificates.js';
import { cloneDatabase } from '../fixtures/database.js';
import { sendSignal, serve, temporaryDirectory, urlOf } from '../fixtures/serve.js';

const directory = temporaryDirectory(t);
const files = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };

function install(from: CertificateFiles): void {
  copyFileSync(from.certificate, files.certificate);
  copyFileSync(from.key, files.key);
}

/** What is seen of the certificate of the XCAP listener. */
async function ask(port: number, agent: https.Agent) {
  const { status, name, isReused } = await askSecurely(port, agent, '/xcap-root/xcap-caps/global/index');
  return { status, name, isReused };
}

t.test('certificates are replaced without losing a connection', async (t) => {
  const first = makeCertificate(directory, 'first');
  const second = makeCertificate(directory, 'second');
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
