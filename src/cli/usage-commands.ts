/** `usages` and `check`: application usages without a server. What they need is loaded when they run: libxml2 is large. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { LoadedUsage } from '../xcap/usage/loaded-usage.js';
import type { DocumentFault } from './check-document.js';
import { exitCodes, messageOf, wrongUsage } from './command-error.js';
import { percentDecoded } from '../xcap/uri/percent-encoding.js';
import { addHelp } from './help.js';
import { print, printJson, table } from './output.js';
import { readStandardInput } from './terminal.js';

/** Whose document it is where nobody says. */
const anybody = 'sip:user@example.com';

interface CheckOptions {
  readonly usage: string;
  readonly user?: string;
  readonly name?: string;
  readonly json?: true;
}

export function addUsageCommands(program: Command): void {
  const usages = program
    .command('usages')
    .description('the application usages that this program has')
    .option('--json', 'print JSON, one value on each line')
    .action(async ({ json }: { readonly json?: true }) => {
      const { loadAllUsages } = await import('./check-document.js');
      const views = [...(await loadAllUsages()).values()].map(usageView);
      if (json) for (const view of views) await printJson(view);
      else await print(table(views.map(usageRow)));
    });
  addHelp(usages, ['xcapd usages', 'xcapd usages --json | jq -r .auid']);

  const check = program
    .command('check <file>')
    .description('check a document by all rules of its usage, without a server; - for standard input')
    .requiredOption('--usage <auid>', 'its application usage, see usages')
    .option(
      '--user <xui>',
      `whose document it is to be; by default that of a path …/users/<xui>/…, else ${anybody}`,
    )
    .option('--name <name>', 'its name below the home directory; by default that of the usage')
    .option('--json', 'print JSON')
    .action(checkFile);
  addHelp(check, [
    'xcapd check index.xml --usage resource-lists',
    'xcapd check simservs.xml --usage simservs.ngn.etsi.org --json',
  ]);
}

async function checkFile(file: string, { usage: auid, user, name, json }: CheckOptions): Promise<void> {
  const { documentChecker, loadAllUsages } = await import('./check-document.js');
  const usages = await loadAllUsages();
  const loaded = usages.get(auid);
  if (loaded === undefined) throw wrongUsage(`There is no application usage '${auid}'; see xcapd usages.`);
  const path = name ?? usageView(loaded).document ?? 'index';
  const bytes = file === '-' ? await readStandardInput() : await readDocumentFile(file);
  const owner = user ?? ownerIn(file);
  const found = await documentChecker(usages)({ auid, xui: owner ?? anybody, path }, bytes);
  const fault = owner === undefined ? withOwnerAsked(found) : found;
  if (fault !== undefined) process.exitCode = exitCodes.refused;
  await (json
    ? printJson({ file, valid: fault === undefined, ...fault })
    : print(`${file}${fault === undefined ? ': valid' : faultText(fault)}\n`));
}

/** The user in whose home directory the file lies, where its path is one of XCAP (RFC 4825 §6.2). */
function ownerIn(file: string): string | undefined {
  const segments = file.split(/[/\\]/);
  const owner = segments[segments.lastIndexOf('users') + 1];
  return segments.includes('users') && owner !== undefined ? percentDecoded(owner) : undefined;
}

/** A constraint may be about whose document it is. */
function withOwnerAsked(fault: DocumentFault | undefined): DocumentFault | undefined {
  if (fault?.condition !== 'constraint-failure') return fault;
  return {
    ...fault,
    reason: `${fault.reason} (judged as a document of ${anybody}; --user says whose it is)`,
  };
}

function faultText({ line, condition, reason }: DocumentFault): string {
  return `${line === undefined ? '' : `:${line}`}: ${condition === undefined ? '' : `${condition}: `}${reason}`;
}

function usageView({ usage }: LoadedUsage) {
  return {
    auid: usage.auid,
    mediaType: usage.mediaType,
    document: usage.kind === 'stored' ? usage.defaultDocument : undefined,
    isMadeByServer: usage.kind === 'generated',
    isOptional: usage.isOptional === true,
    hasSchema: usage.schema !== undefined,
  };
}

function usageRow(view: ReturnType<typeof usageView>): string[] {
  const notes = [
    ...(view.isMadeByServer ? ['made by the server'] : []),
    ...(view.isOptional ? ['off by default'] : []),
  ];
  return [view.auid, view.document ?? '', view.mediaType, notes.join(', ')];
}

async function readDocumentFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw wrongUsage(`The file cannot be read: ${messageOf(error)}.`);
  }
}
