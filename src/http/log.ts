/** Where and how much the listeners log. */
import { visibleText } from '../visible-text.js';

export interface LogOptions {
  readonly level: string;
  /** Takes a line at a time; by default standard output. */
  readonly stream?: { write(line: string): void };
}

/** A listener's logger. Names and errors may have characters that move the cursor of whoever reads the log. */
export function loggerOf(options: LogOptions) {
  return { ...options, hooks: { streamWrite: visibleText } };
}
