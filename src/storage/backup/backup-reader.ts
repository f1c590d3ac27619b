/** Takes a stream of bytes apart into the lines of a backup and the rows of its tables. */
import { endOfRows } from './backup-format.js';

export interface BackupReader {
  /** The next line without its end, or undefined at the end. @throws Error where it is longer than any line of a backup */
  line(): Promise<string | undefined>;
  /** The rows up to the line that ends them, in pieces of any size. @throws Error where there is no such line */
  rows(): AsyncGenerator<Buffer>;
}

const longestLine = 65_536;
const terminator = Buffer.from(`\n${endOfRows}`);

export function backupReader(source: AsyncIterable<Buffer>): BackupReader {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);

  const readMore = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done === true) return false;
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    return true;
  };
  const take = (bytes: number): Buffer => {
    const taken = rest.subarray(0, bytes);
    rest = rest.subarray(bytes);
    return taken;
  };

  return {
    async line() {
      for (;;) {
        const length = rest.indexOf('\n');
        if (length >= 0) return take(length + 1).toString('utf8', 0, length);
        if (rest.length > longestLine) throw new Error('The file is no backup of xcapd.');
        if (await readMore()) continue;
        return rest.length === 0 ? undefined : take(rest.length).toString('utf8');
      }
    },
    async *rows() {
      // The line end before the first row is that of the line before.
      while (rest.length < endOfRows.length) if (!(await readMore())) throw cutShort();
      if (rest.toString('latin1', 0, endOfRows.length) === endOfRows) {
        take(endOfRows.length);
        return;
      }
      for (;;) {
        const length = rest.indexOf(terminator);
        if (length >= 0) {
          yield take(length + 1);
          take(endOfRows.length);
          return;
        }
        // What may be the beginning of the end stays.
        const sure = rest.length - terminator.length + 1;
        if (sure > 0) yield take(sure);
        if (!(await readMore())) throw cutShort();
      }
    },
  };
}

export function cutShort(): Error {
  return new Error('The backup is cut short or was changed; nothing was restored.');
}
