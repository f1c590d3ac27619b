/** All commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageFolder } from '../package-files.js';
import { addBackupCommands } from './backup-commands.js';
import { addBulkCommands } from './bulk-commands.js';
import { addCompletionCommand } from './completion-command.js';
import { addDocumentCommands } from './document-commands.js';
import { addHelp } from './help.js';
import { addIdentityCommands } from './identity-commands.js';
import { addRecordCommands } from './record-commands.js';
import { addRekeyCommand } from './rekey-command.js';
import { addRightCommands } from './right-commands.js';
import { addServerCommands } from './server-commands.js';
import { addTokenCommand } from './token-command.js';
import { addUsageCommands } from './usage-commands.js';
import { addUserCommands } from './user-commands.js';
import { addWhyCommand } from './why-command.js';

export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const program = new Command('xcapd')
    .description('XCAP server (RFC 4825) and XML document management server for IMS')
    .version(version)
    // `doc get --version` is a version of a document.
    .enablePositionalOptions()
    .exitOverride();
  addServerCommands(program);
  addBackupCommands(program);
  addRekeyCommand(program);
  addUserCommands(program);
  addIdentityCommands(program);
  addRightCommands(program);
  addDocumentCommands(program);
  addRecordCommands(program);
  addBulkCommands(program);
  addWhyCommand(program);
  addUsageCommands(program);
  addTokenCommand(program);
  addCompletionCommand(program);
  addHelp(program, ['xcapd', 'xcapd user add sip:alice@example.com --ask-password', 'xcapd import --help']);
  program.addHelpText(
    'after',
    '\nThe server is configured by environment variables; README.md has the table, docs/command-line.md the rest.',
  );
  return program;
}
