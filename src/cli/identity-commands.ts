/** The public identities of subscribers. */
import type { Command } from 'commander';
import { send, sendForJson, subscriberPath } from './api-client.js';
import { addHelp } from './help.js';
import { print, printJson } from './output.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';
import { confirm } from './terminal.js';

export function addIdentityCommands(program: Command): void {
  const identities = program.command('identity').description('the public identities of a subscriber');
  addHelp(identities, ['xcapd identity add sip:alice@example.com tel:+15550100', 'xcapd identity rm --help']);

  const add = identities
    .command('add <xui> <identity>')
    .description('give a subscriber a further identity')
    .action(async (xui: string, identity: string, options: ServerOptions) => {
      const path = subscriberPath(xui, '/identities');
      const changed = await sendForJson<object>(serverOf(options), 'POST', path, { json: { identity } });
      await (options.json ? printJson(changed) : print(`${xui} has the identity ${identity}.\n`));
    });
  serverCommand(add, ['xcapd identity add sip:alice@example.com tel:+15550100']);

  const remove = identities
    .command('rm <xui> <identity>')
    .description('take an identity away, with what others allowed to it')
    .option('--yes', 'do not ask whether that is meant')
    .action(async (xui: string, identity: string, options: ServerOptions & { readonly yes?: true }) => {
      const server = serverOf(options);
      await confirm(`Take the identity ${identity} from ${xui}?`, options);
      await send(server, 'DELETE', subscriberPath(xui, `/identities/${encodeURIComponent(identity)}`));
      const done = { xui, identity, removed: true };
      await (options.json ? printJson(done) : print(`${xui} has the identity ${identity} no more.\n`));
    });
  serverCommand(remove, ['xcapd identity rm sip:alice@example.com tel:+15550100 --yes']);
}
