/** Subscribers. */
import { visibleText } from '../visible-text.js';
import { InvalidArgumentError, type Command } from 'commander';
import { listPages, send, sendForJson, subscriberPath } from './api-client.js';
import { addHelp } from './help.js';
import { facts, print, printJson, table } from './output.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';
import { confirm, readNewPassword } from './terminal.js';
import { addUserSet } from './user-set-command.js';

interface SubscriberView {
  readonly xui: string;
  readonly identities: readonly string[];
  readonly impi?: string;
  readonly isDisabled: boolean;
  readonly profile?: string;
  readonly quota: { readonly documents?: number; readonly bytes?: number };
  readonly usage?: { readonly documents: number; readonly bytes: number };
}

interface AddOptions extends ServerOptions {
  readonly identity?: readonly string[];
  readonly impi?: string;
  readonly profile?: string;
  readonly force?: true;
  readonly maxDocuments?: number;
  readonly maxBytes?: number;
  readonly disabled?: true;
  readonly askPassword?: true;
  readonly passwordStdin?: true;
}

interface PasswordOptions extends ServerOptions {
  readonly passwordStdin?: true;
  readonly remove?: true;
  readonly yes?: true;
}

export function addUserCommands(program: Command): void {
  const users = program.command('user').description('subscribers: who has documents, and how they log in');
  addHelp(users, ['xcapd user list', 'xcapd user show sip:alice@example.com', 'xcapd user add --help']);
  addAdd(users);
  addList(users);
  addShow(users);
  addUserSet(users);
  addPassword(users);
  addSwitch(users, 'disable', true, 'refuse the requests of a subscriber; nothing is lost');
  addSwitch(users, 'enable', false, 'serve a subscriber again');
  addRemove(users);
}

function addAdd(users: Command): void {
  const command = users
    .command('add <xui>')
    .description('make a subscriber; without a password they are known by other authentication schemes only')
    .option('--identity <identity>', 'a further public identity; may be repeated', collect)
    .option('--impi <impi>', 'the private identity')
    .option('--profile <name>', 'the profile of provisioned services')
    .option('--force', 'also where the server has no such profile yet, and with any identity')
    .option('--max-documents <number>', 'how many documents they may have', wholeNumber)
    .option('--max-bytes <number>', 'how many bytes they may have together', wholeNumber)
    .option('--disabled', 'refuse their requests for now')
    .option('--ask-password', 'ask for the password on the terminal')
    .option('--password-stdin', 'read the password from standard input')
    .action(async (xui: string, options: AddOptions) => {
      const server = serverOf(options);
      const body = await newSubscriber(xui, options);
      const path = options.force ? '/subscribers?force=true' : '/subscribers';
      const made = await sendForJson<SubscriberView>(server, 'POST', path, { json: body });
      await (options.json ? printJson(made) : print(`${made.xui} was made.\n`));
    });
  serverCommand(command, [
    'xcapd user add sip:alice@example.com --identity tel:+15550100 --ask-password',
    'xcapd user add sip:bob@example.com --password-stdin < password.txt',
  ]);
}

async function newSubscriber(xui: string, options: AddOptions): Promise<object> {
  const { identity, impi, profile, maxDocuments, maxBytes, disabled, askPassword, passwordStdin } = options;
  const wantsPassword = askPassword ?? passwordStdin ?? false;
  return {
    xui,
    ...(identity === undefined ? {} : { identities: identity }),
    ...(impi === undefined ? {} : { impi }),
    ...(profile === undefined ? {} : { profile }),
    ...(disabled === undefined ? {} : { isDisabled: disabled }),
    quota: {
      ...(maxDocuments === undefined ? {} : { documents: maxDocuments }),
      ...(maxBytes === undefined ? {} : { bytes: maxBytes }),
    },
    ...(wantsPassword ? { password: await readNewPassword(passwordStdin === true) } : {}),
  };
}

function addList(users: Command): void {
  const command = users
    .command('list [prefix]')
    .description('all subscribers with an identity that begins so, with or without its scheme')
    .action(async (prefix: string | undefined, options: ServerOptions) => {
      const query = prefix === undefined ? {} : { query: prefix };
      const pages = listPages<SubscriberView>(serverOf(options), '/subscribers', query);
      let found = 0;
      for await (const subscribers of pages) {
        found += subscribers.length;
        if (options.json) for (const subscriber of subscribers) await printJson(subscriber);
        else await print(table(subscribers.map(summary)));
      }
      if (found > 0) return;
      const which = prefix === undefined ? '' : ` with an identity that begins with '${prefix}'`;
      process.stderr.write(visibleText(`There is no subscriber${which}.\n`));
    });
  serverCommand(command, [
    'xcapd user list',
    'xcapd user list sip:al',
    'xcapd user list --json | jq -r .xui',
  ]);
}

function summary({ xui, identities, profile, isDisabled }: SubscriberView): string[] {
  const others = identities.filter((identity) => identity !== xui);
  return [xui, others.join(','), profile ?? '', isDisabled ? 'disabled' : ''];
}

function addShow(users: Command): void {
  const command = users
    .command('show <xui>')
    .description('one subscriber, by any of their identities in any spelling')
    .action(async (xui: string, options: ServerOptions) => {
      const shown = await sendForJson<SubscriberView>(serverOf(options), 'GET', subscriberPath(xui));
      await (options.json ? printJson(shown) : print(description(shown)));
    });
  serverCommand(command, ['xcapd user show sip:alice@example.com', 'xcapd user show tel:+15550100 --json']);
}

function description({ xui, identities, impi, profile, isDisabled, quota, usage }: SubscriberView): string {
  const of = (used: number | undefined, limit: number | undefined) =>
    used === undefined ? undefined : `${used}${limit === undefined ? '' : ` of ${limit}`}`;
  return facts({
    xui,
    identities: identities.join(', '),
    impi,
    profile,
    state: isDisabled ? 'disabled' : 'enabled',
    documents: of(usage?.documents, quota.documents),
    bytes: of(usage?.bytes, quota.bytes),
  });
}

function addPassword(users: Command): void {
  const command = users
    .command('passwd <xui>')
    .description('set the password of a subscriber')
    .option('--password-stdin', 'read it from standard input')
    .option('--remove', 'take all credentials away instead')
    .option('--yes', 'do not ask whether that is meant')
    .action(async (xui: string, options: PasswordOptions) => {
      const server = serverOf(options);
      const path = subscriberPath(xui, '/credentials');
      if (options.remove) {
        await confirm(`Take the credentials of ${xui} away?`, options);
        await send(server, 'DELETE', path);
      } else {
        const password = await readNewPassword(options.passwordStdin === true);
        await send(server, 'PUT', path, { json: { password } });
      }
      const done = options.remove ? 'has no credentials any more' : 'has a new password';
      await (options.json ? printJson({ xui, changed: true }) : print(`${xui} ${done}.\n`));
    });
  serverCommand(command, [
    'xcapd user passwd sip:alice@example.com',
    'xcapd user passwd sip:alice@example.com --password-stdin < password.txt',
    'xcapd user passwd sip:alice@example.com --remove',
  ]);
}

function addSwitch(users: Command, name: string, isDisabled: boolean, purpose: string): void {
  const command = users
    .command(`${name} <xui>`)
    .description(purpose)
    .action(async (xui: string, options: ServerOptions) => {
      const changed = await sendForJson<SubscriberView>(serverOf(options), 'PATCH', subscriberPath(xui), {
        json: { isDisabled },
      });
      await (options.json ? printJson(changed) : print(`${changed.xui} is ${name}d.\n`));
    });
  serverCommand(command, [`xcapd user ${name} sip:alice@example.com`]);
}

function addRemove(users: Command): void {
  const command = users
    .command('rm <xui>')
    .description('erase a subscriber with their documents, their versions and all else that is known of them')
    .option('--yes', 'do not ask whether that is meant')
    .action(async (xui: string, options: ServerOptions & { readonly yes?: true }) => {
      const server = serverOf(options);
      await confirm(`Erase ${xui} with all documents?`, options);
      await send(server, 'DELETE', subscriberPath(xui));
      await (options.json ? printJson({ xui, erased: true }) : print(`${xui} was erased.\n`));
    });
  serverCommand(command, [
    'xcapd user rm sip:alice@example.com',
    'xcapd user rm sip:alice@example.com --yes',
  ]);
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function wholeNumber(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It has to be a whole number.');
}
