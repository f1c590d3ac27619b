/** What a program has started and must stop again, however it ends. */

/** What is undone at the end, the last first. */
export const undoings: (() => unknown)[] = [];

/**
 * Runs the program and then undoes everything, also where a signal ends it.
 *
 * @param name what stands before the sentence that says why it failed.
 */
export async function runAndUndo(name: string, program: () => Promise<void>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      say('Stopping.');
      void undoAll().finally(() => process.exit(130));
    });
  }
  try {
    await program();
  } catch (error) {
    say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    await undoAll();
  }
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function undoAll(): Promise<void> {
  for (let undo = undoings.pop(); undo !== undefined; undo = undoings.pop()) {
    try {
      await undo();
    } catch (error) {
      say(`At the end: ${String(error)}`);
    }
  }
}
