/** How commands end. The exit codes are part of the interface: scripts rely on them. */
import { visibleText } from '../visible-text.js';

export const exitCodes = { refused: 1, wrongUsage: 2, unreachable: 3 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the program; the message is one sentence for whoever gave the command. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly exitCode: ExitCode,
    message: string,
  ) {
    super(message);
  }
}

export function wrongUsage(message: string): CommandError {
  return new CommandError(exitCodes.wrongUsage, message);
}

export function refused(message: string): CommandError {
  return new CommandError(exitCodes.refused, message);
}

/** What an error says. Where a name has several addresses and none answers, there is only a code. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return visibleText(String(error));
  return visibleText(error.message !== '' || !('code' in error) ? error.message : String(error.code));
}
