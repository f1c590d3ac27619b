/** `why`: the latest requests on the documents of a subscriber, and why they were refused. */
import type { Command } from 'commander';
import { sendForJson, subscriberPath } from './api-client.js';
import { print, printJson } from './output.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';

interface RequestView {
  readonly at: string;
  readonly method: string;
  readonly status: number;
  readonly document?: string;
  readonly node?: string;
  readonly asker?: string;
  readonly role?: string;
  readonly scheme?: string;
  readonly reason?: string;
  readonly condition?: string;
  readonly sentence?: string;
  readonly milliseconds: number;
  readonly peer?: string;
}

interface WhyOptions extends ServerOptions {
  readonly refused?: true;
}

export function addWhyCommand(program: Command): void {
  const command = program
    .command('why <xui>')
    .description(
      'the latest requests on the documents of a subscriber, the newest first, and why they were refused',
    )
    .option('--refused', 'only those that were refused')
    .action(async (xui: string, options: WhyOptions) => {
      const path = subscriberPath(xui, options.refused ? '/requests?refused=true' : '/requests');
      const { items } = await sendForJson<{ readonly items: readonly RequestView[] }>(
        serverOf(options),
        'GET',
        path,
      );
      if (options.json) for (const request of items) await printJson(request);
      else if (items.length === 0)
        await print(`No ${options.refused ? 'refused ' : ''}request of ${xui} is kept.\n`);
      else await print(items.map(described).join(''));
    });
  serverCommand(command, [
    'xcapd why sip:alice@example.com',
    'xcapd why tel:+15550100 --refused',
    'xcapd why sip:alice@example.com --json | jq .sentence',
  ]);
}

function described(request: RequestView): string {
  const { at, status, method, document = '', node, condition, sentence, milliseconds, peer } = request;
  const target = node === undefined ? document : `${document}/~~/${node}`;
  const answer = [condition, sentence].filter((text) => text !== undefined).join(': ');
  const where = peer === undefined ? '' : ` from ${peer}`;
  return (
    `${at}  ${status}  ${method} ${target}\n` +
    (answer === '' ? '' : `    ${answer}\n`) +
    `    asked by ${askedBy(request)}${where}, ${milliseconds} ms\n`
  );
}

function askedBy({ asker = 'somebody unknown', role, scheme, reason }: RequestView): string {
  const how = [role, scheme, reason].filter((text) => text !== undefined).join(', ');
  return how === '' ? asker : `${asker} (${how})`;
}
