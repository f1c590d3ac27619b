/** Where the processes of the server write: standard output. What it does not take must stop nobody. */
import { pino } from 'pino';

/** For a reader that hangs or a disk that is full for a moment. */
const maximalBacklogCharacters = 1024 * 1024;

export type LogOutput = ReturnType<typeof pino.destination>;

/** Lines that cannot be written wait, up to a limit, and are lost beyond it. */
export function openLogOutput(): LogOutput {
  // It can only be flushed where it has a minimal length.
  const output = pino.destination({ dest: 1, sync: true, minLength: 1, maxLength: maximalBacklogCharacters });
  // Each line that is written later tries again.
  output.on('error', () => undefined);
  output.on('drop', () => output.flush());
  return output;
}
