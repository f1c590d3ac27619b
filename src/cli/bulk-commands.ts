/** `import` and `export`: all subscribers at once. */
import { visibleText } from '../visible-text.js';
import { Option, type Command } from 'commander';
import { chunksOf, send } from './api-client.js';
import { exitCodes, wrongUsage } from './command-error.js';
import { linesOfFile, type ImportInput, type RefusedPart } from './import-input.js';
import { runImport, type ImportBatch, type ImportSummary } from './import-run.js';
import { importToServer } from './import-to-server.js';
import { inputsOfDatabase } from './migration/import-source.js';
import { openSourceDatabase } from './migration/source-database.js';
import { sourceKinds, type SourceKind } from './migration/source-kinds.js';
import { print, printJson, progress } from './output.js';
import { writeAll } from './private-file.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';

interface ImportOptions extends ServerOptions {
  readonly from?: SourceKind;
  readonly domain?: string;
  readonly realm?: string;
  readonly overwrite?: true;
  readonly keepInvalid?: true;
  readonly force?: true;
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
      'make subscribers with their documents; who is there already stays as they are, and gets the documents that they have not',
    )
    .argument(
      '[source]',
      'a file as export writes it, - for standard input; with --from the URL of a database, or else XCAPD_SOURCE_URL',
    )
    .addOption(
      new Option('--from <server>', 'read the tables subscriber and xcap of another server').choices(
        sourceKinds,
      ),
    )
    .option('--domain <domain>', 'with --from: the domain of users whose row has none')
    .option('--realm <realm>', 'with --from: the realm of all HA1; by default the domain of each user')
    .option('--overwrite', 'replace credentials and documents of those who are there already')
    .option(
      '--keep-invalid',
      'store documents that are well-formed but not valid as well; they are reported and stay marked until they are replaced',
    )
    .option('--force', 'give subscribers their profiles also where the server has no such profile yet')
    .option('--dry-run', 'check without a server, and change nothing')
    .option('--progress', 'show the progress also where standard error is no terminal')
    .action(runImportCommand);
  serverCommand(importCommand, [
    'xcapd import subscribers.ndjson',
    'xcapd import --from kamailio mysql://kamailioro@db.example.com/kamailio --dry-run',
    'xcapd import --from opensips postgres://opensips@db.example.com/opensips --domain example.com',
    'XCAPD_SOURCE_URL=mysql://openxcap:…@db.example.com/openxcap xcapd import --from openxcap',
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

async function runImportCommand(given: string | undefined, options: ImportOptions): Promise<void> {
  const source = sourceOf(given, options);
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
      async kept(part) {
        line.end();
        if (options.json) return printJson({ kept: part });
        process.stderr.write(
          `${options.dryRun ? 'would be kept' : 'kept'}: ${visibleText(refusedText(part))}\n`,
        );
      },
      progress: ({ subscribers, existing, documents }) =>
        line.show(`${subscribers + existing} subscribers, ${documents} documents`),
    }),
  );
  line.end();
  const { subscribersRefused, credentialsRefused, documentsRefused, documentsKept } = summary;
  const told = { ...summary, documentsKept: options.keepInvalid ? documentsKept : undefined };
  await (options.json ? printJson({ summary: told }) : print(summaryText(summary, options)));
  if (subscribersRefused + credentialsRefused + documentsRefused > 0) process.exitCode = exitCodes.refused;
}

/** A URL with a password does not belong on the command line, where `ps` shows it. */
function sourceOf(given: string | undefined, { from }: ImportOptions): string {
  const source = given ?? (from === undefined ? undefined : process.env.XCAPD_SOURCE_URL);
  if (source !== undefined && source !== '') return source;
  throw wrongUsage(
    from === undefined
      ? 'Say which file is imported; - is standard input.'
      : 'Give the URL of the database, or set XCAPD_SOURCE_URL.',
  );
}

async function batchImporter(options: ImportOptions): Promise<ImportBatch> {
  const keepInvalid = options.keepInvalid === true;
  if (!options.dryRun) {
    return importToServer(serverOf(options), {
      overwrite: options.overwrite === true,
      keepInvalid,
      isForced: options.force === true,
    });
  }
  const { dryRun } = await import('./import-dry-run.js');
  return dryRun(keepInvalid);
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

function refusedText({ input, user, document, credential, line, condition, reason }: RefusedPart): string {
  const places = [
    ...(input === undefined ? [] : [`input line ${input}`]),
    ...(user === undefined ? [] : [user]),
    ...(document === undefined ? [] : [document]),
    ...(credential === undefined ? [] : [credential]),
    ...(line === undefined ? [] : [`line ${line}`]),
  ];
  return `${places.join(', ')}: ${condition === undefined ? '' : `${condition}: `}${reason}`;
}

function summaryText(summary: ImportSummary, { dryRun, keepInvalid }: ImportOptions): string {
  const { subscribers, existing, subscribersRefused, credentialsRefused } = summary;
  const { documents, existingDocuments, documentsRefused, documentsKept } = summary;
  const [done, there] = [dryRun ? 'can be imported' : 'imported', 'there already'];
  return (
    `subscribers: ${subscribers} ${done}, ${existing} ${there}, ${subscribersRefused} refused\n` +
    (credentialsRefused === 0 ? '' : `credentials: ${credentialsRefused} refused\n`) +
    `documents: ${documents} ${done}, ${existingDocuments} ${there}, ${documentsRefused} refused\n` +
    (keepInvalid ? `documents that are not valid: ${documentsKept} ${dryRun ? 'can be kept' : 'kept'}\n` : '')
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
