#!/usr/bin/env node
/** The command line. */
import './cli/node-version.js';
import { CommanderError } from 'commander';
import { CommandError, exitCodes, messageOf } from './cli/command-error.js';
import { endQuietlyWithReader } from './cli/output.js';
import { createProgram } from './cli/program.js';

endQuietlyWithReader();
const words = process.argv.slice(2);

createProgram()
  .parseAsync(words.length === 0 ? ['serve'] : words, { from: 'user' })
  .catch((error: unknown) => {
    // Commander has said already what is wrong.
    if (error instanceof CommanderError) {
      process.exit(error.exitCode === 0 ? 0 : exitCodes.wrongUsage);
    }
    process.stderr.write(`xcapd: ${messageOf(error)}\n`);
    process.exit(error instanceof CommandError ? error.exitCode : exitCodes.refused);
  });
