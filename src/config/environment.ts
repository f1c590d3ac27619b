/** Every environment variable that the program knows, as JSON Schema. The README's table is tested against it. */

const port = { type: 'integer', minimum: 0, maximum: 65535 } as const;

export const variables = {
  HOST: { type: 'string', default: '127.0.0.1', description: 'Address of the XCAP listener.' },
  PORT: { ...port, default: 8080, description: 'Port of the XCAP listener.' },
  ADMIN_HOST: { type: 'string', default: '127.0.0.1', description: 'Address of the management listener.' },
  ADMIN_PORT: { ...port, default: 8081, description: 'Port of the management listener.' },
  ADMIN_TOKEN: {
    type: 'string',
    default: '',
    description:
      'The bearer token of the management API. Without one (or a file of them) the API answers to this machine only.',
  },
  XCAP_ADMIN_TOKEN_FILE: {
    type: 'string',
    default: '',
    description:
      'File with such tokens: on each line one, after a name for the audit trail, or a name and a role (administrator, provisioning, support), if you like. Read again on SIGHUP.',
  },
  DATABASE_URL: {
    type: 'string',
    default: '',
    description:
      'PostgreSQL 14 or later to use (`postgres://…`). Without it an embedded PostgreSQL is started.',
  },
  LOG_LEVEL: {
    type: 'string',
    default: 'info',
    pattern: '^(fatal|error|warn|info|debug|trace|silent)$',
    description: 'fatal, error, warn, info, debug, trace or silent.',
  },
  LOG_FORMAT: {
    type: 'string',
    default: '',
    pattern: '^(json|text|)$',
    description:
      '`json`: one object on each line and nothing else; `text`: lines for people. By default text on a terminal, JSON elsewhere.',
  },
  XCAP_ROOTS: {
    type: 'string',
    default: '/xcap-root',
    pattern: '^/',
    description: 'Comma-separated paths of the XCAP roots; the first is the primary one. `/` is legal.',
  },
  XCAP_DATA_DIR: {
    type: 'string',
    default: './data',
    description: 'Where the embedded PostgreSQL keeps its data.',
  },
  XCAP_IDENTITY_METHODS: {
    type: 'string',
    default: 'asserted-identity,digest',
    description:
      'Comma-separated ways to find out who is asking, in the order in which they are tried and offered: asserted-identity, digest, basic, bearer, certificate, gba, akma, peer.',
  },
  XCAP_TRUSTED_PROXIES: {
    type: 'string',
    default: '127.0.0.0/8,::1/128',
    description:
      'Comma-separated addresses and CIDRs of the peers whose asserted-identity header is believed.',
  },
  XCAP_PEERS: {
    type: 'string',
    default: '',
    description:
      'Comma-separated `<address or CIDR>=<XUI>`: servers that can send no credentials and no header, for the scheme peer (docs/security.md).',
  },
  XCAP_HOSTNAMES: {
    type: 'string',
    default: '',
    pattern: '^[A-Za-z0-9._:, -]*$',
    description:
      'Comma-separated host names by which clients call this server; requests for others get 421. GBA and AKMA need them. By default any, but from this machine its addresses and `localhost` only (docs/security.md).',
  },
  XCAP_TRUSTED_ELEMENTS: {
    type: 'string',
    default: '',
    description:
      'Comma-separated XUIs of servers (RLS, presence server, application server) that read users’ documents.',
  },
  XCAP_TRUSTED_WRITERS: {
    type: 'string',
    default: '',
    description:
      'Comma-separated `<XUI>=<AUID>`: servers that read and write users’ documents of that usage, such as an application server that executes star codes.',
  },
  XCAP_POLICIES: {
    type: 'string',
    default: '',
    description:
      'Comma-separated `<AUID>=<policy>`: who may read the documents of a usage, where it has several policies.',
  },
  XCAP_OPTIONAL_USAGES: {
    type: 'string',
    default: '',
    description: 'Comma-separated AUIDs of usages that are off by default, such as `test-app`.',
  },
  XCAP_LENIENT_USAGES: {
    type: 'string',
    default: '',
    description:
      'Comma-separated AUIDs of usages that accept what known clients write against the standard. Only `resource-lists` can: entries without URI, elements of vendors.',
  },
  XCAP_SIMSERVS_NAMESPACES: {
    type: 'string',
    default: '',
    description:
      'Comma-separated namespaces whose elements may stand among the services of `simservs.ngn.etsi.org`, such as those of a vendor.',
  },
  XCAP_OPEN_PROVISIONING: {
    type: 'string',
    default: '',
    pattern: '^(true|false|)$',
    description:
      '`true`: whoever is authenticated has documents; `false`: subscribers only, others are 404. By default `false` once ' +
      '`DATABASE_URL` is set.',
  },
  XCAP_DEFAULT_DOMAIN: {
    type: 'string',
    default: '',
    pattern: '^[A-Za-z0-9.-]*$',
    description: 'The domain of XUIs that are given without one. None by default.',
  },
  XCAP_MAX_DOCUMENT_BYTES: {
    type: 'integer',
    default: 1048576,
    minimum: 1024,
    maximum: 3000000,
    description:
      'The largest document, and the largest body of a request. Most usages take less, see [docs/application-usages.md](docs/application-usages.md).',
  },
  XCAP_MAX_CONNECTIONS: {
    type: 'integer',
    default: 10000,
    minimum: 1,
    maximum: 1000000,
    description:
      'How many connections clients may have at once. One peer that is no trusted proxy has at most a quarter of them.',
  },
  XCAP_STRICT_MEDIA_TYPES: {
    type: 'boolean',
    default: false,
    description: '`true` refuses a PUT of a document without its very media type (415).',
  },
  XCAP_HISTORY_VERSIONS: {
    type: 'integer',
    default: 50,
    minimum: 0,
    maximum: 100000,
    description: 'How many versions of each document are kept.',
  },
  XCAP_REQUEST_HISTORY: {
    type: 'integer',
    default: 100,
    minimum: 0,
    maximum: 10000,
    description: 'How many of the latest requests of each subscriber are kept for `xcapd why`. 0 keeps none.',
  },
  XCAP_WORKERS: {
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: 256,
    description: 'Worker processes that answer requests.',
  },
  XCAP_PROFILES_DIR: {
    type: 'string',
    default: '',
    description: 'Folder of the profiles of subscribers (docs/provisioning.md). Read again on SIGHUP.',
  },
  XCAP_TLS_CERT: {
    type: 'string',
    default: '',
    description: 'Certificate chain of the XCAP listener (PEM file). Read again on SIGHUP.',
  },
  XCAP_TLS_KEY: { type: 'string', default: '', description: 'Its private key (PEM file).' },
  XCAP_TLS_CLIENT_CA: {
    type: 'string',
    default: '',
    description:
      'The authorities that sign certificates of clients (PEM file). With it clients are asked for one. Read again on SIGHUP.',
  },
  XCAP_ADMIN_TLS_CERT: {
    type: 'string',
    default: '',
    description:
      'Certificate chain of the management listener (PEM file), which speaks plain HTTP without it. Read again on SIGHUP.',
  },
  XCAP_ADMIN_TLS_KEY: { type: 'string', default: '', description: 'Its private key (PEM file).' },
  XCAP_LOGIN_FAILURES: {
    type: 'integer',
    default: 10,
    minimum: 0,
    maximum: 1000000,
    description:
      'How many logins of one user name or one peer may fail in a minute; more get 429. 0 for any number.',
  },
  XCAP_QUOTA_DOCUMENTS: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1000000000,
    description:
      'How many documents a user has at most, unless their subscription says otherwise. 0 for any number.',
  },
  XCAP_QUOTA_BYTES: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1000000000000,
    description:
      'How many bytes the documents of a user have in all, unless their subscription says otherwise. 0 for any number.',
  },
  XCAP_UPSTREAMS: {
    type: 'string',
    default: '',
    description:
      'Comma-separated `<AUID>=<URL>` or `<beginning>*=<URL>`: usages that other servers keep, and the XCAP roots there (docs/operations.md).',
  },
  XCAP_DIGEST_ALGORITHMS: {
    type: 'string',
    default: 'MD5,SHA-256',
    description: 'Comma-separated algorithms of HTTP Digest, in the order in which they are offered.',
  },
  XCAP_DIGEST_URI: {
    type: 'string',
    default: 'tolerant',
    pattern: '^(strict|tolerant|loose)$',
    description:
      'How exactly the `uri` of a digest names the request target: strict, tolerant (other percent-encoding, no query) or loose (also no document name).',
  },
  XCAP_NONCE_SECONDS: {
    type: 'integer',
    default: 300,
    minimum: 10,
    maximum: 86400,
    description: 'How long a nonce of HTTP Digest can be used.',
  },
  XCAP_SECRETS_KEY: {
    type: 'string',
    default: '',
    description:
      'Key that encrypts the digest secrets in the database: 32 bytes in base64 or hexadecimal digits. They are stored as they are without it (docs/operations.md).',
  },
  XCAP_NEW_SECRETS_KEY: {
    type: 'string',
    default: '',
    description:
      'The key that takes its place with `xcapd rekey`, until that is done and it is `XCAP_SECRETS_KEY` itself.',
  },
  XCAP_JWT_JWKS: {
    type: 'string',
    default: '',
    description: 'URL or file of the keys (JWKS) that sign bearer tokens.',
  },
  XCAP_JWT_ISSUER: {
    type: 'string',
    default: '',
    description: 'The issuer that tokens must have. Any by default.',
  },
  XCAP_JWT_AUDIENCE: {
    type: 'string',
    default: '',
    description: 'The audience that tokens must have. Any by default.',
  },
  XCAP_JWT_XUI_CLAIM: {
    type: 'string',
    default: 'sub',
    description: 'The claim with the XUI; for MCX `mcptt_id`.',
  },
  XCAP_JWT_READ_SCOPE: {
    type: 'string',
    default: '',
    description: 'The scope that a token needs for reading; several with blanks between. None by default.',
  },
  XCAP_JWT_WRITE_SCOPE: {
    type: 'string',
    default: '',
    description: 'The scope that a token needs for writing; several with blanks between. None by default.',
  },
  XCAP_BSF_URL: {
    type: 'string',
    default: '',
    description: 'Root of the API of the bootstrapping server (Nbsp_GBA), for GBA.',
  },
  XCAP_AKMA_URL: {
    type: 'string',
    default: '',
    description: 'Root of the API of the AKMA anchor function (Naanf_AKMA).',
  },
  XCAP_AKMA_AF_ID: {
    type: 'string',
    default: '',
    description:
      'The AF identifier of this server there. By default the host of the request and the Ua* security protocol identifier.',
  },
  XCAP_NF_TOKEN_URL: {
    type: 'string',
    default: '',
    description: 'Where access tokens for these two are got by client credentials. None are sent by default.',
  },
  XCAP_NF_CLIENT_ID: { type: 'string', default: '', description: 'The client identifier for them.' },
  XCAP_NF_CLIENT_SECRET_FILE: {
    type: 'string',
    default: '',
    description: 'File with the client secret for them. Read each time.',
  },
  XCAP_GBA_CIPHER_HEADER: {
    type: 'string',
    default: '',
    pattern: '^[A-Za-z0-9-]*$',
    description:
      'Header in which a trusted proxy names the cipher suite of the client’s TLS connection, to which keys of GBA and AKMA are bound.',
  },
} as const;

/** All ways to find out who is asking. */
export const authenticationSchemeNames = [
  'asserted-identity',
  'digest',
  'basic',
  'bearer',
  'certificate',
  'gba',
  'akma',
  'peer',
] as const;

export type AuthenticationSchemeName = (typeof authenticationSchemeNames)[number];

interface TypeNames {
  readonly string: string;
  readonly integer: number;
  readonly boolean: boolean;
}

/** The variables with their values, defaults filled in. */
export type Environment = {
  readonly [Name in keyof typeof variables]: TypeNames[(typeof variables)[Name]['type']];
};
