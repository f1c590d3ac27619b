/** Finds the application usages in their folders, and makes them ready to serve. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ApplicationUsage } from '../xcap/usage/contract.js';
import type { LoadedUsages } from '../xcap/usage/loaded-usage.js';
import { schemaFault } from '../xcap/usage/validate.js';
import { readDocument } from '../xml/fence.js';
import { loadSchema, readSchema, withoutSecondOpinion, type Schema, type Tell } from '../xml/schema.js';
import type { SourceTree } from '../xml/source-tree.js';
import { vocabularies, type Vocabulary } from '../xml/vocabulary.js';

/** Where usages lie: their schemas and examples in the sources, their definitions also where they were compiled to. */
export interface UsageFolders {
  /** `auids/` with schemas and examples. */
  readonly sources: string;
  /** `auids/` with `usage.js` (the same folder where a loader compiles on the fly). */
  readonly definitions: string;
}

/** What the operator decides about usages. */
export interface UsageChoices {
  /** AUIDs of the optional usages that are to be served. */
  readonly optionalUsages: readonly string[] | 'all';
  /** Names of policies by AUID. */
  readonly policies: ReadonlyMap<string, string>;
  /** AUIDs of the usages that are judged by their lenient schemas. Default: none. */
  readonly lenientUsages?: readonly string[];
  /** Namespaces by the variable that has them, for places that are open to those alone. Default: none. */
  readonly foreignNamespaces?: ReadonlyMap<string, readonly string[]>;
  /** Who writes the documents of a usage beside its users; here only that there is such a usage is checked. */
  readonly trustedWriters?: readonly { readonly auid: string }[];
  /**
   * True where the same files were checked a moment ago: schemas are then compiled when they are needed, and known-bad examples
   * not validated. Default: false.
   */
  readonly areExamplesChecked?: boolean;
  /** Told of documents that the schema validators judge differently. Default: nobody is. */
  readonly onDisagreement?: Tell;
}

interface Candidate {
  readonly usage: ApplicationUsage;
  readonly schema: Schema | undefined;
  readonly lenientSchema: Schema | undefined;
  readonly folder: string;
}

/** A usage that cannot be served; the message names its folder and what is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const noChoices: UsageChoices = { optionalUsages: [], policies: new Map() };

/**
 * Loads every usage.
 *
 * @throws UsageError where a folder and its AUID differ, a schema does not load, a schema lets its known-bad example
 * pass (an import that was not found would make everything valid), or a choice names a usage or policy that is not there.
 */
export async function loadUsages(
  folders: readonly UsageFolders[],
  choices: UsageChoices = noChoices,
): Promise<LoadedUsages> {
  const loading = folders.flatMap((folder) =>
    auidsIn(folder).map((auid) => loadCandidate(folder, auid, choices)),
  );
  const found = await Promise.all(loading);
  checkChoices(found, choices);
  checkAliases(found);
  const candidates = found
    .filter(({ usage }) => isWanted(usage, choices))
    .sort((a, b) => (a.usage.auid < b.usage.auid ? -1 : 1));
  const knownNames = advertisedNames(candidates);
  if (choices.areExamplesChecked !== true) {
    for (const candidate of candidates) checkExamples(candidate, knownNames);
  }
  return new Map(
    candidates.map(({ usage, schema, lenientSchema }) => [
      usage.auid,
      {
        usage: withForeignNamespaces(withPolicy(usage, choices.policies.get(usage.auid)), choices),
        schema: choices.lenientUsages?.includes(usage.auid) === true ? lenientSchema : schema,
        knownNames,
      },
    ]),
  );
}

function isWanted({ isOptional, auid }: ApplicationUsage, { optionalUsages }: UsageChoices): boolean {
  return isOptional !== true || optionalUsages === 'all' || optionalUsages.includes(auid);
}

function checkChoices(
  found: readonly Candidate[],
  { optionalUsages, policies, lenientUsages = [], trustedWriters = [] }: UsageChoices,
): void {
  const usages = new Map(found.map(({ usage }) => [usage.auid, usage]));
  for (const auid of optionalUsages === 'all' ? [] : optionalUsages) {
    if (usages.get(auid)?.isOptional !== true) {
      throw new UsageError(`XCAP_OPTIONAL_USAGES has '${auid}', which is not an optional usage.`);
    }
  }
  for (const auid of lenientUsages) {
    if (usages.get(auid)?.lenientSchema !== undefined) continue;
    const lenient = found.filter(({ lenientSchema }) => lenientSchema !== undefined);
    throw new UsageError(
      `XCAP_LENIENT_USAGES has '${auid}', which is no usage with a lenient form; ` +
        `those are: ${lenient.map(({ usage }) => usage.auid).join(', ') || 'none'}.`,
    );
  }
  for (const { auid } of trustedWriters) {
    if (usages.get(auid)?.kind === 'stored') continue;
    throw new UsageError(
      `XCAP_TRUSTED_WRITERS has '${auid}', which is no usage whose documents are written.`,
    );
  }
  for (const [auid, policy] of policies) {
    const usage = usages.get(auid);
    const names = Object.keys(usage?.otherPolicies ?? {});
    if (names.includes(policy)) continue;
    const hint = names.length === 0 ? 'it has only one policy' : `it has ${names.join(', ')}`;
    throw new UsageError(
      `XCAP_POLICIES has '${policy}' for ${auid}, but ${usage === undefined ? 'there is no such usage' : hint}.`,
    );
  }
}

/** An AUID means one usage, also as an alias and of a usage that is not served. */
function checkAliases(found: readonly Candidate[]): void {
  const owners = new Map(found.map(({ usage: { auid } }) => [auid, auid]));
  for (const { usage } of found) {
    for (const alias of usage.aliases ?? []) {
      const owner = owners.get(alias);
      if (owner !== undefined) {
        throw new UsageError(`${usage.auid} has the alias '${alias}', which means ${owner} already.`);
      }
      owners.set(alias, usage.auid);
    }
  }
}

function withPolicy(usage: ApplicationUsage, name: string | undefined): ApplicationUsage {
  const access = name === undefined ? undefined : usage.otherPolicies?.[name];
  return access === undefined ? usage : { ...usage, ...access };
}

/** @throws UsageError for a namespace that the schemas of the usage know: its elements have their places. */
function withForeignNamespaces(
  usage: ApplicationUsage,
  { foreignNamespaces }: UsageChoices,
): ApplicationUsage {
  const { foreignChildren } = usage;
  const namespaces = foreignChildren && foreignNamespaces?.get(foreignChildren.variable);
  if (foreignChildren === undefined || namespaces === undefined) return usage;
  const own = namespaces.find((namespace) => usage.namespaces.includes(namespace));
  if (own !== undefined) {
    throw new UsageError(
      `${foreignChildren.variable} has '${own}', which is a namespace of ${usage.auid} itself; name those of vendors.`,
    );
  }
  return { ...usage, foreignChildren: { ...foreignChildren, namespaces } };
}

function auidsIn({ sources }: UsageFolders): string[] {
  return readdirSync(sources, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

async function loadCandidate(
  folders: UsageFolders,
  auid: string,
  { areExamplesChecked, onDisagreement }: UsageChoices,
): Promise<Candidate> {
  const folder = join(folders.sources, auid);
  const definition = pathToFileURL(join(folders.definitions, auid, 'usage.js')).href;
  const module = (await import(definition)) as { readonly usage?: ApplicationUsage };
  if (module.usage === undefined) throw new UsageError(`${folder}/usage.ts exports no 'usage'.`);
  if (module.usage.auid !== auid) {
    throw new UsageError(`${folder} has the AUID '${module.usage.auid}', which is not the folder's name.`);
  }
  const { usage } = module;
  const readOrLoad = areExamplesChecked === true ? readSchema : loadSchema;
  const schemaIn = (name: string | undefined) =>
    name === undefined ? undefined : readOrLoad(join(folder, name), onDisagreement);
  return { usage, schema: schemaIn(usage.schema), lenientSchema: schemaIn(usage.lenientSchema), folder };
}

/** §8.2.5, §12: the names that are declared in the namespaces which xcap-caps advertises. */
function advertisedNames(candidates: readonly Candidate[]): ReadonlyMap<string, Vocabulary> {
  const names = new Map<string, { elements: Set<string>; attributes: Set<string> }>();
  for (const { usage, schema } of candidates) {
    if (schema === undefined) continue;
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

/**
 * Where there is a schema, every `schema-validation-error-*.xml` must be refused, and there must be one. A lenient schema
 * must refuse one at least.
 */
function checkExamples(
  { folder, usage, schema, lenientSchema }: Candidate,
  knownNames: ReadonlyMap<string, Vocabulary>,
): void {
  if (schema === undefined) return;
  const examples = join(folder, 'examples');
  const bad = readdirSync(examples).filter((name) => name.startsWith('schema-validation-error-'));
  if (bad.length === 0) throw new UsageError(`${examples} has no schema-validation-error-*.xml.`);
  const documents = bad.map((name) => {
    const reading = readDocument(readFileSync(join(examples, name), 'utf8'));
    if (!reading.ok) throw new UsageError(`${join(examples, name)}: ${reading.refusal.message}`);
    return { name, tree: reading.value };
  });
  const accepts = (by: Schema) => {
    const rules = { usage, schema: withoutSecondOpinion(by), knownNames };
    return ({ tree }: { readonly tree: SourceTree }) => schemaFault(tree, rules) === undefined;
  };
  const accepted = documents.find(accepts(schema));
  if (accepted !== undefined) {
    throw new UsageError(`The schema of ${usage.auid} accepts ${accepted.name}, which breaks it.`);
  }
  // It exists to accept some of them.
  if (lenientSchema !== undefined && documents.every(accepts(lenientSchema))) {
    throw new UsageError(
      `The lenient schema of ${usage.auid} accepts all its schema-validation-error-*.xml.`,
    );
  }
}
