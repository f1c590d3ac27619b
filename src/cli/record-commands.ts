/** What the server has written down: who did what over the management API, and all about one subscriber. */
import type { Command } from 'commander';
import { chunksOf, listPages, send, subscriberPath } from './api-client.js';
import { print, printJson, table } from './output.js';
import { writeAll } from './private-file.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';

interface AuditView {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function addRecordCommands(program: Command): void {
  const audit = program
    .command('audit [xui]')
    .description(
      'who did what over the management API, the latest first; with a subscriber what was done to them',
    )
    .action(async (xui: string | undefined, options: ServerOptions) => {
      const query = xui === undefined ? {} : { subject: xui };
      for await (const page of listPages<AuditView>(serverOf(options), '/audit', query)) {
        if (options.json) for (const record of page) await printJson(record);
        else await print(table(page.map(auditRow)));
      }
    });
  serverCommand(audit, ['xcapd audit | head', 'xcapd audit sip:alice@example.com --json']);

  const archive = program
    .command('archive <xui>')
    .description(
      'all that is stored of a subscriber, as JSON for themselves; secrets are named and not given',
    )
    .option('-o, --output <file>', 'write it to a file that nobody else may read', '-')
    .action(async (xui: string, options: ServerOptions & { readonly output: string }) => {
      const server = serverOf(options);
      const chunks = chunksOf(server, await send(server, 'GET', subscriberPath(xui, '/archive')));
      await writeAll(options.output, async (write) => {
        for await (const chunk of chunks) await write(chunk);
      });
    });
  serverCommand(archive, ['xcapd archive sip:alice@example.com -o alice.json']);
}

function auditRow({ at, actor, action, subject = '', details = {} }: AuditView): string[] {
  const facts = Object.entries(details).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [at, actor, action, subject, facts.join(' ')];
}
