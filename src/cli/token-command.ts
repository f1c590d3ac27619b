import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { addHelp } from './help.js';

/** As many as a key of 256 bits has. */
const tokenBytes = 32;

export function addTokenCommand(program: Command): void {
  const command = program
    .command('token')
    .description('print a random token for ADMIN_TOKEN, and nothing else')
    .action(() => void process.stdout.write(`${randomBytes(tokenBytes).toString('base64url')}\n`));
  addHelp(command, ['xcapd token > token.txt', 'ADMIN_TOKEN=$(xcapd token) xcapd serve']);
}
