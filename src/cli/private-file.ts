/** Files that commands write: as secret as what is in them. */
import { open, rename, rm } from 'node:fs/promises';
import { CommandError, messageOf, wrongUsage } from './command-error.js';
import { print } from './output.js';

type Write = (bytes: Uint8Array) => Promise<void>;

/** A file appears under its name when it is complete, and nobody else may read it. */
export async function writeAll(file: string, action: (write: Write) => Promise<void>): Promise<void> {
  if (file === '-') return action(print);
  const unfinished = `${file}.unfinished`;
  const cannotWrite = (error: unknown) => wrongUsage(`The file cannot be written: ${messageOf(error)}.`);
  const output = await open(unfinished, 'w', 0o600).catch((error: unknown) =>
    Promise.reject(cannotWrite(error)),
  );
  try {
    await action((bytes) => output.appendFile(bytes));
    await output.sync();
    await output.close();
    await rename(unfinished, file);
  } catch (error) {
    await output.close();
    await rm(unfinished, { force: true });
    throw error instanceof CommandError ? error : cannotWrite(error);
  }
}
