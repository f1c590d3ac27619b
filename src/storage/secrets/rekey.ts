/** Gives the digest secrets a new key, while servers run that have both. */
import { secretBox, SecretsKeyError, type SecretsKeys } from '../../subscribers/secret-box.js';
import { inOneTransaction, onOwnConnection, statementsOn, type DatabaseAddress } from '../database.js';
import { reseal, type Resealed } from './resealing.js';
import { agreeOnKey, changeKey } from './secrets-keys.js';

export interface RekeyOptions {
  readonly database: DatabaseAddress;
  readonly keys: SecretsKeys;
  /** Is told how many secrets have the new key so far. */
  readonly onProgress: (secrets: number) => void;
}

/**
 * Goes on where one before it was broken off. Where it has been done already, nothing happens.
 *
 * @throws SecretsKeyError with a sentence, where no key is given, where none of them fits or where servers do not have them
 */
export async function rekey({ database, keys, onProgress }: RekeyOptions): Promise<Resealed> {
  const box = secretBox(keys);
  const { newKeyId } = box;
  if (newKeyId === undefined) {
    throw new SecretsKeyError(
      'XCAP_NEW_SECRETS_KEY is not set: set it to the new key, and XCAP_SECRETS_KEY to the present one.',
    );
  }
  return onOwnConnection(database, 'xcapd rekey', async (client) => {
    const [schema] = await statementsOn(client)<{ known: boolean }>({
      text: "select to_regclass('xcapd.secrets_keys') is not null as known",
    });
    if (schema?.known !== true) {
      throw new Error(
        'The database has not the schema of this program: start the server first, or run xcapd migrate.',
      );
    }
    const agreement = await agreeOnKey((action) => inOneTransaction(client, action), box);
    if (agreement.kind === 'waiting') {
      throw new SecretsKeyError(
        `Servers without XCAP_SECRETS_KEY are connected to the database (from ${agreement.places.join(', ')}): ` +
          'restart them with it first.',
      );
    }
    await inOneTransaction(client, (query) => changeKey(query, newKeyId));
    return reseal(client, box, onProgress);
  });
}
