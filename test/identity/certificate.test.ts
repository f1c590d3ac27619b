import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import t from 'tap';
import { alternativeUris, certificate } from '../../src/identity/certificate.js';
import { peerProgram } from '../fixtures/peers.js';
import { temporaryDirectory } from '../fixtures/serve.js';
import { thrown } from '../fixtures/thrown.js';
import { startServer } from '../fixtures/xcap-server.js';

const directory = temporaryDirectory(t);
const ownPath = '/xcap-root/resource-lists/users/sip:alice@example.com/index';

interface Made {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

function openssl(...parameters: string[]): void {
  execFileSync(peerProgram('openssl'), parameters, { stdio: 'pipe' });
}

const keyKind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate; that of an authority signs itself. `names` are the lines of the subjectAltName. */
function make(name: string, names: readonly string[], authority?: Made): Made {
  const file = (ending: string) => join(directory, `${name}.${ending}`);
  const [certificateFile, keyFile] = [file('cert'), file('key')];
  const extensions =
    authority === undefined ? ['basicConstraints=critical,CA:TRUE'] : ['subjectAltName=@names'];
  const lines = ['[x]', ...extensions, '[names]', ...names, '[req]', 'distinguished_name=dn', '[dn]'];
  writeFileSync(file('conf'), lines.join('\n'));
  const subject = ['-config', file('conf'), '-subj', `/CN=${name}`, '-keyout', keyFile];
  if (authority === undefined) {
    openssl(
      'req',
      '-x509',
      '-days',
      '2',
      ...keyKind,
      ...subject,
      '-extensions',
      'x',
      '-out',
      certificateFile,
    );
  } else {
    openssl('req', ...keyKind, ...subject, '-out', file('csr'));
    const signed = ['-CA', authority.certificateFile, '-CAkey', authority.keyFile, '-CAcreateserial'];
    const extended = ['-extfile', file('conf'), '-extensions', 'x', '-days', '2'];
    openssl('x509', '-req', '-in', file('csr'), ...signed, ...extended, '-out', certificateFile);
  }
  return { certificateFile, keyFile, cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
}

const authority = make('authority', []);
const otherAuthority = make('other-authority', []);
const server = make('server', ['IP.1=127.0.0.1'], authority);
const alice = make('alice', ['DNS.1=alice.example.com', 'URI.1=sip:alice@example.com'], authority);

/** 404 for alice, whose document is not there; 403 for somebody else; 401 for nobody. */
function ask(port: number, client?: Made, agent: https.Agent | false = false): Promise<number> {
  return new Promise((resolve, reject) => {
    const credentials = client === undefined ? {} : { cert: client.cert, key: client.key };
    https
      .get(
        { host: '127.0.0.1', port, path: ownPath, agent, ca: authority.cert, ...credentials },
        (response) => response.on('end', () => resolve(response.statusCode ?? 0)).resume(),
      )
      .on('error', reject);
  });
}

function environment(more: Record<string, string> = {}): Record<string, string> {
  return {
    XCAP_IDENTITY_METHODS: 'certificate,digest',
    XCAP_TLS_CERT: server.certificateFile,
    XCAP_TLS_KEY: server.keyFile,
    ...more,
  };
}

t.test('certificates of clients', async (t) => {
  const clientCaFile = join(directory, 'clients.pem');
  copyFileSync(authority.certificateFile, clientCaFile);
  const { app, port } = await startServer(t, {
    environment: environment({ XCAP_TLS_CLIENT_CA: clientCaFile }),
  });
  const names: readonly [name: string, names: readonly string[], status: number][] = [
    ['bob', ['URI.1=sip:bob@example.com'], 403],
    ['upper', ['URI.1=SIP:alice@EXAMPLE.com'], 404],
    ['second', ['URI.1=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6', 'URI.2=sip:alice@example.com'], 404],
    ['both', ['URI.1=sip:bob@example.com', 'URI.2=sip:alice@example.com'], 404],
    ['nobody', ['DNS.1=sip:alice@example.com'], 401],
    ['mail', ['email.1=alice@example.com'], 401],
    ['device', ['URI.1=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'], 401],
    ['comma', ['URI.1=sip:mallory@example.com, URI:sip:alice@example.com'], 401],
    ['host', ['DNS.1=x, URI:sip:alice@example.com'], 401],
    ['quote', ['URI.1=sip:m@example.com", URI:sip:alice@example.com, URI:"x'], 401],
    ['escape', ['URI.1=sip:m@example.com\\\\", URI:sip:alice@example.com'], 401],
    ['other', ['otherName.1=1.3.6.1.5.5.7.8.5;UTF8:x, URI:sip:alice@example.com'], 401],
  ];
  t.equal(await ask(port, alice), 404, 'alice');
  for (const [name, lines, status] of names) {
    t.equal(await ask(port, make(name, lines, authority)), status, name);
  }
  t.equal(await ask(port), 401, 'none');
  const stranger = make('stranger', ['URI.1=sip:alice@example.com'], otherAuthority);
  t.equal(await ask(port, stranger), 401, 'one of an authority that is not trusted');
  t.equal(await ask(port, alice), 404, 'others are not disturbed by that');

  await t.test('sessions that are resumed', async (t) => {
    const agent = new https.Agent({ keepAlive: false });
    const reused: boolean[] = [];
    agent.on('keylog', (_line, socket: TLSSocket) => {
      socket.once('secureConnect', () => reused.push(socket.isSessionReused()));
    });
    for (let i = 0; i < 3; i += 1) t.equal(await ask(port, alice, agent), 404);
    t.ok(reused.includes(true), 'there are such');
  });

  await t.test('a client cannot show another certificate later', async (t) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: authority.cert,
      cert: alice.cert,
      key: alice.key,
      maxVersion: 'TLSv1.2',
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const end = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.renegotiate({}, () => t.fail('it renegotiated'));
    socket.write(`GET ${ownPath} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await end;
    t.ok(socket.destroyed);
  });

  await t.test('authorities are replaced', async (t) => {
    copyFileSync(otherAuthority.certificateFile, clientCaFile);
    app.listeners.reloadTls();
    t.equal(await ask(port, alice), 401);
    t.equal(await ask(port, stranger), 404);
    for (const content of ['', 'x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
      writeFileSync(clientCaFile, content);
      const error = thrown(() => app.listeners.reloadTls());
      t.match(error, { name: 'ConfigError', message: /^XCAP_TLS_CLIENT_CA/ });
    }
    t.equal(await ask(port, stranger), 404, 'the old ones stay');
  });
});

t.test('without authorities nobody is asked for a certificate', async (t) => {
  const { port } = await startServer(t, { environment: environment({ XCAP_IDENTITY_METHODS: 'digest' }) });
  t.equal(await ask(port, alice), 401);
});

t.test('the URIs of a subjectAltName', (t) => {
  const cases: readonly [text: string, uris: readonly string[]][] = [
    ['', []],
    ['URI:sip:alice@example.com', ['sip:alice@example.com']],
    ['DNS:a.example, URI:sip:a@b, IP Address:127.0.0.1, URI:tel:+49', ['sip:a@b', 'tel:+49']],
    ['DNS:"x, URI:sip:alice@example.com", URI:sip:bob@example.com', ['sip:bob@example.com']],
    [String.raw`URI:"sip:m@x\", URI:sip:alice@example.com", URI:sip:bob@x`, ['sip:bob@x']],
    [String.raw`URI:"sip:m@x\u002c URI:sip:alice@example.com"`, []],
    ['DirName:"CN=x\u002cURI:sip:a@b", URI:sip:bob@x', ['sip:bob@x']],
    // Not of this form: nothing at all is believed.
    ['URI:sip:a@b,URI:sip:c@d', []],
    ['URI:sip:a@b, ', []],
    ['URI:sip:a"b, URI:sip:c@d', []],
    ['URI:"sip:a@b, URI:sip:c@d', []],
    ['URI:"sip:a@b"x, URI:sip:c@d', []],
    ['sip:a@b', []],
    ['no colon, URI:sip:c@d', []],
  ];
  for (const [text, uris] of cases) t.strictSame(alternativeUris(text), uris, text);
  t.end();
});

t.test('only URIs of users are identities', async (t) => {
  const cases: readonly [uris: readonly string[], identities: readonly string[] | undefined][] = [
    [[], undefined],
    [['https://example.com/alice', 'urn:uuid:1', 'spiffe://x/y'], undefined],
    [
      ['sip:alice@EXAMPLE.com', 'tel:+49', 'sip:alice@example.com'],
      ['sip:alice@example.com', 'tel:+49'],
    ],
    [['sip:a b@example.com', 'sip:', 'sip:b@example.com'], ['sip:b@example.com']],
  ];
  for (const [certificateUris, identities] of cases) {
    const finding = await certificate().identify({
      peerAddress: '127.0.0.1',
      isSecure: true,
      cipherSuite: undefined,
      method: 'GET',
      target: '/',
      headers: {},
      body: Buffer.alloc(0),
      domain: undefined,
      certificateUris,
    });
    t.match(finding, identities === undefined ? { kind: 'none' } : { kind: 'identified', identities });
  }
});
