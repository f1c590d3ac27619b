/** `rekey`: a new key for the digest secrets. Keys come by the environment only: `ps` shows what stands on the command line. */
import type { Command } from 'commander';
import { refused } from './command-error.js';
import { addHelp } from './help.js';
import { print, progress } from './output.js';
import { configuration } from './server-commands.js';

interface RekeyOptions {
  readonly progress?: true;
}

export function addRekeyCommand(program: Command): void {
  const command = program
    .command('rekey')
    .description(
      'encrypt the digest secrets in the database with XCAP_NEW_SECRETS_KEY in place of XCAP_SECRETS_KEY; servers that have both go on',
    )
    .option('--progress', 'show the progress also where standard error is no terminal')
    .action(runRekey);
  addHelp(command, ['xcapd rekey', 'DATABASE_URL=postgres://xcapd@db/xcapd xcapd rekey --progress']);
}

async function runRekey(options: RekeyOptions): Promise<void> {
  const { withExistingDatabase } = await import('../processes/command-database.js');
  const { rekey } = await import('../storage/secrets/rekey.js');
  const config = await configuration();
  const line = progress(options.progress === true);
  const { sealed, unreadable } = await withExistingDatabase(config, (database) =>
    rekey({
      database,
      keys: config.passwords,
      onProgress: (secrets) => line.show(`${secrets} digest secrets have the new key`),
    }),
  ).finally(() => line.end());
  await print(
    `${sealed} digest secrets got the new key, and all that is written gets it. ` +
      'Restart the servers with it as XCAP_SECRETS_KEY, without XCAP_NEW_SECRETS_KEY.\n',
  );
  if (unreadable > 0) {
    throw refused(
      `${unreadable} digest secrets have neither key. They stay as they are; those whom this concerns need a new password.`,
    );
  }
}
