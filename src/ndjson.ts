/** Newline-delimited JSON: reading lines of bounded length from a stream of any length. */
import { StringDecoder } from 'node:string_decoder';

export interface Line {
  /** The first is 1. */
  readonly number: number;
  /** Undefined where the line is too long. */
  readonly text: string | undefined;
}

/** The lines that are not blank. A line that is too long is skipped without being kept. */
export async function* linesOf(stream: AsyncIterable<Buffer>, maximalLength: number): AsyncGenerator<Line> {
  const decoder = new StringDecoder('utf8');
  let number = 1;
  let begun = '';
  let isTooLong = false;
  function* finished(text: string): Generator<Line> {
    if (isTooLong || text.length > maximalLength) yield { number, text: undefined };
    else if (text.trim() !== '') yield { number, text };
    number++;
    isTooLong = false;
  }
  for await (const chunk of stream) {
    const pieces = decoder.write(chunk).split('\n');
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      yield* finished(begun + piece);
      begun = '';
    }
    begun += last;
    if (begun.length > maximalLength) {
      isTooLong = true;
      begun = '';
    }
  }
  const rest = begun + decoder.end();
  if (isTooLong || rest !== '') yield* finished(rest);
}

/** One line of newline-delimited JSON. */
export function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
