/** The import of any number of subscribers with constant memory. What is wrong with one line does not stop the others. */
import type { ValidationFunction } from 'fastify/types/request.js';
import pMap from 'p-map';
import { jsonLine, linesOf, type Line } from '../../ndjson.js';
import type { Actor, NewSubscriber } from '../../subscribers/register.js';
import { encodeSegment } from '../../xcap/uri/percent-encoding.js';
import type { Context } from './context.js';
import type { ImportLine } from './input.js';
import { documentNamed, putDocument } from './operator.js';
import { inputFaults, Problem, problemOf } from './problem.js';
import { newSubscriber } from './subscribers.js';

/** A transaction each: long enough to be fast, and short enough that others who wait for the names do not notice. */
const linesAtOnce = 500;
const charactersAtOnce = 8 * 1024 * 1024;
const maximalLineLength = 16 * 1024 * 1024;
/** They share commits, which the writes of users join meanwhile. */
const documentsAtOnce = 32;
/** As many as Node.js has threads for scrypt. */
const passwordsAtOnce = 4;

interface Batch {
  readonly lines: Line[];
  characters: number;
}

interface Entry {
  readonly line: number;
  readonly subscriber: NewSubscriber;
  readonly documents: NonNullable<ImportLine['documents']>;
}

/** What the answer says of a line that is refused, whole or in part. */
interface Fault {
  readonly line: number;
  readonly error: string;
  readonly code?: string;
  readonly errors?: unknown;
  /** Only this document is refused. */
  readonly document?: string;
}

/** What the answer says of a document that is stored although it breaks the rules of its usage. */
interface Kept {
  readonly line: number;
  readonly document: string;
  /** The rule that it breaks. */
  readonly kept: string;
  readonly condition: string;
}

export interface ImportOptions {
  /** Checks a line against `importLine`. */
  readonly validate: ValidationFunction;
  /** Is told what broke the import off; the answer does not say more than whoever sent it may know. */
  readonly onFailure: (error: unknown) => void;
  /** Whether documents that break the rules of their usages are stored as well, flagged. */
  readonly keepInvalid: boolean;
  /** Whether subscribers may have profiles that are not there. */
  readonly isForced: boolean;
}

/** Makes subscribers with their documents; yields the lines of the report. */
export async function* importSubscribers(
  context: Context,
  actor: Actor,
  stream: AsyncIterable<Buffer>,
  { validate, onFailure, keepInvalid, isForced }: ImportOptions,
): AsyncGenerator<string> {
  const total = { imported: 0, refused: 0, documents: 0, documentsRefused: 0 };
  let documentsKept = 0;
  const sums = () => (keepInvalid ? { ...total, documentsKept } : total);
  try {
    for await (const { lines } of batchesOf(linesOf(stream, maximalLineLength))) {
      const { entries, faults } = await readEntries(context, lines, { validate, isForced });
      const created = await createAll(context, actor, entries);
      context.forget();
      const documents = await putDocuments(context, actor, created.entries, keepInvalid);
      const refused = [...faults, ...created.faults].toSorted((one, two) => one.line - two.line);
      total.imported += created.entries.length;
      total.refused += refused.length;
      total.documents += documents.written;
      total.documentsRefused += documents.faults.length;
      documentsKept += documents.kept.length;
      yield [...refused, ...documents.faults, ...documents.kept, { imported: total.imported }]
        .map(jsonLine)
        .join('');
    }
    await context.register.record({ actor, action: 'import', subject: '', details: sums() });
    yield jsonLine({ done: true, ...sums() });
  } catch (error) {
    // The status went out long ago.
    onFailure(error);
    yield jsonLine({ done: false, error: problemOf(error).message, ...sums() });
  }
}

async function* batchesOf(lines: AsyncIterable<Line>): AsyncGenerator<Batch> {
  let batch: Batch = { lines: [], characters: 0 };
  for await (const line of lines) {
    batch.lines.push(line);
    batch.characters += line.text?.length ?? 0;
    if (batch.lines.length < linesAtOnce && batch.characters < charactersAtOnce) continue;
    yield batch;
    batch = { lines: [], characters: 0 };
  }
  if (batch.lines.length > 0) yield batch;
}

async function readEntries(
  context: Context,
  lines: readonly Line[],
  options: Pick<ImportOptions, 'validate' | 'isForced'>,
): Promise<{ entries: Entry[]; faults: Fault[] }> {
  const read = await pMap(lines, (line) => readEntry(context, line, options), {
    concurrency: passwordsAtOnce,
  });
  return {
    entries: read.filter((result) => 'subscriber' in result),
    faults: read.filter((result) => 'error' in result),
  };
}

async function readEntry(
  context: Context,
  { number, text }: Line,
  { validate, isForced }: Pick<ImportOptions, 'validate' | 'isForced'>,
): Promise<Entry | Fault> {
  try {
    if (text === undefined) {
      throw new Problem(413, `A line has at most ${maximalLineLength} characters.`);
    }
    const value = parseLine(text);
    if (!isImportLine(value, validate)) {
      throw new Problem(400, 'The line is not as the description of this API (/docs) wants it.', {
        code: 'invalid-input',
        errors: inputFaults(validate.errors ?? []),
      });
    }
    const { documents = [], ...body } = value;
    return { line: number, subscriber: await newSubscriber(context, body, isForced), documents };
  } catch (error) {
    return faultOf(number, error);
  }
}

function isImportLine(value: unknown, validate: ValidationFunction): value is ImportLine {
  return validate(value);
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'The line is not valid JSON.', { code: 'invalid-input' });
  }
}

async function createAll(
  { register }: Context,
  actor: Actor,
  entries: readonly Entry[],
): Promise<{ entries: Entry[]; faults: Fault[] }> {
  if (entries.length === 0) return { entries: [], faults: [] };
  const outcomes = await register.create(
    entries.map(({ subscriber }) => subscriber),
    actor,
  );
  return {
    entries: entries.filter((_entry, i) => outcomes[i] === undefined),
    faults: entries.flatMap(({ line }, i) => (outcomes[i] === undefined ? [] : [faultOf(line, outcomes[i])])),
  };
}

async function putDocuments(
  context: Context,
  actor: Actor,
  entries: readonly Entry[],
  keepInvalid: boolean,
): Promise<{ written: number; faults: Fault[]; kept: Kept[] }> {
  const write = { actor, action: 'document.put' };
  const all = entries.flatMap(({ line, subscriber: { xui }, documents }) =>
    documents.map((document) => ({ line, xui, ...document })),
  );
  const reports = await pMap(
    all,
    async ({ line, xui, auid, path, content }): Promise<Fault | Kept | undefined> => {
      const name = `${auid}/${path}`;
      const target = `/${encodeSegment(auid)}/users/${encodeSegment(xui)}/${path}`;
      try {
        const document = await documentNamed(context, '', target);
        const { flaw } = await putDocument(context, document, write, Buffer.from(content), keepInvalid);
        if (flaw === undefined) return undefined;
        return { line, document: name, kept: flaw.message, condition: flaw.report.condition };
      } catch (error) {
        return { ...faultOf(line, error), document: name };
      }
    },
    { concurrency: documentsAtOnce },
  );
  const told = reports.filter((report) => report !== undefined);
  return {
    written: reports.length - told.length,
    faults: told.filter((report) => 'error' in report),
    kept: told.filter((report) => 'kept' in report),
  };
}

/** @throws the error, where it is none of the line */
function faultOf(line: number, error: unknown): Fault {
  const { status, message, members } = problemOf(error);
  if (status >= 500) throw error;
  return { line, error: message, ...members };
}
