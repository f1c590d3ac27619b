/** A batch that is only checked: what a server without any subscribers would refuse. */
import { secretsChecker, type SecretsChecker } from './check-secrets.js';
import { documentChecker, loadAllUsages, type DocumentChecker } from './check-document.js';
import { parseSubscriber, type InputLine, type RefusedPart } from './import-input.js';
import { configuration } from './server-commands.js';
import { nothing, sumOf, type BatchOutcome, type ImportBatch } from './import-run.js';

/** @param keepInvalid whether documents that are not valid would be kept */
export async function dryRun(keepInvalid: boolean): Promise<ImportBatch> {
  const check = documentChecker(await loadAllUsages(), keepInvalid);
  const checkSecrets = secretsChecker(await configuration());
  return async (lines) => {
    const outcomes: BatchOutcome[] = [];
    for (const line of lines) outcomes.push(await checkLine(check, checkSecrets, line));
    return sumOf(outcomes);
  };
}

async function checkLine(
  check: DocumentChecker,
  checkSecrets: SecretsChecker,
  { input, text }: InputLine,
): Promise<BatchOutcome> {
  const subscriber = parseSubscriber(text);
  const where = input === undefined ? {} : { input };
  if (subscriber === undefined) {
    const reason = 'The line is no JSON object with an xui, and documents with auid, path and content.';
    return { ...nothing, refused: [{ ...where, reason }] };
  }
  const { xui: user, documents = [] } = subscriber;
  const reason = checkSecrets(subscriber);
  if (reason !== undefined) return { ...nothing, refused: [{ ...where, user, reason }] };
  const refused: RefusedPart[] = [];
  const kept: RefusedPart[] = [];
  for (const { auid, path, content } of documents) {
    const fault = await check({ auid, xui: user, path }, Buffer.from(content));
    if (fault === undefined) continue;
    const { isKept = false, ...what } = fault;
    (isKept ? kept : refused).push({ ...where, user, document: `${auid}/${path}`, ...what });
  }
  const valid = documents.length - refused.length - kept.length;
  return { ...nothing, subscribers: 1, documents: valid, refused, kept };
}
