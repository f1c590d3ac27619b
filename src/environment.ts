/** Every environment variable that the program knows, as JSON Schema. The README's table is tested against it. */

const port = { type: 'integer', minimum: 0, maximum: 65535 } as const;

export const variables = {
  HOST: { type: 'string', default: '127.0.0.1', description: 'Address of the XCAP listener.' },
  PORT: { ...port, default: 8080, description: 'Port of the XCAP listener.' },
  ADMIN_HOST: { type: 'string', default: '127.0.0.1', description: 'Address of the management listener.' },
  ADMIN_PORT: { ...port, default: 8081, description: 'Port of the management listener.' },
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
  XCAP_TRUSTED_PROXIES: {
    type: 'string',
    default: '127.0.0.0/8,::1/128',
    description:
      'Comma-separated addresses and CIDRs of the peers whose asserted-identity header is believed.',
  },
  XCAP_TRUSTED_ELEMENTS: {
    type: 'string',
    default: '',
    description:
      'Comma-separated XUIs of servers (RLS, presence server, application server) that read users’ documents.',
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
    description: 'The largest document, and the largest body of a request.',
  },
  XCAP_STRICT_MEDIA_TYPES: {
    type: 'boolean',
    default: false,
    description: '`true` refuses a PUT of a document without its media type (415).',
  },
  XCAP_HISTORY_VERSIONS: {
    type: 'integer',
    default: 50,
    minimum: 0,
    maximum: 100000,
    description: 'How many versions of each document are kept.',
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
} as const;

interface TypeNames {
  readonly string: string;
  readonly integer: number;
  readonly boolean: boolean;
}

/** The variables with their values, defaults filled in. */
export type Environment = {
  readonly [Name in keyof typeof variables]: TypeNames[(typeof variables)[Name]['type']];
};
