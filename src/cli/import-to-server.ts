/**
 * A batch by the import of the management API, which makes subscribers. Who is there already stays as they are and gets the
 * documents that they have not: an import that is run again goes on where it ended.
 */
import pMap from 'p-map';
import { canonicalXui } from '../xcap/uri/xui.js';
import { encodeSegment } from '../xcap/uri/percent-encoding.js';
import {
  ApiRefusal,
  reaching,
  send,
  sendForBytes,
  sendForJson,
  sentenceOf,
  subscriberPath,
  type ApiProblem,
  type Server,
} from './api-client.js';
import { CommandError, exitCodes } from './command-error.js';
import {
  lineIn,
  parseSubscriber,
  type ImportDocument,
  type ImportSubscriber,
  type InputLine,
  type RefusedPart,
} from './import-input.js';
import { nothing, sumOf, type BatchOutcome, type ImportBatch } from './import-run.js';

/** Fewer than the server has connections to its database: requests go on meanwhile. */
const subscribersAtOnce = 4;

type Part = Pick<RefusedPart, 'document' | 'credential'>;

/** A line of the answer on a part that is refused. */
interface Fault extends Omit<ApiProblem, 'detail'> {
  readonly line: number;
  readonly error: string;
  readonly code?: string;
  readonly document?: string;
}

/** A line of the answer on a document that is stored although it is not valid. */
interface KeptDocument {
  readonly line: number;
  readonly document: string;
  /** Why it is not valid. */
  readonly kept: string;
  readonly condition: string;
}

interface LastLine {
  readonly done: boolean;
  readonly error?: string;
  readonly imported: number;
  readonly documents: number;
}

interface ImportOptions {
  /** Whether who is there already gets the credentials and documents of the import in place of their own. */
  readonly overwrite: boolean;
  /** Whether documents that are not valid are stored as well, where nothing else is wrong with them. */
  readonly keepInvalid: boolean;
  /** Whether subscribers may have profiles that the server has not. */
  readonly isForced: boolean;
}

export function importToServer(server: Server, options: ImportOptions): ImportBatch {
  return async (lines) => {
    if (lines.length === 0) return nothing;
    const { faults, keptDocuments, last } = await importLines(server, options, lines);
    const kept = keptDocuments.map((document) => keptPart(document, lines[document.line - 1]));
    const outcomes = await pMap(
      faults,
      (fault) => faultOutcome(server, options, fault, lines[fault.line - 1]),
      { concurrency: subscribersAtOnce },
    );
    return sumOf([{ ...nothing, subscribers: last.imported, documents: last.documents, kept }, ...outcomes]);
  };
}

/** Of what is stored as a document. */
function queryOf({ keepInvalid }: ImportOptions): string {
  return keepInvalid ? '?keepInvalid=true' : '';
}

function importPath({ keepInvalid, isForced }: ImportOptions): string {
  const query = [...(keepInvalid ? ['keepInvalid=true'] : []), ...(isForced ? ['force=true'] : [])];
  return query.length === 0 ? '/import' : `/import?${query.join('&')}`;
}

function keptPart({ document, kept, condition }: KeptDocument, line: InputLine | undefined): RefusedPart {
  const subscriber = line === undefined ? undefined : parseSubscriber(line.text);
  return partOf(line, subscriber, { detail: kept, condition }, { document });
}

interface ImportAnswer {
  readonly faults: readonly Fault[];
  readonly keptDocuments: readonly KeptDocument[];
  readonly last: LastLine;
}

async function importLines(
  server: Server,
  options: ImportOptions,
  lines: readonly InputLine[],
): Promise<ImportAnswer> {
  const body = lines.map(({ text }) => `${text}\n`).join('');
  const headers = { 'content-type': 'application/x-ndjson' };
  const response = await send(server, 'POST', importPath(options), { headers, body });
  const answer = await reaching(server, () => response.text());
  const values = answer
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as object);
  const last = values.find((value): value is LastLine => 'done' in value);
  if (last?.done !== true) {
    const reason = last?.error ?? 'The server ended its answer too early.';
    throw new CommandError(
      exitCodes.unreachable,
      `${reason} What was imported stays: run the import again to go on.`,
    );
  }
  return {
    faults: values.filter((value): value is Fault => 'line' in value && 'error' in value),
    keptDocuments: values.filter((value): value is KeptDocument => 'kept' in value),
    last,
  };
}

async function faultOutcome(
  server: Server,
  options: ImportOptions,
  fault: Fault,
  line: InputLine | undefined,
): Promise<BatchOutcome> {
  const subscriber = line === undefined ? undefined : parseSubscriber(line.text);
  if (fault.code === 'identity-taken' && fault.document === undefined && subscriber !== undefined) {
    if (await isThere(server, subscriber)) return importToExisting(server, options, subscriber, line);
  }
  const problem: ApiProblem = { ...fault, detail: fault.error };
  const part = fault.document === undefined ? {} : { document: fault.document };
  return { ...nothing, refused: [partOf(line, subscriber, problem, part)] };
}

/** Somebody else may have the XUI among their identities. */
async function isThere(server: Server, { xui }: ImportSubscriber): Promise<boolean> {
  const found = await sendForJson<{ xui: string }>(server, 'GET', subscriberPath(xui));
  return found.xui === canonicalXui(xui);
}

async function importToExisting(
  server: Server,
  options: ImportOptions,
  subscriber: ImportSubscriber,
  line: InputLine | undefined,
): Promise<BatchOutcome> {
  const outcomes: BatchOutcome[] = [{ ...nothing, existing: 1 }];
  const attempt = async (part: Part, action: () => Promise<BatchOutcome>) => {
    try {
      outcomes.push(await action());
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.exitCode === exitCodes.unreachable) throw error;
      outcomes.push({ ...nothing, refused: [partOf(line, subscriber, error.problem, part)] });
    }
  };
  if (options.overwrite)
    await attempt({ credential: 'credentials' }, () => setCredentials(server, subscriber));
  for (const document of subscriber.documents ?? []) {
    const part = { document: `${document.auid}/${document.path}` };
    await attempt(part, () => putDocument(server, options, subscriber, document, line));
  }
  return sumOf(outcomes);
}

async function setCredentials(server: Server, subscriber: ImportSubscriber): Promise<BatchOutcome> {
  const { xui, password, digest, passwordHash } = subscriber;
  if (password === undefined && digest === undefined && passwordHash === undefined) return nothing;
  await send(server, 'PUT', subscriberPath(xui, '/credentials'), {
    json: { password, digest, passwordHash },
  });
  return nothing;
}

async function putDocument(
  server: Server,
  options: ImportOptions,
  subscriber: ImportSubscriber,
  { auid, path, content }: ImportDocument,
  line: InputLine | undefined,
): Promise<BatchOutcome> {
  const { overwrite } = options;
  const { xui } = subscriber;
  const resource = `/documents/${encodeSegment(auid)}/users/${encodeSegment(xui)}/${path}`;
  // The same content again would be a new version.
  if (overwrite && (await currentText(server, resource)) === content) {
    return { ...nothing, existingDocuments: 1 };
  }
  try {
    const headers: Record<string, string> = overwrite ? {} : { 'if-none-match': '*' };
    const answer = await send(server, 'PUT', resource + queryOf(options), { headers, body: content });
    const invalid = await invalidIn(server, answer);
    if (invalid === undefined) return { ...nothing, documents: 1 };
    return { ...nothing, kept: [partOf(line, subscriber, invalid, { document: `${auid}/${path}` })] };
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 412) return { ...nothing, existingDocuments: 1 };
    throw error;
  }
}

/** What is wrong with a document that was stored all the same. */
async function invalidIn(server: Server, answer: Response): Promise<ApiProblem | undefined> {
  if (answer.headers.get('content-type')?.startsWith('application/json') !== true) return undefined;
  const body = (await reaching(server, () => answer.json())) as { invalid: string; condition: string };
  return { detail: body.invalid, condition: body.condition };
}

async function currentText(server: Server, resource: string): Promise<string | undefined> {
  try {
    return (await sendForBytes(server, 'GET', resource)).bytes.toString('utf8');
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return undefined;
    throw error;
  }
}

function partOf(
  line: InputLine | undefined,
  subscriber: ImportSubscriber | undefined,
  problem: ApiProblem,
  part: Part,
): RefusedPart {
  const reason = sentenceOf(problem);
  const lineInDocument = lineIn(reason);
  return {
    ...(line?.input === undefined ? {} : { input: line.input }),
    ...(subscriber === undefined ? {} : { user: subscriber.xui }),
    ...part,
    ...(lineInDocument === undefined ? {} : { line: lineInDocument }),
    ...(problem.condition === undefined ? {} : { condition: problem.condition }),
    reason,
  };
}
