/** Application usages as the registry hands them to the core: definition, compiled schema, known names. */
import type { Schema } from '../../xml/schema.js';
import type { Vocabulary } from '../../xml/vocabulary.js';
import { usualLimits, type ApplicationUsage, type DocumentLimits, type StoredUsage } from './contract.js';
import type { GeneratedDocument, ServedUsage } from './generated.js';
import type { DefaultNamespace } from '../uri/node-selector.js';
import type { DocumentSelector } from '../terms.js';

export interface LoadedUsage<Usage extends ApplicationUsage = ApplicationUsage> {
  readonly usage: Usage;
  /** Undefined where the usage takes any well-formed document. */
  readonly schema: Schema | undefined;
  /** §8.2.5: by namespace, the names that the schemas of all served usages declare. */
  readonly knownNames: ReadonlyMap<string, Vocabulary>;
}

export type LoadedStoredUsage = LoadedUsage<StoredUsage>;

/** The rules of a usage for one document. */
export interface DocumentRules extends LoadedStoredUsage {
  readonly document: DocumentSelector;
  /** Without a trailing slash; the first is the primary one. */
  readonly xcapRoots: readonly string[];
  /** The names of this server, where the operator has said them. */
  readonly hostnames: readonly string[];
}

/** The served usages by AUID, in the order of their AUIDs. */
export type LoadedUsages = ReadonlyMap<string, LoadedUsage>;

/** How large a document of the usage may be on a server that takes none of more than `maximalBytes`. */
export function limitsOf({ limits = usualLimits }: ApplicationUsage, maximalBytes: number): DocumentLimits {
  return { ...limits, bytes: Math.min(limits.bytes, maximalBytes) };
}

/** What generated documents may know of the served usages. */
export function servedUsages(usages: LoadedUsages): ServedUsage[] {
  return [...usages.values()].map(({ usage: { auid, namespaces, extensions } }) => ({
    auid,
    namespaces,
    extensions: extensions ?? [],
  }));
}

/** True where clients may write documents of the usage. */
export function isStored(loaded: LoadedUsage): loaded is LoadedStoredUsage {
  return loaded.usage.kind === 'stored';
}

/** The document that the server makes at this place, or undefined. */
export function generatedAt(
  { usage }: LoadedUsage,
  { tree, path }: DocumentSelector,
): GeneratedDocument | undefined {
  return usage.generated?.find(
    (document) => document.tree === tree && document.path.join('/') === path.join('/'),
  );
}

/** The URI by which a document is named in the global tree, where it lies in a claim directory; else undefined. */
export function claimedUriIn({ usage }: LoadedUsage, { tree, path }: DocumentSelector): string | undefined {
  if (usage.kind !== 'stored' || tree !== 'global') return undefined;
  const directory = path.slice(0, -1).join('/');
  return usage.claimDirectories?.includes(directory) === true ? path.at(-1) : undefined;
}

/**
 * §5.2: the namespace of unprefixed element names. Where a usage has two, a name is in the second if only the schema of
 * that one declares it.
 */
export function defaultNamespaceOf({ usage, knownNames }: LoadedUsage): DefaultNamespace {
  const { defaultDocumentNamespace: first, secondDefaultNamespace: second } = usage;
  if (second === undefined) return () => first;
  const declares = (namespace: string, localName: string) =>
    knownNames.get(namespace)?.elements.has(localName) === true;
  return (localName) => (!declares(first, localName) && declares(second, localName) ? second : first);
}

/** The usage that has this AUID, or has it as an alias. */
export function usageNamed(usages: LoadedUsages, auid: string): LoadedUsage | undefined {
  const known = usages.get(auid);
  if (known !== undefined) return known;
  return [...usages.values()].find(({ usage }) => usage.aliases?.includes(auid) === true);
}
