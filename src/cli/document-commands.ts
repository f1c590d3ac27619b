/** Documents of all users, named as in their URIs below the XCAP root. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { listPages, send, sendForBytes, sendForJson, subscriberPath } from './api-client.js';
import { messageOf, wrongUsage } from './command-error.js';
import { addDiff } from './diff-command.js';
import { documentHelp, documentPath, versionNumber, type VersionView } from './document-name.js';
import { addHelp } from './help.js';
import { print, printJson, table } from './output.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';
import { confirm, readStandardInput } from './terminal.js';

interface ConditionOptions extends ServerOptions {
  readonly ifMatch?: string;
  readonly new?: true;
}

interface DocumentView {
  readonly auid: string;
  readonly path: string;
  readonly entityTag: string;
  readonly version: number;
  readonly bytes: number;
  readonly changedAt: string;
  /** Why it is not valid, where an import kept it so. */
  readonly invalid?: string;
}

export function addDocumentCommands(program: Command): void {
  const documents = program.command('doc').description('documents of all users, and their versions');
  addHelp(documents, ['xcapd doc ls sip:alice@example.com', 'xcapd doc put --help']);
  addGet(documents);
  addPut(documents);
  addRemove(documents);
  addList(documents);
  addHistory(documents);
  addDiff(documents);
  addRestore(documents);
}

function addGet(documents: Command): void {
  const command = documents
    .command('get')
    .description('print a document')
    .argument('<document>', documentHelp)
    .option('--version <number>', 'an older version of it, see doc history', versionNumber)
    .option('-o, --output <file>', 'write it to a file instead')
    .action(
      async (document: string, options: ServerOptions & { version?: number; readonly output?: string }) => {
        const query = options.version === undefined ? '' : `?version=${options.version}`;
        const path = `${documentPath('documents', document)}${query}`;
        const { bytes, headers } = await sendForBytes(serverOf(options), 'GET', path);
        if (options.output !== undefined) await writeOutput(options.output, bytes);
        if (options.json) {
          const entityTag = headers.get('etag')?.replaceAll('"', '');
          const mediaType = headers.get('content-type') ?? undefined;
          const content = options.output === undefined ? bytes.toString('utf8') : undefined;
          const flaw = headers.get('xcapd-invalid');
          const invalid = flaw === null ? undefined : decodeURIComponent(flaw);
          await printJson({ document, entityTag, mediaType, bytes: bytes.length, invalid, content });
        } else if (options.output === undefined) await print(bytes);
      },
    );
  serverCommand(command, [
    'xcapd doc get resource-lists/users/sip:alice@example.com/index',
    'xcapd doc get resource-lists/users/sip:alice@example.com/index --version 3 -o old.xml',
  ]);
}

function addPut(documents: Command): void {
  const command = documents
    .command('put')
    .description('make or replace a document, with all checks of its usage')
    .argument('<document>', documentHelp)
    .argument('<file>', 'the content; - for standard input')
    .option('--if-match <tag>', 'only while it has this entity tag')
    .option('--new', 'only where there is none')
    .action(async (document: string, file: string, options: ConditionOptions) => {
      const server = serverOf(options);
      const body = file === '-' ? await readStandardInput() : await readInput(file);
      const headers = conditionHeaders(options);
      const response = await send(server, 'PUT', documentPath('documents', document), { headers, body });
      await printWritten(document, response, options);
    });
  serverCommand(command, [
    'xcapd doc put resource-lists/users/sip:alice@example.com/index index.xml',
    'xcapd doc put pres-rules/users/sip:alice@example.com/index - --new < rules.xml',
  ]);
}

function addRemove(documents: Command): void {
  const command = documents
    .command('rm')
    .description('delete a document; its versions stay')
    .argument('<document>', documentHelp)
    .option('--if-match <tag>', 'only while it has this entity tag')
    .option('--yes', 'do not ask whether that is meant')
    .action(async (document: string, options: ConditionOptions & { readonly yes?: true }) => {
      const server = serverOf(options);
      const path = documentPath('documents', document);
      await confirm(`Delete ${document}?`, options);
      await send(server, 'DELETE', path, { headers: conditionHeaders(options) });
      await (options.json ? printJson({ document, deleted: true }) : print(`${document} was deleted.\n`));
    });
  serverCommand(command, ['xcapd doc rm resource-lists/users/sip:alice@example.com/index --yes']);
}

function addList(documents: Command): void {
  const command = documents
    .command('ls <xui>')
    .description('the documents of a subscriber')
    .action(async (xui: string, options: ServerOptions) => {
      const path = subscriberPath(xui, '/documents');
      const { items } = await sendForJson<{ items: DocumentView[] }>(serverOf(options), 'GET', path);
      if (options.json) for (const item of items) await printJson(item);
      else await print(table(items.map(documentRow)));
    });
  serverCommand(command, ['xcapd doc ls sip:alice@example.com']);
}

function documentRow({ auid, path, version, bytes, changedAt, invalid }: DocumentView): string[] {
  const mark = invalid === undefined ? '' : `not valid: ${invalid.replace(/\s+/g, ' ')}`;
  return [`${auid}/${path}`, `version ${version}`, `${bytes} bytes`, changedAt, mark];
}

function addHistory(documents: Command): void {
  const command = documents
    .command('history')
    .description('the versions of a document, the latest first')
    .argument('<document>', documentHelp)
    .action(async (document: string, options: ServerOptions) => {
      const pages = listPages<VersionView>(serverOf(options), documentPath('versions', document));
      for await (const versions of pages) {
        if (options.json) for (const version of versions) await printJson(version);
        else await print(table(versions.map(versionRow)));
      }
    });
  serverCommand(command, ['xcapd doc history resource-lists/users/sip:alice@example.com/index']);
}

function versionRow({ version, bytes, author, changedAt }: VersionView): string[] {
  return [String(version), bytes === undefined ? 'deleted' : `${bytes} bytes`, changedAt, author];
}

function addRestore(documents: Command): void {
  const command = documents
    .command('restore')
    .description('make an older version the current one; that is a new version')
    .argument('<document>', documentHelp)
    .argument('<version>', 'its number, see doc history', versionNumber)
    .option('--if-match <tag>', 'only while it has this entity tag')
    .action(async (document: string, version: number, options: ConditionOptions) => {
      const request = { headers: conditionHeaders(options), json: { version } };
      const path = documentPath('versions', document);
      await printWritten(document, await send(serverOf(options), 'POST', path, request), options);
    });
  serverCommand(command, ['xcapd doc restore resource-lists/users/sip:alice@example.com/index 3']);
}

async function printWritten(document: string, response: Response, { json }: ServerOptions): Promise<void> {
  const entityTag = response.headers.get('etag')?.replaceAll('"', '');
  const created = response.status === 201;
  if (json) await printJson({ document, created, entityTag });
  else await print(`${document} was ${created ? 'made' : 'replaced'}, entity tag ${entityTag ?? ''}.\n`);
}

function conditionHeaders({ ifMatch, new: isNew }: ConditionOptions): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { 'if-match': `"${ifMatch.replaceAll('"', '')}"` }),
    ...(isNew === undefined ? {} : { 'if-none-match': '*' }),
  };
}

async function readInput(file: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await readFile(file);
  } catch (error) {
    throw wrongUsage(`The file cannot be read: ${messageOf(error)}.`);
  }
}

async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(file, bytes);
  } catch (error) {
    throw wrongUsage(`The file cannot be written: ${messageOf(error)}.`);
  }
}
