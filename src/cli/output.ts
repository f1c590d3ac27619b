/** What commands print: results on standard output, everything else on standard error. */
import { once } from 'node:events';
import { visibleText } from '../visible-text.js';

/** Writes to standard output as fast as it is read. */
export async function print(text: string | Uint8Array): Promise<void> {
  // A document goes out as the bytes that it is; what we say of others has names in it that they chose.
  const shown = typeof text === 'string' ? visibleText(text) : text;
  if (!process.stdout.write(shown)) await once(process.stdout, 'drain');
}

export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value)}\n`);
}

/** `xcapd user list | head` is no error. */
export function endQuietlyWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  // What nobody reads on standard error is lost, and the work is done all the same.
  process.stderr.on('error', () => undefined);
}

/** Rows in columns, as wide as the widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(cell.length, widest[i] ?? 0)),
    [],
  );
  return rows
    .map(
      (row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd() + '\n',
    )
    .join('');
}

/** Facts of one thing, without those that it does not have. */
export function facts(values: Readonly<Record<string, string | undefined>>): string {
  return table(
    Object.entries(values)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value = '']) => [`${name}:`, value]),
  );
}

export interface Progress {
  show(text: string): void;
  /** Takes the line away. */
  end(): void;
}

/** One line on standard error that is written over and over on a terminal, and a line for each text elsewhere. */
export function progress(isWanted: boolean, output: NodeJS.WriteStream = process.stderr): Progress {
  if (!isWanted && !output.isTTY) return { show: () => undefined, end: () => undefined };
  if (!output.isTTY) return { show: (text) => void output.write(`${text}\n`), end: () => undefined };
  const eraseLine = '\r\x1b[K';
  return {
    show: (text) => void output.write(`${eraseLine}${text}`),
    end: () => void output.write(eraseLine),
  };
}
