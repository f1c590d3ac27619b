/** An import of any length with constant memory: batch after batch to the server, or to a check without one. */
import { isLine, isRefused, type ImportInput, type InputLine, type RefusedPart } from './import-input.js';

/** What became of a batch. */
export interface BatchOutcome {
  /** Subscribers that were made. */
  readonly subscribers: number;
  /** Subscribers who were there already. */
  readonly existing: number;
  readonly documents: number;
  /** Documents that were there already. */
  readonly existingDocuments: number;
  readonly refused: readonly RefusedPart[];
  /** Documents that are stored although they are not valid. */
  readonly kept: readonly RefusedPart[];
}

export const nothing: BatchOutcome = {
  subscribers: 0,
  existing: 0,
  documents: 0,
  existingDocuments: 0,
  refused: [],
  kept: [],
};

export function sumOf(outcomes: readonly BatchOutcome[]): BatchOutcome {
  return outcomes.reduce(
    (one, two) => ({
      subscribers: one.subscribers + two.subscribers,
      existing: one.existing + two.existing,
      documents: one.documents + two.documents,
      existingDocuments: one.existingDocuments + two.existingDocuments,
      refused: [...one.refused, ...two.refused],
      kept: [...one.kept, ...two.kept],
    }),
    nothing,
  );
}

export type ImportBatch = (lines: readonly InputLine[]) => Promise<BatchOutcome>;

export interface ImportSummary {
  readonly subscribers: number;
  readonly existing: number;
  readonly subscribersRefused: number;
  readonly credentialsRefused: number;
  readonly documents: number;
  readonly existingDocuments: number;
  readonly documentsRefused: number;
  readonly documentsKept: number;
}

/** Few enough to see the progress where each has a password that is hashed. */
const linesAtOnce = 100;
const charactersAtOnce = 4 * 1024 * 1024;

export interface ImportListener {
  refused(part: RefusedPart): Promise<void>;
  kept(part: RefusedPart): Promise<void>;
  progress(summary: ImportSummary): void;
}

export async function runImport(
  inputs: AsyncIterable<ImportInput>,
  importBatch: ImportBatch,
  listener: ImportListener,
): Promise<ImportSummary> {
  let summary: ImportSummary = {
    subscribers: 0,
    existing: 0,
    subscribersRefused: 0,
    credentialsRefused: 0,
    documents: 0,
    existingDocuments: 0,
    documentsRefused: 0,
    documentsKept: 0,
  };
  const refuse = async (part: RefusedPart) => {
    summary = counted(summary, part);
    await listener.refused(part);
  };
  for await (const batch of batchesOf(inputs)) {
    for (const part of batch.filter(isRefused)) await refuse(part);
    const outcome = await importBatch(batch.filter(isLine));
    summary = {
      ...summary,
      subscribers: summary.subscribers + outcome.subscribers,
      existing: summary.existing + outcome.existing,
      documents: summary.documents + outcome.documents,
      existingDocuments: summary.existingDocuments + outcome.existingDocuments,
      documentsKept: summary.documentsKept + outcome.kept.length,
    };
    for (const part of outcome.refused) await refuse(part);
    for (const part of outcome.kept) await listener.kept(part);
    listener.progress(summary);
  }
  return summary;
}

async function* batchesOf(inputs: AsyncIterable<ImportInput>): AsyncGenerator<readonly ImportInput[]> {
  let batch: ImportInput[] = [];
  let characters = 0;
  for await (const input of inputs) {
    batch.push(input);
    characters += isRefused(input) ? 0 : input.text.length;
    if (batch.length < linesAtOnce && characters < charactersAtOnce) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

function counted(summary: ImportSummary, { document, credential }: RefusedPart): ImportSummary {
  if (document !== undefined) return { ...summary, documentsRefused: summary.documentsRefused + 1 };
  return credential === undefined
    ? { ...summary, subscribersRefused: summary.subscribersRefused + 1 }
    : { ...summary, credentialsRefused: summary.credentialsRefused + 1 };
}
