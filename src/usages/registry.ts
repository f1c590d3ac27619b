/** Finds the application usages in their folders, and makes them ready to serve. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ApplicationUsage, GeneratedUsage, ServedUsage } from '../xcap/application-usage.js';
import { storedDocument } from '../xcap/document-store.js';
import type { LoadedUsage, LoadedUsages } from '../xcap/loaded-usage.js';
import { schemaFault } from '../xcap/validate.js';
import { readDocument } from '../xml/fence.js';
import { loadSchema, type Schema } from '../xml/schema.js';
import { vocabularies, type Vocabulary } from '../xml/vocabulary.js';

/** Where usages lie: their schemas and examples in the sources, their definitions also where they were compiled to. */
export interface UsageFolders {
  /** `auids/` with schemas and examples. */
  readonly sources: string;
  /** `auids/` with `usage.js` (the same folder where a loader compiles on the fly). */
  readonly definitions: string;
}

interface Candidate {
  readonly usage: ApplicationUsage;
  readonly schema: Schema;
  readonly folder: string;
}

/** A usage that cannot be served; the message names its folder and what is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Loads every usage.
 *
 * @throws UsageError where a folder and its AUID differ, a schema does not load, or a schema lets its known-bad example
 * pass (an import that was not found would make everything valid).
 */
export async function loadUsages(folders: readonly UsageFolders[]): Promise<LoadedUsages> {
  const loading = folders.flatMap((folder) => auidsIn(folder).map((auid) => loadCandidate(folder, auid)));
  const candidates = await Promise.all(loading);
  candidates.sort((a, b) => (a.usage.auid < b.usage.auid ? -1 : 1));
  const knownNames = advertisedNames(candidates);
  for (const candidate of candidates) checkExamples(candidate, knownNames);
  const served = candidates.map(({ usage }) => servedUsage(usage));
  return new Map(
    candidates.map(({ usage, schema }) => [usage.auid, loadedUsage(usage, schema, knownNames, served)]),
  );
}

function auidsIn({ sources }: UsageFolders): string[] {
  return readdirSync(sources, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

async function loadCandidate(folders: UsageFolders, auid: string): Promise<Candidate> {
  const folder = join(folders.sources, auid);
  const definition = pathToFileURL(join(folders.definitions, auid, 'usage.js')).href;
  const module = (await import(definition)) as { readonly usage?: ApplicationUsage };
  if (module.usage === undefined) throw new UsageError(`${folder}/usage.ts exports no 'usage'.`);
  if (module.usage.auid !== auid) {
    throw new UsageError(`${folder} has the AUID '${module.usage.auid}', which is not the folder's name.`);
  }
  return { usage: module.usage, schema: loadSchema(join(folder, module.usage.schema)), folder };
}

/** §8.2.5, §12: the names that are declared in the namespaces which xcap-caps advertises. */
function advertisedNames(candidates: readonly Candidate[]): ReadonlyMap<string, Vocabulary> {
  const names = new Map<string, { elements: Set<string>; attributes: Set<string> }>();
  for (const { usage, schema } of candidates) {
    for (const [namespace, vocabulary] of vocabularies(schema)) {
      if (!usage.namespaces.includes(namespace)) continue;
      const known = names.get(namespace) ?? { elements: new Set(), attributes: new Set() };
      vocabulary.elements.forEach((name) => known.elements.add(name));
      vocabulary.attributes.forEach((name) => known.attributes.add(name));
      names.set(namespace, known);
    }
  }
  return names;
}

/** Every `schema-validation-error-*.xml` must be refused, and there must be one. */
function checkExamples(
  { folder, usage, schema }: Candidate,
  knownNames: ReadonlyMap<string, Vocabulary>,
): void {
  const examples = join(folder, 'examples');
  const bad = readdirSync(examples).filter((name) => name.startsWith('schema-validation-error-'));
  if (bad.length === 0) throw new UsageError(`${examples} has no schema-validation-error-*.xml.`);
  for (const name of bad) {
    const reading = readDocument(readFileSync(join(examples, name), 'utf8'));
    if (!reading.ok) throw new UsageError(`${join(examples, name)}: ${reading.refusal.message}`);
    if (schemaFault(reading.value, { usage, schema, knownNames }) === undefined) {
      throw new UsageError(`The schema of ${usage.auid} accepts ${name}, which breaks it.`);
    }
  }
}

function servedUsage({ auid, namespaces, extensions }: ApplicationUsage): ServedUsage {
  return { auid, namespaces, extensions: extensions ?? [] };
}

function loadedUsage(
  usage: ApplicationUsage,
  schema: Schema,
  knownNames: ReadonlyMap<string, Vocabulary>,
  served: readonly ServedUsage[],
): LoadedUsage {
  if (usage.kind === 'stored') return { kind: 'stored', usage, schema, knownNames };
  return { kind: 'generated', usage, document: generatedDocument(usage, served) };
}

/** A generated document changes exactly when its content does, in all processes alike: its tag is a hash. */
function generatedDocument(usage: GeneratedUsage, served: readonly ServedUsage[]) {
  const text = usage.generate(served);
  const entityTag = createHash('sha256').update(text).digest('base64url').slice(0, 16);
  return storedDocument(text, entityTag);
}
