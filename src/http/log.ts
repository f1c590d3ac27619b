/** Where and how much the listeners log. */

export interface LogOptions {
  readonly level: string;
  /** Takes a line at a time; by default standard output. */
  readonly stream?: { write(line: string): void };
}
