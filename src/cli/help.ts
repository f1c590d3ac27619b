/** What the help of every command ends with. */
import type { Command } from 'commander';

const exitCodeText = [
  'Exit codes:',
  '  0  done',
  '  1  refused, invalid or not found',
  '  2  wrong usage',
  '  3  the server or the database cannot be reached, or cannot answer now',
].join('\n');

const serverText = [
  'Environment:',
  '  XCAPD_URL              the management API, where --url is not given (http://127.0.0.1:8081)',
  '  XCAPD_CA_FILE          the authorities of its certificate (PEM), where it has none of a public one',
  '  ADMIN_TOKEN            its bearer token, or',
  '  XCAP_ADMIN_TOKEN_FILE  a file whose first token it is',
].join('\n');

/** Adds examples, with the program's name left out, and the exit codes. */
export function addHelp(command: Command, examples: readonly string[], usesServer = false): Command {
  const lines = examples.map((example) => `  ${example}`);
  const parts = [`Examples:\n${lines.join('\n')}`, ...(usesServer ? [serverText] : []), exitCodeText];
  return command.addHelpText('after', `\n${parts.join('\n\n')}`);
}
