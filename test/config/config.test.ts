import t from 'tap';
import { readConfig } from '../../src/config/config.js';
import { variables } from '../../src/config/environment.js';
import { thrown } from '../fixtures/thrown.js';

t.test('defaults', (t) => {
  t.strictSame(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    adminHost: '127.0.0.1',
    adminPort: 8081,
    adminToken: undefined,
    adminTokenFile: undefined,
    databaseUrl: undefined,
    logLevel: 'info',
    logFormat: undefined,
    xcapRoots: ['/xcap-root'],
    dataDirectory: './data',
    trustedProxies: ['127.0.0.0/8', '::1/128'],
    hostnames: [],
    trustedElements: [],
    trustedWriters: [],
    optionalUsages: [],
    lenientUsages: [],
    foreignNamespaces: new Map([['XCAP_SIMSERVS_NAMESPACES', []]]),
    policies: new Map(),
    openProvisioning: true,
    defaultDomain: undefined,
    maximalDocumentBytes: 1048576,
    maximalConnections: 10000,
    strictMediaTypes: false,
    historyVersions: 50,
    requestHistory: 100,
    quota: { documents: undefined, bytes: undefined },
    loginFailures: 10,
    upstreams: [],
    workers: 1,
    profilesDirectory: undefined,
    tls: undefined,
    adminTls: undefined,
    authenticationSchemes: ['asserted-identity', 'digest'],
    passwords: {
      digestAlgorithms: ['MD5', 'SHA-256'],
      digestUri: 'tolerant',
      nonceSeconds: 300,
      secretsKey: undefined,
      newSecretsKey: undefined,
    },
    identity: {
      bearer: undefined,
      clientCaFile: undefined,
      bootstrappingUrl: undefined,
      akma: undefined,
      tokens: undefined,
      peers: undefined,
      cipherHeader: undefined,
    },
    ignoredVariables: [],
  });
  t.end();
});

t.test('values', (t) => {
  const cases: readonly [environment: Record<string, string>, expected: object][] = [
    [
      { PORT: '0', ADMIN_PORT: '65535' },
      { port: 0, adminPort: 65535 },
    ],
    [
      { HOST: '::', ADMIN_HOST: '10.0.0.1' },
      { host: '::', adminHost: '10.0.0.1' },
    ],
    [
      { ADMIN_TOKEN: 't0ken+/=16-letters', XCAP_ADMIN_TOKEN_FILE: 'tokens' },
      { adminToken: 't0ken+/=16-letters', adminTokenFile: 'tokens' },
    ],
    [{ XCAP_ROOTS: '/' }, { xcapRoots: [''] }],
    [{ XCAP_ROOTS: '/xcap-root/' }, { xcapRoots: ['/xcap-root'] }],
    [{ XCAP_ROOTS: '/a, /b/c ,/' }, { xcapRoots: ['/a', '/b/c', ''] }],
    [{ XCAP_TRUSTED_PROXIES: ' 10.0.0.0/8 ,::1,' }, { trustedProxies: ['10.0.0.0/8', '::1'] }],
    [{ XCAP_TRUSTED_PROXIES: '0.0.0.0/0,::/0' }, { trustedProxies: ['0.0.0.0/0', '::/0'] }],
    [{ XCAP_TRUSTED_PROXIES: ',' }, { trustedProxies: [] }],
    [{ XCAP_OPTIONAL_USAGES: 'a, b' }, { optionalUsages: ['a', 'b'] }],
    [{ XCAP_LENIENT_USAGES: 'a, b' }, { lenientUsages: ['a', 'b'] }],
    [
      { XCAP_SIMSERVS_NAMESPACES: 'urn:a, urn:b' },
      { foreignNamespaces: new Map([['XCAP_SIMSERVS_NAMESPACES', ['urn:a', 'urn:b']]]) },
    ],
    [
      { XCAP_POLICIES: 'a=x, b=y' },
      {
        policies: new Map([
          ['a', 'x'],
          ['b', 'y'],
        ]),
      },
    ],
    [{ DATABASE_URL: 'postgres:///x' }, { openProvisioning: false }],
    [{ DATABASE_URL: 'postgres:///x', XCAP_OPEN_PROVISIONING: 'true' }, { openProvisioning: true }],
    [{ XCAP_OPEN_PROVISIONING: 'false' }, { openProvisioning: false }],
    [{ XCAP_DEFAULT_DOMAIN: 'example.com' }, { defaultDomain: 'example.com' }],
    [{ XCAP_STRICT_MEDIA_TYPES: 'true' }, { strictMediaTypes: true }],
    [{ XCAP_STRICT_MEDIA_TYPES: 'false' }, { strictMediaTypes: false }],
    [
      { XCAP_HISTORY_VERSIONS: '0', XCAP_WORKERS: '4' },
      { historyVersions: 0, workers: 4 },
    ],
    [{ XCAP_MAX_DOCUMENT_BYTES: '2048' }, { maximalDocumentBytes: 2048 }],
    [{ XCAP_LOGIN_FAILURES: '0' }, { loginFailures: undefined }],
    [
      { XCAP_QUOTA_DOCUMENTS: '100', XCAP_QUOTA_BYTES: '10000000000' },
      { quota: { documents: 100, bytes: 10_000_000_000 } },
    ],
    [
      {
        XCAP_UPSTREAMS:
          'org.3gpp.*=https://mcx.example.com/, *=http://xdms/xcap/root ,simservs.ngn.etsi.org=http://[2001:db8::1]:8080',
      },
      {
        upstreams: [
          { auid: 'simservs.ngn.etsi.org', origin: 'http://[2001:db8::1]:8080', path: '' },
          { prefix: 'org.3gpp.', origin: 'https://mcx.example.com', path: '' },
          { prefix: '', origin: 'http://xdms', path: '/xcap/root' },
        ],
      },
    ],
    [{ XCAP_PROFILES_DIR: '/etc/xcapd/profiles' }, { profilesDirectory: '/etc/xcapd/profiles' }],
    [{ LOG_LEVEL: 'silent' }, { logLevel: 'silent' }],
    [{ XCAP_IDENTITY_METHODS: 'basic, digest' }, { authenticationSchemes: ['basic', 'digest'] }],
    [{ XCAP_DIGEST_ALGORITHMS: 'SHA-256' }, { passwords: { digestAlgorithms: ['SHA-256'] } }],
    [{ XCAP_DIGEST_URI: 'strict' }, { passwords: { digestUri: 'strict' } }],
    [{ XCAP_NONCE_SECONDS: '60' }, { passwords: { nonceSeconds: 60 } }],
    ...['42'.repeat(32), `${'QkJC'.repeat(10)}QkI=`, `${'QkJC'.repeat(10)}QkI`].map(
      (key): [Record<string, string>, object] => [
        { XCAP_SECRETS_KEY: key },
        { passwords: { secretsKey: Buffer.alloc(32, 0x42) } },
      ],
    ),
    [
      { XCAP_ADMIN_TLS_CERT: 'c.pem', XCAP_ADMIN_TLS_KEY: 'k.pem' },
      { tls: undefined, adminTls: { certificateFile: 'c.pem', keyFile: 'k.pem' } },
    ],
    [
      { XCAP_TLS_CERT: 'c.pem', XCAP_TLS_KEY: 'k.pem' },
      { tls: { certificateFile: 'c.pem', keyFile: 'k.pem' } },
    ],
    [
      {
        XCAP_JWT_JWKS: 'https://idp.example.com/jwks',
        XCAP_JWT_ISSUER: 'https://idp.example.com/',
        XCAP_JWT_AUDIENCE: 'xcap',
        XCAP_JWT_XUI_CLAIM: 'mcptt_id',
        XCAP_JWT_READ_SCOPE: 'xcap:read  3gpp:mc',
      },
      {
        identity: {
          bearer: {
            jwks: 'https://idp.example.com/jwks',
            issuer: 'https://idp.example.com/',
            audience: 'xcap',
            identityClaim: 'mcptt_id',
            readScopes: ['xcap:read', '3gpp:mc'],
            writeScopes: [],
          },
        },
      },
    ],
    [
      { XCAP_JWT_JWKS: './jwks.json' },
      { identity: { bearer: { jwks: './jwks.json', identityClaim: 'sub' } } },
    ],
    [
      { XCAP_PEERS: '10.0.0.5=sip:a=b@example.com, 10.1.0.0/16=rls' },
      {
        identity: {
          peers: [
            { network: '10.0.0.5', identity: 'sip:a=b@example.com' },
            { network: '10.1.0.0/16', identity: 'rls' },
          ],
        },
      },
    ],
    [
      { XCAP_HOSTNAMES: 'XCAP.example.com., 10.0.0.1,::1' },
      { hostnames: ['xcap.example.com', '10.0.0.1', '::1'] },
    ],
    [
      { XCAP_BSF_URL: 'http://bsf.example.com/api', XCAP_GBA_CIPHER_HEADER: 'X-TLS-Cipher' },
      { identity: { bootstrappingUrl: 'http://bsf.example.com/api', cipherHeader: 'x-tls-cipher' } },
    ],
    [
      { XCAP_AKMA_URL: 'https://aanf.example.com', XCAP_AKMA_AF_ID: 'xcap.example.com' },
      { identity: { akma: { url: 'https://aanf.example.com', afId: 'xcap.example.com' } } },
    ],
    [
      {
        XCAP_NF_TOKEN_URL: 'https://nrf.example.com/oauth2/token',
        XCAP_NF_CLIENT_ID: 'xcapd',
        XCAP_NF_CLIENT_SECRET_FILE: '/run/secrets/nf',
      },
      {
        identity: {
          tokens: {
            url: 'https://nrf.example.com/oauth2/token',
            clientId: 'xcapd',
            secretFile: '/run/secrets/nf',
          },
        },
      },
    ],
    [
      { XCAP_TLS_CERT: 'c.pem', XCAP_TLS_KEY: 'k.pem', XCAP_TLS_CLIENT_CA: 'ca.pem' },
      { identity: { clientCaFile: 'ca.pem' } },
    ],
    ...[
      'postgres://user:secret@db.example.com:5433/name?sslmode=require',
      'postgresql://localhost/name',
      'postgres://user@/name?host=/run/postgresql&port=5433',
      'postgres:///name?host=%2Frun%2Fpostgresql',
    ].map((url): [Record<string, string>, object] => [{ DATABASE_URL: url }, { databaseUrl: url }]),
  ];
  for (const [environment, expected] of cases) {
    t.match(readConfig(environment), expected, JSON.stringify(environment));
  }
  t.end();
});

t.test('an empty variable is one that is not set', (t) => {
  const empty = Object.fromEntries(Object.keys(variables).map((name) => [name, '']));
  t.strictSame(readConfig(empty), readConfig({}));
  t.end();
});

t.test('variables of other programs do not matter', (t) => {
  t.strictSame(readConfig({ PATH: '/bin', XCAPD_DATABASE: '{}', NODE_ENV: 'production' }), readConfig({}));
  t.end();
});

t.test('bad values', (t) => {
  const cases: readonly [environment: Record<string, string>, culprit: string][] = [
    [{ XCAP_FOO: '1' }, 'XCAP_FOO'],
    [{ XCAP_FOO: '' }, 'XCAP_FOO'],
    [{ XCAP_PORT: '8080' }, 'XCAP_PORT'],
    [{ XCAP_DEFAULT_DOMAIN: 'example.com', XCAP_ROOT: '/' }, 'XCAP_ROOT'],
    [{ PORT: 'abc' }, 'PORT'],
    [{ PORT: '80.5' }, 'PORT'],
    [{ PORT: '-1' }, 'PORT'],
    [{ PORT: '65536' }, 'PORT'],
    [{ ADMIN_PORT: '8080x' }, 'ADMIN_PORT'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ ADMIN_TOKEN: 'two words of 16 letters' }, 'ADMIN_TOKEN'],
    [{ ADMIN_TOKEN: 'too-short' }, 'ADMIN_TOKEN'],
    [{ XCAP_ROOTS: 'xcap-root' }, 'XCAP_ROOTS'],
    [{ XCAP_ROOTS: '/a,b' }, 'XCAP_ROOTS'],
    [{ XCAP_ROOTS: '/a//b' }, 'XCAP_ROOTS'],
    [{ XCAP_ROOTS: '/a/~~/b' }, 'XCAP_ROOTS'],
    [{ XCAP_ROOTS: '/a?b' }, 'XCAP_ROOTS'],
    [{ XCAP_TRUSTED_PROXIES: 'localhost' }, 'XCAP_TRUSTED_PROXIES'],
    [{ XCAP_TRUSTED_PROXIES: '10.0.0.0/33' }, 'XCAP_TRUSTED_PROXIES'],
    [{ XCAP_TRUSTED_PROXIES: '::1/129' }, 'XCAP_TRUSTED_PROXIES'],
    [{ XCAP_TRUSTED_PROXIES: '10.0.0.0/' }, 'XCAP_TRUSTED_PROXIES'],
    [{ XCAP_TRUSTED_PROXIES: '10.0.0.0/8/8' }, 'XCAP_TRUSTED_PROXIES'],
    [{ XCAP_POLICIES: 'resource-lists' }, 'XCAP_POLICIES'],
    [{ XCAP_POLICIES: 'a=b=c' }, 'XCAP_POLICIES'],
    [{ XCAP_OPEN_PROVISIONING: 'maybe' }, 'XCAP_OPEN_PROVISIONING'],
    [{ XCAP_DEFAULT_DOMAIN: 'sip:example.com' }, 'XCAP_DEFAULT_DOMAIN'],
    [{ XCAP_MAX_DOCUMENT_BYTES: '1023' }, 'XCAP_MAX_DOCUMENT_BYTES'],
    [{ XCAP_MAX_DOCUMENT_BYTES: '1MB' }, 'XCAP_MAX_DOCUMENT_BYTES'],
    [{ XCAP_STRICT_MEDIA_TYPES: 'maybe' }, 'XCAP_STRICT_MEDIA_TYPES'],
    [{ XCAP_HISTORY_VERSIONS: '-1' }, 'XCAP_HISTORY_VERSIONS'],
    [{ XCAP_WORKERS: '0' }, 'XCAP_WORKERS'],
    [{ XCAP_LOGIN_FAILURES: '-1' }, 'XCAP_LOGIN_FAILURES'],
    [{ XCAP_QUOTA_DOCUMENTS: '1.5' }, 'XCAP_QUOTA_DOCUMENTS'],
    [{ XCAP_QUOTA_BYTES: '1GB' }, 'XCAP_QUOTA_BYTES'],
    [{ XCAP_UPSTREAMS: 'simservs.ngn.etsi.org' }, 'XCAP_UPSTREAMS'],
    [{ XCAP_UPSTREAMS: 'simservs.ngn.etsi.org=tas.example.com' }, 'XCAP_UPSTREAMS'],
    [{ XCAP_UPSTREAMS: 'a=ftp://tas.example.com' }, 'XCAP_UPSTREAMS'],
    [{ XCAP_UPSTREAMS: 'a=http://user:secret@tas.example.com' }, 'XCAP_UPSTREAMS'],
    [{ XCAP_UPSTREAMS: 'a=http://tas.example.com/?root' }, 'XCAP_UPSTREAMS'],
    [{ XCAP_UPSTREAMS: 'a*b=http://tas.example.com' }, 'XCAP_UPSTREAMS'],
    [{ XCAP_UPSTREAMS: 'a=http://one,a=http://two' }, 'XCAP_UPSTREAMS'],
    [{ XCAP_UPSTREAMS: 'xcap-caps=http://tas.example.com' }, 'XCAP_UPSTREAMS'],
    [{ XCAP_TLS_CERT: 'c.pem' }, 'XCAP_TLS_KEY'],
    [{ XCAP_TLS_KEY: 'k.pem' }, 'XCAP_TLS_CERT'],
    [{ XCAP_TLS_CLIENT_CA: 'ca.pem' }, 'XCAP_TLS_CERT'],
    [{ XCAP_ADMIN_TLS_CERT: 'c.pem' }, 'XCAP_ADMIN_TLS_KEY'],
    [{ XCAP_ADMIN_TLS_KEY: 'k.pem' }, 'XCAP_ADMIN_TLS_CERT'],
    [{ XCAP_JWT_AUDIENCE: 'xcap' }, 'XCAP_JWT_JWKS'],
    [{ XCAP_JWT_JWKS: 'https://' }, 'XCAP_JWT_JWKS'],
    [{ XCAP_BSF_URL: 'bsf.example.com' }, 'XCAP_BSF_URL'],
    [{ XCAP_BSF_URL: 'ftp://bsf.example.com' }, 'XCAP_BSF_URL'],
    [{ XCAP_AKMA_URL: 'https://user:secret@aanf.example.com' }, 'XCAP_AKMA_URL'],
    [{ XCAP_AKMA_AF_ID: 'xcap.example.com' }, 'XCAP_AKMA_URL'],
    [{ XCAP_NF_TOKEN_URL: 'https://nrf.example.com' }, 'XCAP_NF_CLIENT_ID'],
    [{ XCAP_NF_CLIENT_SECRET_FILE: 'secret' }, 'XCAP_NF_TOKEN_URL'],
    [{ XCAP_GBA_CIPHER_HEADER: 'x cipher' }, 'XCAP_GBA_CIPHER_HEADER'],
    [{ DATABASE_URL: 'mysql://h/d' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://h/d?sslmode=require&application_name=x' }, 'DATABASE_URL'],
    [{ XCAP_IDENTITY_METHODS: 'digest,ntlm' }, 'XCAP_IDENTITY_METHODS'],
    [{ XCAP_IDENTITY_METHODS: 'digest,digest' }, 'XCAP_IDENTITY_METHODS'],
    [{ XCAP_IDENTITY_METHODS: ',' }, 'XCAP_IDENTITY_METHODS'],
    [{ XCAP_IDENTITY_METHODS: 'bearer' }, 'XCAP_JWT_JWKS'],
    [{ XCAP_IDENTITY_METHODS: 'certificate' }, 'XCAP_TLS_CLIENT_CA'],
    [{ XCAP_IDENTITY_METHODS: 'gba' }, 'XCAP_BSF_URL'],
    [{ XCAP_IDENTITY_METHODS: 'peer' }, 'XCAP_PEERS'],
    [{ XCAP_PEERS: 'sip:a@example.com' }, 'XCAP_PEERS'],
    [{ XCAP_PEERS: '10.0.0.5=' }, 'XCAP_PEERS'],
    [{ XCAP_PEERS: 'presence.example.com=sip:a@example.com' }, 'XCAP_PEERS'],
    [{ XCAP_IDENTITY_METHODS: 'gba', XCAP_BSF_URL: 'http://bsf.example.com' }, 'XCAP_HOSTNAMES'],
    [{ XCAP_IDENTITY_METHODS: 'akma', XCAP_AKMA_URL: 'http://aanf.example.com' }, 'XCAP_HOSTNAMES'],
    [{ XCAP_HOSTNAMES: 'xcap.example.com:8080' }, 'XCAP_HOSTNAMES'],
    [{ XCAP_HOSTNAMES: 'https://xcap.example.com' }, 'XCAP_HOSTNAMES'],
    [{ XCAP_IDENTITY_METHODS: 'digest,akma' }, 'XCAP_AKMA_URL'],
    [{ XCAP_DIGEST_ALGORITHMS: 'MD5-sess' }, 'XCAP_DIGEST_ALGORITHMS'],
    [{ XCAP_DIGEST_URI: 'lax' }, 'XCAP_DIGEST_URI'],
    [{ XCAP_NONCE_SECONDS: '9' }, 'XCAP_NONCE_SECONDS'],
    [{ XCAP_SECRETS_KEY: 'topsecret' }, 'XCAP_SECRETS_KEY'],
    [{ XCAP_SECRETS_KEY: '42'.repeat(32), XCAP_NEW_SECRETS_KEY: 'topsecret' }, 'XCAP_NEW_SECRETS_KEY'],
    [{ XCAP_NEW_SECRETS_KEY: '42'.repeat(32) }, 'XCAP_NEW_SECRETS_KEY'],
  ];
  for (const [environment, culprit] of cases) {
    const name = JSON.stringify(environment);
    const error = thrown(() => readConfig(environment));
    t.match(error, { name: 'ConfigError', message: new RegExp(`\\b${culprit}\\b`) }, name);
    t.match(error, { message: /^[^\n]+\.$/ }, `${name}: a sentence`);
    t.notMatch(error, { message: /\benv\// }, `${name}: in words of the operator`);
  }
  t.end();
});

t.test('no message repeats the secret of DATABASE_URL', (t) => {
  for (const url of [
    'mysql://user:topsecret@host/name',
    'postgres://user:topsecret@host:99999/name',
    'postgres://user:topsecret@ho st/name',
    'user:topsecret@host/name',
    'topsecret',
  ]) {
    const error = thrown(() => readConfig({ DATABASE_URL: url }));
    t.match(error, { name: 'ConfigError', message: /^DATABASE_URL / }, url);
    t.notMatch(String(error), /topsecret/, url);
  }
  // An error in another variable.
  const error = thrown(() =>
    readConfig({ DATABASE_URL: 'postgres://user:topsecret@host/name', PORT: 'abc' }),
  );
  t.notMatch(String(error), /topsecret/);
  t.end();
});

t.test('no message repeats the key of the secrets', (t) => {
  for (const key of ['topsecret', '42'.repeat(31), `${'42'.repeat(31)}zz`, 'QkJC'.repeat(10)]) {
    const error = thrown(() => readConfig({ XCAP_SECRETS_KEY: key }));
    t.match(error, { name: 'ConfigError', message: /^XCAP_SECRETS_KEY / }, key);
    t.notOk(String(error).includes(key));
  }
  t.end();
});

t.test('no message repeats the token of the management API', (t) => {
  for (const environment of [
    { ADMIN_TOKEN: 'secret' },
    { ADMIN_TOKEN: 'top secret of 16 letters' },
    { ADMIN_TOKEN: 'topsecret-16-letters', PORT: 'abc' },
  ]) {
    const error = thrown(() => readConfig(environment));
    t.match(error, { name: 'ConfigError' });
    t.notMatch(String(error), /secret/);
  }
  t.end();
});

t.test('every variable is described', (t) => {
  for (const [name, { description }] of Object.entries(variables)) t.match(description, /\S/, name);
  t.end();
});

t.test('what Kubernetes sets for services whose names begin with xcap', (t) => {
  const links = {
    XCAP_SERVICE_HOST: '10.0.0.1',
    XCAP_SERVICE_PORT: '8080',
    XCAP_SERVICE_PORT_HTTP: '8080',
    XCAP_PORT: 'tcp://10.0.0.1:8080',
    XCAP_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    XCAP_PORT_8080_TCP_PROTO: 'tcp',
    XCAP_PORT_8080_TCP_PORT: '8080',
    XCAP_PORT_8080_TCP_ADDR: '10.0.0.1',
    XCAP_ADMIN_SERVICE_HOST: '10.0.0.2',
  };
  t.strictSame(readConfig({ ...links, XCAP_WORKERS: '2' }).ignoredVariables, Object.keys(links));
  t.match(
    thrown(() => readConfig({ XCAP_PORT: '9090' })),
    /XCAP_PORT is not a variable/,
    'a mistake of a person',
  );
  t.end();
});
