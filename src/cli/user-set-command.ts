/** `user set`: changes what is known of a subscriber. */
import { InvalidArgumentError, type Command } from 'commander';
import { sendForJson, subscriberPath } from './api-client.js';
import { wrongUsage } from './command-error.js';
import { print, printJson } from './output.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';

type Limit = number | 'none';

interface SetOptions extends ServerOptions {
  /** False for `--no-impi`. */
  readonly impi?: string | false;
  readonly profile?: string | false;
  readonly maxDocuments?: Limit;
  readonly maxBytes?: Limit;
  readonly force?: true;
}

export function addUserSet(users: Command): void {
  const command = users
    .command('set <xui>')
    .description('change what is known of a subscriber; what is not named stays')
    .option('--impi <impi>', 'the private identity')
    .option('--no-impi', 'no private identity')
    .option('--profile <name>', 'the profile of provisioned services')
    .option('--no-profile', 'that of everybody')
    .option('--max-documents <number>', 'how many documents they may have; none: as many as others', limit)
    .option('--max-bytes <number>', 'how many bytes they may have together; none: as many as others', limit)
    .option('--force', 'also where the server has no such profile yet')
    .action(async (xui: string, options: SetOptions) => {
      const json = changesOf(options);
      if (Object.keys(json).length === 0) throw wrongUsage('Nothing is to be changed; see --help.');
      const path = `${subscriberPath(xui)}${options.force ? '?force=true' : ''}`;
      const changed = await sendForJson<{ xui: string }>(serverOf(options), 'PATCH', path, { json });
      await (options.json ? printJson(changed) : print(`${changed.xui} was changed.\n`));
    });
  serverCommand(command, [
    'xcapd user set sip:alice@example.com --profile gold',
    'xcapd user set sip:alice@example.com --max-bytes 1000000 --no-impi',
    'xcapd user set sip:alice@example.com --max-bytes none',
  ]);
}

function changesOf({ impi, profile, maxDocuments, maxBytes }: SetOptions): object {
  const quota = {
    ...(maxDocuments === undefined ? {} : { documents: maxDocuments === 'none' ? null : maxDocuments }),
    ...(maxBytes === undefined ? {} : { bytes: maxBytes === 'none' ? null : maxBytes }),
  };
  return {
    ...(impi === undefined ? {} : { impi: impi === false ? null : impi }),
    ...(profile === undefined ? {} : { profile: profile === false ? null : profile }),
    ...(Object.keys(quota).length === 0 ? {} : { quota }),
  };
}

function limit(value: string): Limit {
  if (value === 'none') return value;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It has to be a whole number, or 'none'.");
}
