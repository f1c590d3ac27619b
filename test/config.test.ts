import t from 'tap';
import { readConfig } from '../src/config.js';
import { variables } from '../src/environment.js';
import { thrown } from './fixtures/thrown.js';

t.test('defaults', (t) => {
  t.strictSame(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    adminHost: '127.0.0.1',
    adminPort: 8081,
    databaseUrl: undefined,
    logLevel: 'info',
    xcapRoots: ['/xcap-root'],
    dataDirectory: './data',
    trustedProxies: ['127.0.0.0/8', '::1/128'],
    trustedElements: [],
    optionalUsages: [],
    policies: new Map(),
    defaultDomain: undefined,
    maximalDocumentBytes: 1048576,
    strictMediaTypes: false,
    historyVersions: 50,
    workers: 1,
    profilesDirectory: undefined,
    tls: undefined,
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
    [{ XCAP_ROOTS: '/' }, { xcapRoots: [''] }],
    [{ XCAP_ROOTS: '/xcap-root/' }, { xcapRoots: ['/xcap-root'] }],
    [{ XCAP_ROOTS: '/a, /b/c ,/' }, { xcapRoots: ['/a', '/b/c', ''] }],
    [{ XCAP_TRUSTED_PROXIES: ' 10.0.0.0/8 ,::1,' }, { trustedProxies: ['10.0.0.0/8', '::1'] }],
    [{ XCAP_TRUSTED_PROXIES: '0.0.0.0/0,::/0' }, { trustedProxies: ['0.0.0.0/0', '::/0'] }],
    [{ XCAP_TRUSTED_PROXIES: ',' }, { trustedProxies: [] }],
    [{ XCAP_OPTIONAL_USAGES: 'a, b' }, { optionalUsages: ['a', 'b'] }],
    [
      { XCAP_POLICIES: 'a=x, b=y' },
      {
        policies: new Map([
          ['a', 'x'],
          ['b', 'y'],
        ]),
      },
    ],
    [{ XCAP_DEFAULT_DOMAIN: 'example.com' }, { defaultDomain: 'example.com' }],
    [{ XCAP_STRICT_MEDIA_TYPES: 'true' }, { strictMediaTypes: true }],
    [{ XCAP_STRICT_MEDIA_TYPES: 'false' }, { strictMediaTypes: false }],
    [
      { XCAP_HISTORY_VERSIONS: '0', XCAP_WORKERS: '4' },
      { historyVersions: 0, workers: 4 },
    ],
    [{ XCAP_MAX_DOCUMENT_BYTES: '2048' }, { maximalDocumentBytes: 2048 }],
    [{ XCAP_PROFILES_DIR: '/etc/xcapd/profiles' }, { profilesDirectory: '/etc/xcapd/profiles' }],
    [{ LOG_LEVEL: 'silent' }, { logLevel: 'silent' }],
    [
      { XCAP_TLS_CERT: 'c.pem', XCAP_TLS_KEY: 'k.pem' },
      { tls: { certificateFile: 'c.pem', keyFile: 'k.pem' } },
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
    [{ XCAP_DEFAULT_DOMAIN: 'sip:example.com' }, 'XCAP_DEFAULT_DOMAIN'],
    [{ XCAP_MAX_DOCUMENT_BYTES: '1023' }, 'XCAP_MAX_DOCUMENT_BYTES'],
    [{ XCAP_MAX_DOCUMENT_BYTES: '1MB' }, 'XCAP_MAX_DOCUMENT_BYTES'],
    [{ XCAP_STRICT_MEDIA_TYPES: 'maybe' }, 'XCAP_STRICT_MEDIA_TYPES'],
    [{ XCAP_HISTORY_VERSIONS: '-1' }, 'XCAP_HISTORY_VERSIONS'],
    [{ XCAP_WORKERS: '0' }, 'XCAP_WORKERS'],
    [{ XCAP_TLS_CERT: 'c.pem' }, 'XCAP_TLS_KEY'],
    [{ XCAP_TLS_KEY: 'k.pem' }, 'XCAP_TLS_CERT'],
    [{ DATABASE_URL: 'mysql://h/d' }, 'DATABASE_URL'],
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

t.test('every variable is described', (t) => {
  for (const [name, { description }] of Object.entries(variables)) t.match(description, /\S/, name);
  t.end();
});
