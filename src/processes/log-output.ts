/** Where the processes of the server write: standard output. What it does not take must stop nobody. */
import { isatty } from 'node:tty';
import { pino } from 'pino';
import type { Config } from '../config/config.js';
import { readableLine } from './log-lines.js';

/** For a reader that hangs or a disk that is full for a moment. */
const maximalBacklogCharacters = 1024 * 1024;

export interface LogOutput {
  /** One line of JSON, as the loggers make them. */
  write(line: string): void;
}

/** Where nobody says it, whoever sits at a terminal gets text, and everything else JSON. */
export function isLogForPeople({ logFormat }: Pick<Config, 'logFormat'>): boolean {
  return logFormat === undefined ? isatty(1) : logFormat === 'text';
}

/** Lines that cannot be written wait, up to a limit, and are lost beyond it. */
export function openLogOutput(config: Pick<Config, 'logFormat'>): LogOutput {
  // It can only be flushed where it has a minimal length.
  const output = pino.destination({ dest: 1, sync: true, minLength: 1, maxLength: maximalBacklogCharacters });
  // Each line that is written later tries again.
  output.on('error', () => undefined);
  output.on('drop', () => output.flush());
  if (!isLogForPeople(config)) return output;
  return { write: (line) => void output.write(readableLine(line)) };
}
