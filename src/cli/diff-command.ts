/** `doc diff`: what changed between two versions of a document. */
import type { Command } from 'commander';
import { createTwoFilesPatch } from 'diff';
import { listPages, sendForBytes, type Server } from './api-client.js';
import { CommandError, exitCodes } from './command-error.js';
import { documentHelp, documentPath, versionNumber, type VersionView } from './document-name.js';
import { print, printJson } from './output.js';
import { serverCommand, serverOf, type ServerOptions } from './server.js';

const longestComparisonMilliseconds = 10_000;

export function addDiff(documents: Command): void {
  const command = documents
    .command('diff')
    .description('what changed between two versions; by default in the last change')
    .argument('<document>', documentHelp)
    .argument('[from]', 'the number of a version, see doc history; by default the one before', versionNumber)
    .argument('[to]', 'the number of another one; by default the latest', versionNumber)
    .action(
      async (document: string, from: number | undefined, to: number | undefined, options: ServerOptions) => {
        const server = serverOf(options);
        const numbers = await versionsToCompare(server, document, from, to);
        const [before, after] = [
          await versionText(server, document, numbers.from),
          await versionText(server, document, numbers.to),
        ];
        const patch = patchOf(
          document,
          { number: numbers.from, text: before },
          { number: numbers.to, text: after },
        );
        await (options.json ? printJson({ document, ...numbers, patch }) : print(patch));
      },
    );
  serverCommand(command, [
    'xcapd doc diff resource-lists/users/sip:alice@example.com/index',
    'xcapd doc diff resource-lists/users/sip:alice@example.com/index 3 5',
  ]);
}

/** @throws CommandError where there are not two versions with a text */
async function versionsToCompare(
  server: Server,
  document: string,
  from: number | undefined,
  to: number | undefined,
): Promise<{ readonly from: number; readonly to: number }> {
  if (from !== undefined && to !== undefined) return { from, to };
  const numbers: number[] = [];
  for await (const page of listPages<VersionView>(server, documentPath('versions', document))) {
    numbers.push(...page.filter(({ bytes }) => bytes !== undefined).map(({ version }) => version));
  }
  const [latest] = numbers;
  const before = from ?? numbers[1];
  if (latest === undefined || before === undefined) {
    throw new CommandError(exitCodes.refused, 'There are not two versions to compare; see doc history.');
  }
  return { from: before, to: latest };
}

async function versionText(server: Server, document: string, version: number): Promise<string> {
  const path = `${documentPath('documents', document)}?version=${version}`;
  return (await sendForBytes(server, 'GET', path)).bytes.toString('utf8');
}

interface NumberedText {
  readonly number: number;
  readonly text: string;
}

/** A unified diff. @throws CommandError where it would take too long */
function patchOf(document: string, before: NumberedText, after: NumberedText): string {
  const patch: string | undefined = createTwoFilesPatch(
    document,
    document,
    before.text,
    after.text,
    `version ${before.number}`,
    `version ${after.number}`,
    { timeout: longestComparisonMilliseconds },
  );
  if (patch !== undefined) return patch;
  throw new CommandError(exitCodes.refused, 'The versions have too little in common to compare them.');
}
