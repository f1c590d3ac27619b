/**
 * `npm run schemas:compare -- DIR`: where do our schemas judge otherwise than published ones? Validates the examples of
 * all usages, and mutants of them, against both. docs/schemas.md explains every difference.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { usageFolders } from '../../src/package-files.js';
import { loadUsages } from '../../src/usages/registry.js';
import type { ApplicationUsage } from '../../src/xcap/usage/contract.js';
import type { LoadedUsages } from '../../src/xcap/usage/loaded-usage.js';
import { schemaFault, type SchemaRules } from '../../src/xcap/usage/validate.js';
import { readDocument } from '../../src/xml/fence.js';
import { validate, type Schema } from '../../src/xml/schema.js';
import type { SourceElement, SourceTree } from '../../src/xml/source-tree.js';
import { vocabularies } from '../../src/xml/vocabulary.js';
import { mutantsOf } from './mutants.js';
import { namesDeclaredOnce, outermostDeclaredOnce, type Vocabularies } from './names.js';
import { loadPublishedSchema, PublishedSchemaError } from './published.js';
import { publishedSchemas, type PublishedSchemas } from './published-schemas.js';
import { differsAlike, reportLines, type Comparison, type Difference } from './report.js';

interface Example {
  readonly file: string;
  readonly tree: SourceTree;
}

const asItIs = 'example as it is';

/** An example as it is, or one of its mutants. */
interface Variant {
  readonly kind: string;
  readonly name: string;
  readonly element: SourceElement;
  readonly text: string;
}

/** Both sides of a comparison. */
interface Sides {
  readonly rules: SchemaRules;
  readonly ours: Vocabularies;
  readonly published: Schema;
  readonly theirs: Vocabularies;
}

/** Compares one usage or all of them, and prints what it finds. */
async function compareAll(folder: string, auid: string | undefined): Promise<void> {
  checkFolder(folder);
  const usages = await loadUsages([usageFolders]);
  const auids = [...new Set([...usages.keys(), ...publishedSchemas.keys()])].sort();
  if (auid !== undefined && !auids.includes(auid)) throw new UsageMistake(`There is no usage '${auid}'.`);
  for (const name of auid === undefined ? auids : [auid]) {
    process.stdout.write(`${linesOn(name, folder, usages).join('\n')}\n`);
  }
}

/** What the command line asks for is not there. */
class UsageMistake extends Error {
  override readonly name = 'UsageMistake';
}

function checkFolder(folder: string): void {
  try {
    readdirSync(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageMistake(`The folder of published schemas cannot be read: ${reason}`);
  }
}

function linesOn(auid: string, folder: string, usages: LoadedUsages): string[] {
  const loaded = usages.get(auid);
  if (loaded === undefined) return [`${auid}: skipped, it is not among the usages that are served`];
  const files = publishedSchemas.get(auid);
  if (files === undefined) return [`${auid}: skipped, no published schema is known`];
  try {
    return compareUsage(loaded, folder, files);
  } catch (error) {
    if (!(error instanceof PublishedSchemaError)) throw error;
    return [`${auid}: the published schema cannot be compiled: ${error.message}`];
  }
}

function compareUsage(rules: SchemaRules, folder: string, files: PublishedSchemas): string[] {
  const { auid } = rules.usage;
  const published = loadPublishedSchema(folder, files);
  const sides: Sides = {
    rules,
    ours: rules.schema === undefined ? new Map() : vocabularies(rules.schema),
    published: published.schema,
    theirs: vocabularies(published.schema),
  };
  try {
    const comparison = compareExamples(auid, sides);
    const repairs = published.repairs.map((repair) => `  published file repaired: ${repair}`);
    const [numbers = '', ...groups] = reportLines(auid, comparison);
    return [numbers, ...repairs, ...namesDeclaredOnce(sides.ours, sides.theirs), ...groups];
  } finally {
    published.dispose();
  }
}

function compareExamples(auid: string, sides: Sides): Comparison {
  const examples = examplesOf(auid);
  const seen = new Set<string>();
  const differences = examples.flatMap(({ file, tree }, index) => {
    process.stderr.write(`${auid}: example ${index + 1} of ${examples.length}, ${file}\n`);
    const fresh = variantsOf(tree).filter(({ text }) => isNew(text, seen));
    return attributed(fresh.flatMap((variant) => differencesOf(variant, file, sides)));
  });
  return { documents: seen.size, differences };
}

/** Many examples are alike, so that some of their mutants are the same. */
function isNew(text: string, seen: Set<string>): boolean {
  if (seen.has(text)) return false;
  seen.add(text);
  return true;
}

/** A mutant that has the difference of its example says nothing new: both count as the example's. */
function attributed(differences: readonly Difference[]): Difference[] {
  const original = differences.find(({ kind }) => kind === asItIs);
  if (original === undefined) return [...differences];
  return differences.map((difference) => (differsAlike(difference, original) ? original : difference));
}

/** Those that are well-formed. */
function examplesOf(auid: string): Example[] {
  const folder = join(usageFolders.sources, auid, 'examples');
  const files = readdirSync(folder).filter((name) => name.endsWith('.xml'));
  return files.sort().flatMap((file) => {
    const reading = readDocument(readFileSync(join(folder, file), 'utf8'));
    return reading.ok ? [{ file, tree: reading.value }] : [];
  });
}

function variantsOf(tree: SourceTree): Variant[] {
  const mutants = mutantsOf(tree).map(({ mutation, ...mutant }) => ({ kind: mutation, ...mutant }));
  return [{ kind: asItIs, name: tree.root.localName, element: tree.root, text: tree.text }, ...mutants];
}

function differencesOf(variant: Variant, file: string, sides: Sides): Difference[] {
  const reading = readDocument(variant.text);
  if (!reading.ok) throw new Error(`A mutant of ${file} is not well-formed: ${reading.refusal.message}`);
  const fault = schemaFault(reading.value, sides.rules);
  const validity = validate(variant.text, sides.published);
  const isUnique = !repeatsValue(sides.rules.usage, reading.value.root);
  const place = { file, line: variant.element.line, isUnique };
  if (fault === undefined && !validity.valid) {
    return [{ ...place, ...causeOf(variant, validity.message, sides), acceptedBy: 'xcapd' }];
  }
  if (fault !== undefined && validity.valid) {
    return [{ ...place, ...causeOf(variant, fault, sides), acceptedBy: 'published' }];
  }
  return [];
}

/** Within what only our schema declares nothing is compared, so all that is done there has one cause. */
function causeOf(
  { kind, name, element }: Variant,
  message: string,
  { ours, theirs }: Sides,
): Pick<Difference, 'kind' | 'name' | 'message'> {
  const own = outermostDeclaredOnce(element, ours, theirs);
  if (own === undefined) return { kind, name, message };
  return { kind: 'any mutation in it', name: own.localName, message: 'only xcapd declares this element' };
}

function repeatsValue(usage: ApplicationUsage, root: SourceElement): boolean {
  return usage.kind === 'stored' && (usage.uniqueness?.(root) ?? []).length > 0;
}

const program = new Command('schemas:compare')
  .description(
    'Validates the examples of the application usages, and mutants of them, against the schemas of xcapd and ' +
      'against published ones, and prints every difference in verdict.',
  )
  .argument(
    '<folder>',
    'the folder of published schemas, laid out as tools/schemas-compare/published-schemas.ts says',
  )
  .option('--auid <name>', 'compare this application usage only')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .action((folder: string, { auid }: { readonly auid?: string }) => compareAll(folder, auid));

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`schemas:compare: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageMistake ? 2 : 1;
});
