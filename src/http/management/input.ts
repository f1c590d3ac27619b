/** JSON schemas of what clients send, and the types that follow from them. */
import { Type, type Static } from 'typebox';
import { digestAlgorithms, roles } from '../../subscribers/subscriber.js';
import { maximalXuiBytes } from '../../xcap/uri/xui.js';

const closed = { additionalProperties: false };

/** No control characters, and no halves of characters, which no database keeps. */
const name = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$' });

/** Those that are stored have at most as many bytes in their one form (`storable`). */
export const identity = name(maximalXuiBytes);

export const subscriberParameters = Type.Object({ xui: identity });

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const documentCount = Type.Integer({ minimum: 0, maximum: 2147483647 });
const orNull = <Schema extends typeof count | ReturnType<typeof name>>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

const digestSecret = Type.Object(
  {
    realm: name(255),
    username: name(512),
    algorithm: Type.Enum([...digestAlgorithms]),
    /** Of MD5, of SHA-256, or encrypted, as an export gives it. */
    ha1: Type.String({ pattern: '^([0-9a-f]{32}|[0-9a-f]{64}|gcm:[A-Za-z0-9+/]{1,200}={0,2})$' }),
  },
  closed,
);

/** As `hashPassword` makes it. The cost is bounded: whoever logs in makes the server pay it. */
const passwordHash =
  '^\\$scrypt\\$ln=([1-9]|1[0-7]),r=([1-9]|1[0-6]),p=([1-9]|1[0-6])\\$[A-Za-z0-9+/]{16,200}\\$[A-Za-z0-9+/]{22,200}$';

const credentialProperties = {
  password: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
  digest: Type.Optional(Type.Array(digestSecret, { maxItems: 1000 })),
  passwordHash: Type.Optional(Type.String({ pattern: passwordHash })),
};

export const credentialsBody = Type.Object(credentialProperties, { ...closed, minProperties: 1 });
export type CredentialsBody = Static<typeof credentialsBody>;

const quota = Type.Object({ documents: Type.Optional(documentCount), bytes: Type.Optional(count) }, closed);

const subscriberProperties = {
  xui: identity,
  identities: Type.Optional(Type.Array(identity, { maxItems: 100 })),
  impi: Type.Optional(name(512)),
  isDisabled: Type.Optional(Type.Boolean()),
  profile: Type.Optional(name(128)),
  quota: Type.Optional(quota),
  ...credentialProperties,
};

export const subscriberBody = Type.Object(subscriberProperties, closed);
export type SubscriberBody = Static<typeof subscriberBody>;

/** A document of a subscriber in an import. */
const documentProperties = Type.Object(
  {
    auid: name(255),
    /** Percent-encoded, below the home directory. */
    path: Type.String({ minLength: 1, maxLength: 2000, pattern: '^[!-~]+$' }),
    content: Type.String(),
  },
  closed,
);

export const importLine = Type.Object(
  { ...subscriberProperties, documents: Type.Optional(Type.Array(documentProperties, { maxItems: 1000 })) },
  closed,
);
export type ImportLine = Static<typeof importLine>;

/** Whether a profile may be given that is not there (yet). */
const force = Type.Optional(Type.Enum(['true', 'false']));
export const forceQuery = Type.Object({ force }, closed);

/** Whether documents are kept that break the rules of their usages. */
export const keepInvalidQuery = Type.Object(
  { keepInvalid: Type.Optional(Type.Enum(['true', 'false'])) },
  closed,
);

export const importQuery = Type.Object({ ...keepInvalidQuery.properties, force }, closed);

export const subscriberChanges = Type.Object(
  {
    impi: Type.Optional(orNull(name(512))),
    isDisabled: Type.Optional(Type.Boolean()),
    profile: Type.Optional(orNull(name(128))),
    quota: Type.Optional(
      Type.Object(
        { documents: Type.Optional(orNull(documentCount)), bytes: Type.Optional(orNull(count)) },
        closed,
      ),
    ),
  },
  { ...closed, minProperties: 1 },
);
export type SubscriberChangesBody = Static<typeof subscriberChanges>;

export const identityBody = Type.Object({ identity }, closed);

export const grantBody = Type.Object(
  {
    grantee: identity,
    auid: Type.Optional(name(255)),
    path: Type.Optional(Type.String({ minLength: 1, maxLength: 2000, pattern: '^[!-~]+$' })),
    access: Type.Enum(['read', 'write']),
    expiresAt: Type.String({ format: 'date-time', maxLength: 40 }),
  },
  closed,
);
export type GrantBody = Static<typeof grantBody>;

export const roleBody = Type.Object({ role: Type.Enum([...roles]) }, closed);

export const restoreBody = Type.Object(
  { version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
  closed,
);
