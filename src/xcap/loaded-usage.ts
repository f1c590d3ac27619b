/** Application usages as the registry hands them to the core: definition, compiled schema, generated document. */
import type { Schema } from '../xml/schema.js';
import type { Vocabulary } from '../xml/vocabulary.js';
import type { GeneratedUsage, StoredUsage } from './application-usage.js';
import type { StoredDocument } from './document-store.js';
import type { DocumentSelector } from './terms.js';

export type LoadedUsage = LoadedStoredUsage | LoadedGeneratedUsage;

export interface LoadedStoredUsage {
  readonly kind: 'stored';
  readonly usage: StoredUsage;
  readonly schema: Schema;
  /** §8.2.5: by namespace, the names that the schemas of all served usages declare. */
  readonly knownNames: ReadonlyMap<string, Vocabulary>;
}

export interface LoadedGeneratedUsage {
  readonly kind: 'generated';
  readonly usage: GeneratedUsage;
  readonly document: StoredDocument;
}

/** The rules of a usage for one document. */
export interface DocumentRules extends LoadedStoredUsage {
  readonly document: DocumentSelector;
  /** Without a trailing slash; the first is the primary one. */
  readonly xcapRoots: readonly string[];
}

/** The served usages by AUID. */
export type LoadedUsages = ReadonlyMap<string, LoadedUsage>;
