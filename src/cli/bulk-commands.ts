/** `import` and `export`: all subscribers at once. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Option, type Command } from 'commander';
import { chunksOf, send } from './api-client.js';
import { CommandError, exitCodes, messageOf, wrongUsage } from './command-error.js';
import { linesOfFile, type ImportInput, type RefusedPart } from './import-input.js';
import { runImport, type ImportBatch, type ImportSummary } from './import-run.js';
import { importToServer } from './import-to-server.js';
import { inputsOfDatabase } from './migration/import-source.js';
import { openSourceDatabase } from './migration/source-database.js';
import { sourceKinds, type SourceKind } from './migration/source-kinds.js';
import { print, printJson, progress } from './output.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';

interface ImportOptions extends ServerOptions {
  readonly from?: SourceKind;
  readonly domain?: string;
  readonly realm?: string;
  readonly overwrite?: true;
  readonly dryRun?: true;
  readonly progress?: true;
}

interface ExportOptions extends ServerOptions {
  /** False for `--no-credentials`. */
  readonly credentials: boolean;
  readonly documents: boolean;
  readonly progress?: true;
}

export function addBulkCommands(program: Command): void {
  const importCommand = program
    .command('import')
    .description(
      'make subscribers with their documents; who is there already stays as he is, and gets the documents that he has not',
    )
    .argument('<source>', 'a file of an export, - for standard input, or with --from the URL of a database')
    .addOption(
      new Option('--from <server>', 'read the tables subscriber and xcap of another server').choices(
        sourceKinds,
      ),
    )
    .option('--domain <domain>', 'with --from: the domain of users whose row has none')
    .option('--realm <realm>', 'with --from: the realm of all HA1; by default the domain of each user')
    .option('--overwrite', 'replace credentials and documents of those who are there already')
    .option('--dry-run', 'check without a server, and change nothing')
    .option('--progress', 'show the progress also where standard error is no terminal')
    .action(runImportCommand);
  serverCommand(importCommand, [
    'xcapd import subscribers.ndjson',
    'xcapd import --from kamailio mysql://kamailioro@db.example.com/kamailio --dry-run',
    'xcapd import --from opensips postgres://opensips@db.example.com/opensips --domain example.com',
    'PGPASSWORD=… xcapd import --from openxcap postgres://openxcap@db.example.com/openxcap',
  ]);

  const exportCommand = program
    .command('export')
    .description(
      'write all subscribers with their credentials and documents; the file is as secret as they are',
    )
    .argument('[file]', 'where to; - or nothing for standard output', '-')
    .option('--no-credentials', 'leave the credentials out')
    .option('--no-documents', 'leave the documents out')
    .option('--progress', 'show the progress also where standard error is no terminal')
    .action(runExportCommand);
  serverCommand(exportCommand, [
    'xcapd export backup.ndjson',
    'xcapd export --no-credentials --no-documents | jq -r .xui',
  ]);
}

async function runImportCommand(source: string, options: ImportOptions): Promise<void> {
  if (options.from === undefined && (options.domain ?? options.realm) !== undefined) {
    throw wrongUsage('--domain and --realm are for databases: --from says of which server.');
  }
  const importBatch = await batchImporter(options);
  const line = progress(options.progress === true);
  const summary = await withInputs(source, options, (inputs) =>
    runImport(inputs, importBatch, {
      async refused(part) {
        line.end();
        await (options.json ? printJson({ refused: part }) : print(`${refusedText(part)}\n`));
      },
      progress: ({ subscribers, existing, documents }) =>
        line.show(`${subscribers + existing} subscribers, ${documents} documents`),
    }),
  );
  line.end();
  await (options.json ? printJson({ summary }) : print(summaryText(summary, options.dryRun === true)));
  if (summary.subscribersRefused + summary.documentsRefused > 0) process.exitCode = exitCodes.refused;
}

async function batchImporter(options: ImportOptions): Promise<ImportBatch> {
  if (!options.dryRun) return importToServer(serverOf(options), { overwrite: options.overwrite === true });
  const { dryRun } = await import('./import-dry-run.js');
  return dryRun();
}

async function withInputs<Result>(
  source: string,
  { from, domain, realm }: ImportOptions,
  action: (inputs: AsyncIterable<ImportInput>) => Promise<Result>,
): Promise<Result> {
  if (from === undefined) return action(linesOfFile(source));
  const database = await openSourceDatabase(source);
  try {
    return await action(inputsOfDatabase(database, { kind: from, domain, realm }));
  } finally {
    await database.close();
  }
}

function refusedText({ input, user, document, line, condition, reason }: RefusedPart): string {
  const places = [
    ...(input === undefined ? [] : [`input line ${input}`]),
    ...(user === undefined ? [] : [user]),
    ...(document === undefined ? [] : [document]),
    ...(line === undefined ? [] : [`line ${line}`]),
  ];
  return `${places.join(', ')}: ${condition === undefined ? '' : `${condition}: `}${reason}`;
}

function summaryText(summary: ImportSummary, isDryRun: boolean): string {
  const { subscribers, existing, subscribersRefused, documents, existingDocuments, documentsRefused } =
    summary;
  const [done, there] = [isDryRun ? 'can be imported' : 'imported', 'there already'];
  return (
    `subscribers: ${subscribers} ${done}, ${existing} ${there}, ${subscribersRefused} refused\n` +
    `documents: ${documents} ${done}, ${existingDocuments} ${there}, ${documentsRefused} refused\n`
  );
}

const lineFeed = 0x0a;

async function runExportCommand(file: string, options: ExportOptions): Promise<void> {
  const server = serverOf(options);
  const include = [
    ...(options.credentials ? ['credentials'] : []),
    ...(options.documents ? ['documents'] : []),
  ];
  const query = include.length === 0 ? '' : `?include=${include.join(',')}`;
  const response = await send(server, 'GET', `/export${query}`);
  const line = progress(options.progress === true);
  let subscribers = 0;
  await writeAll(file, async (write) => {
    for await (const chunk of chunksOf(server, response)) {
      await write(chunk);
      subscribers += chunk.filter((byte) => byte === lineFeed).length;
      line.show(`${subscribers} subscribers`);
    }
  });
  line.end();
  const result = { file, subscribers };
  if (file === '-') return;
  await (options.json ? printJson(result) : print(`${subscribers} subscribers were written to ${file}.\n`));
}

type Write = (bytes: Uint8Array) => Promise<void>;

/** A file appears under its name when it is complete, and nobody else may read it. */
async function writeAll(file: string, action: (write: Write) => Promise<void>): Promise<void> {
  if (file === '-') return action(print);
  const unfinished = `${file}.unfinished`;
  const output = createWriteStream(unfinished, { mode: 0o600 });
  try {
    await action((bytes) => writeTo(output, bytes));
    output.end();
    await finished(output);
    await rename(unfinished, file);
  } catch (error) {
    output.destroy();
    await rm(unfinished, { force: true });
    if (error instanceof CommandError) throw error;
    throw wrongUsage(`The file cannot be written: ${messageOf(error)}.`);
  }
}

function writeTo(output: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
