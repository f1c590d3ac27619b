/** What somebody may do beside being a subscriber: roles, and grants on the documents of others. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { listPages, send, sendForJson, subscriberPath } from './api-client.js';
import { wrongUsage } from './command-error.js';
import { addHelp } from './help.js';
import { print, printJson, table } from './output.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';
import { confirm } from './terminal.js';

interface RoleView {
  readonly xui: string;
  readonly role: string;
}

interface GrantView {
  readonly id: string;
  readonly owner: string;
  readonly grantee: string;
  readonly auid?: string;
  readonly path?: string;
  readonly access: string;
  readonly expiresAt: string;
}

interface GrantOptions extends ServerOptions {
  readonly to: string;
  readonly access: string;
  readonly until: string;
  readonly auid?: string;
  readonly path?: string;
}

type SureOptions = ServerOptions & { readonly yes?: true };

export function addRightCommands(program: Command): void {
  const roles = program.command('role').description('servers and people who may more than a subscriber');
  addHelp(roles, ['xcapd role set sip:presence@example.com trusted-element', 'xcapd role ls']);
  addRoleSet(roles);
  addRoleList(roles);
  addRoleRemove(roles);
  const grants = program.command('grant').description('documents of a subscriber for somebody else');
  addHelp(grants, ['xcapd grant add sip:alice@example.com --help', 'xcapd grant ls sip:alice@example.com']);
  addGrantAdd(grants);
  addGrantList(grants);
  addGrantRemove(grants);
}

function addRoleSet(roles: Command): void {
  const command = roles
    .command('set <xui> <role>')
    .description('give a role: trusted-element, support or administrator')
    .action(async (xui: string, role: string, options: ServerOptions) => {
      const set = await sendForJson<RoleView>(serverOf(options), 'PUT', rolePath(xui), { json: { role } });
      await (options.json ? printJson(set) : print(`${set.xui} has the role ${set.role}.\n`));
    });
  serverCommand(command, ['xcapd role set sip:presence@example.com trusted-element']);
}

function addRoleList(roles: Command): void {
  const command = roles
    .command('ls')
    .description('who has which role')
    .action(async (options: ServerOptions) => {
      for await (const page of listPages<RoleView>(serverOf(options), '/roles')) {
        if (options.json) for (const assignment of page) await printJson(assignment);
        else await print(table(page.map(({ xui, role }) => [xui, role])));
      }
    });
  serverCommand(command, ['xcapd role ls']);
}

function addRoleRemove(roles: Command): void {
  const command = roles
    .command('rm <xui>')
    .description('take a role away')
    .option('--yes', 'do not ask whether that is meant')
    .action(async (xui: string, options: SureOptions) => {
      const server = serverOf(options);
      await confirm(`Take the role of ${xui} away?`, options);
      await send(server, 'DELETE', rolePath(xui));
      await (options.json ? printJson({ xui, removed: true }) : print(`${xui} has no role any more.\n`));
    });
  serverCommand(command, ['xcapd role rm sip:presence@example.com --yes']);
}

function addGrantAdd(grants: Command): void {
  const command = grants
    .command('add <owner>')
    .description('let somebody read or write documents of a subscriber until a date')
    .requiredOption('--to <identity>', 'who may')
    .addOption(
      new Option('--access <kind>', 'write allows to read as well')
        .choices(['read', 'write'])
        .default('read'),
    )
    .requiredOption('--until <date>', 'when it ends, such as 2027-01-31 or 2027-01-31T12:00:00Z', timeOf)
    .option('--auid <usage>', 'the documents of this usage only')
    .option('--path <path>', 'this document only, as in its URI behind the home directory')
    .action(async (owner: string, { to, access, until, auid, path, ...options }: GrantOptions) => {
      if (path !== undefined && auid === undefined) throw wrongUsage('--path needs --auid.');
      const json = { grantee: to, access, expiresAt: until, ...(auid && { auid }), ...(path && { path }) };
      const server = serverOf(options);
      const made = await sendForJson<GrantView>(server, 'POST', subscriberPath(owner, '/grants'), { json });
      await (options.json ? printJson(made) : print(table([grantRow(made)])));
    });
  serverCommand(command, [
    'xcapd grant add sip:alice@example.com --to sip:bob@example.com --until 2027-01-31',
    'xcapd grant add sip:alice@example.com --to sip:bob@example.com --until 2027-01-31 --access write --auid resource-lists --path index',
  ]);
}

function addGrantList(grants: Command): void {
  const command = grants
    .command('ls <xui>')
    .description('what a subscriber lets others do; with --to what others let them do')
    .option('--to', 'those to them instead')
    .action(async (xui: string, options: ServerOptions & { readonly to?: true }) => {
      const path = options.to ? '/grants' : subscriberPath(xui, '/grants');
      const query = options.to ? { grantee: xui } : {};
      for await (const page of listPages<GrantView>(serverOf(options), path, query)) {
        if (options.json) for (const grant of page) await printJson(grant);
        else await print(table(page.map(grantRow)));
      }
    });
  serverCommand(command, ['xcapd grant ls sip:alice@example.com', 'xcapd grant ls sip:bob@example.com --to']);
}

function grantRow({ id, owner, grantee, auid, path, access, expiresAt }: GrantView): string[] {
  const what = auid === undefined ? 'all documents' : `${auid}${path === undefined ? '' : `/${path}`}`;
  return [id, owner, '→', grantee, access, what, `until ${expiresAt}`];
}

function addGrantRemove(grants: Command): void {
  const command = grants
    .command('rm <owner> <id>')
    .description('end a grant; grant ls shows the ids')
    .option('--yes', 'do not ask whether that is meant')
    .action(async (owner: string, id: string, options: SureOptions) => {
      const server = serverOf(options);
      await confirm(`End the grant ${id} of ${owner}?`, options);
      await send(server, 'DELETE', subscriberPath(owner, `/grants/${encodeURIComponent(id)}`));
      await (options.json ? printJson({ id, removed: true }) : print(`The grant ${id} has ended.\n`));
    });
  serverCommand(command, ['xcapd grant rm sip:alice@example.com 0b5a0a5e-4f6b-4f0e-9c1d-2f7d1c3a9b10 --yes']);
}

function rolePath(xui: string): string {
  return `/roles/${encodeURIComponent(xui)}`;
}

function timeOf(value: string): string {
  const date = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(value) ? new Date(value) : undefined;
  if (date !== undefined && !Number.isNaN(date.getTime())) return date.toISOString();
  throw new InvalidArgumentError('It has to be a date, or a date with time and zone.');
}
