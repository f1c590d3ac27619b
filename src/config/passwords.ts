/** The part of the configuration that is about authentication schemes, and about those that rest on passwords. */
import { ConfigError } from './config-error.js';
import { authenticationSchemeNames, type Environment, type AuthenticationSchemeName } from './environment.js';

export interface PasswordConfig {
  /** In the order of the challenges. */
  readonly digestAlgorithms: readonly DigestAlgorithmName[];
  readonly digestUri: 'strict' | 'tolerant' | 'loose';
  readonly nonceSeconds: number;
  /** 32 bytes, for the digest secrets in the database; undefined where they are stored as they are. */
  readonly secretsKey: Uint8Array | undefined;
  /** The one that takes its place. */
  readonly newSecretsKey: Uint8Array | undefined;
}

const digestAlgorithmNames = ['MD5', 'SHA-256'] as const;

type DigestAlgorithmName = (typeof digestAlgorithmNames)[number];

/** @throws ConfigError */
export function passwordConfig(values: Environment): PasswordConfig {
  if (values.XCAP_SECRETS_KEY === '' && values.XCAP_NEW_SECRETS_KEY !== '') {
    throw new ConfigError(
      'XCAP_NEW_SECRETS_KEY is set, XCAP_SECRETS_KEY is not: a first key is XCAP_SECRETS_KEY.',
    );
  }
  return {
    digestAlgorithms: namesFrom(
      'XCAP_DIGEST_ALGORITHMS',
      values.XCAP_DIGEST_ALGORITHMS,
      digestAlgorithmNames,
    ),
    digestUri: values.XCAP_DIGEST_URI as PasswordConfig['digestUri'],
    nonceSeconds: values.XCAP_NONCE_SECONDS,
    secretsKey: secretsKey('XCAP_SECRETS_KEY', values.XCAP_SECRETS_KEY),
    newSecretsKey: secretsKey('XCAP_NEW_SECRETS_KEY', values.XCAP_NEW_SECRETS_KEY),
  };
}

/** The schemes in the order in which they are tried. @throws ConfigError */
export function authenticationSchemesFrom(values: Environment): readonly AuthenticationSchemeName[] {
  return namesFrom('XCAP_IDENTITY_METHODS', values.XCAP_IDENTITY_METHODS, authenticationSchemeNames);
}

function namesFrom<Name extends string>(variable: string, value: string, known: readonly Name[]): Name[] {
  const names = value.split(',').map((item) => {
    const name = known.find((one) => one === item.trim());
    if (name !== undefined) return name;
    throw new ConfigError(`${variable} has '${item.trim()}', which is none of ${known.join(', ')}.`);
  });
  const [twice] = names.filter((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new ConfigError(`${variable} has '${twice}' twice.`);
  return names;
}

/** The value is a secret: it is not repeated. */
function secretsKey(variable: string, value: string): Uint8Array | undefined {
  if (value === '') return undefined;
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex');
  if (/^[A-Za-z0-9+/]{43}=?$/.test(value)) return Buffer.from(value, 'base64');
  throw new ConfigError(`${variable} is not 32 bytes in base64 or in hexadecimal digits.`);
}
