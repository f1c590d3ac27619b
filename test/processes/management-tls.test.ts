/** The management listener with a certificate: over a real socket, and asked by the commands. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import t from 'tap';
import { askSecurely, makeCertificate, type CertificateFiles } from '../fixtures/certificates.js';
import { jsonLines, runCommand } from '../fixtures/command-line.js';
import { cloneDatabase } from '../fixtures/database.js';
import { runProgram, sendSignal, serve, temporaryDirectory, urlOf } from '../fixtures/serve.js';

const directory = temporaryDirectory(t);
const first = makeCertificate(directory, 'first');
const second = makeCertificate(directory, 'second');
const files = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
const token = 'correct-horse-battery';

function install(from: CertificateFiles): void {
  copyFileSync(from.certificate, files.certificate);
  copyFileSync(from.key, files.key);
}

t.test('the management listener speaks TLS', async (t) => {
  install(first);
  const served = await serve(t, {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    ADMIN_TOKEN: token,
    XCAP_ADMIN_TLS_CERT: files.certificate,
    XCAP_ADMIN_TLS_KEY: files.key,
  });
  t.match(
    served.output(),
    /"url":"http:[^"]*","management":"https:.*"msg":"xcapd listens"/,
    'the scheme is said',
  );
  const ca = [first, second].map(({ certificate }) => readFileSync(certificate));
  const ask = (path: string) =>
    askSecurely(served.managementPort, new https.Agent({ ca, maxCachedSessions: 0 }), path);

  t.match(await ask('/health/ready'), { status: 200, name: 'first' });
  await t.rejects(served.manage('GET', '/health/ready'), 'and nothing else');
  const { body } = await ask('/metrics');
  const expiry = Number(/^xcapd_management_certificate_expiry_timestamp_seconds (\d+)$/m.exec(body)?.[1]);
  t.ok(expiry > Date.now() / 1000, 'its end is told');
  t.match(body, /^xcapd_certificate_expiry_timestamp_seconds 0$/m);

  const XCAPD_URL = `https://127.0.0.1:${String(served.managementPort)}`;
  const command = (environment: Record<string, string>, words: string[], input?: string) =>
    runCommand(words, {
      environment: { XCAPD_URL, ADMIN_TOKEN: token, ...environment },
      ...(input && { input }),
    });
  const believing = { XCAPD_CA_FILE: first.certificate };
  const line = JSON.stringify({ xui: 'sip:alice@example.com' });
  t.match(await command(believing, ['import', '-'], `${line}\n`), { code: 0 });
  t.match(jsonLines((await command(believing, ['export', '-'])).stdout), [{ xui: 'sip:alice@example.com' }]);
  const [missing, another, broken] = await Promise.all([
    command({}, ['user', 'list']),
    command({ XCAPD_CA_FILE: second.certificate }, ['user', 'list']),
    command({ XCAPD_CA_FILE: first.key }, ['user', 'list']),
  ]);
  for (const { code, stderr } of [missing, another]) {
    t.equal(code, 3);
    t.match(
      stderr,
      /^xcapd: The server at https:.* cannot be reached: .*certificate.* by XCAPD_CA_FILE\.\n$/,
    );
  }
  t.match(broken, { code: 2, stderr: /^xcapd: XCAPD_CA_FILE cannot be used: it has no certificate\.\n$/ });

  install(second);
  sendSignal(served.pid, 'SIGHUP');
  await served.wrote(/the certificate of the management listener was read again/);
  t.match(
    await ask('/health/ready'),
    { status: 200, name: 'second' },
    'new connections get the new certificate',
  );
  t.match(await command({ XCAPD_CA_FILE: second.certificate }, ['user', 'list']), { code: 0 });
  writeFileSync(files.certificate, '-----BEGIN CERTIFICATE-----\nbroken\n');
  sendSignal(served.pid, 'SIGHUP');
  const [failed] = await served.wrote(/^.*the certificate of the management listener could not be read.*$/m);
  t.match(JSON.parse(failed), { level: 50, reason: /^XCAP_ADMIN_TLS_CERT and XCAP_ADMIN_TLS_KEY cannot/ });
  t.match(await ask('/health/ready'), { status: 200, name: 'second' }, 'the old certificate stays');
  t.same(await served.kill('SIGTERM'), { code: 0, signal: null });
});

t.test('a certificate that cannot be used ends the start', async (t) => {
  const environment = {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    PORT: '0',
    ADMIN_PORT: '0',
    XCAP_ADMIN_TLS_CERT: first.certificate,
    XCAP_ADMIN_TLS_KEY: second.key,
  };
  const { code, output } = await runProgram(t, { environment });
  t.equal(code, 1);
  t.match(output, /^xcapd: XCAP_ADMIN_TLS_CERT and XCAP_ADMIN_TLS_KEY cannot be used: .*\.$/m);
});
