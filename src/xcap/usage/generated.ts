/** §8.2.7: documents that the server makes from others. Their texts are pure functions of what they are made from. */
import type { HomeDocument, Xui } from '../terms.js';

/** A document that the server makes, at its place in every home or in the global tree. */
export type GeneratedDocument = Readonly<{ path: readonly [string, ...string[]] }> & GeneratedFrom;

type GeneratedFrom =
  /** From the usages that this server has, in the order of their AUIDs. */
  | Readonly<{ tree: 'global'; from: 'usages'; generate: (usages: readonly ServedUsage[]) => string }>
  /** From the elements behind the listed claims of the usage: their texts, each complete with its namespaces, sorted by URI. */
  | Readonly<{ tree: 'global'; from: 'claims'; generate: (elements: readonly string[]) => string }>
  /** For each user, from nothing but who it is. */
  | Readonly<{ tree: 'users'; from: 'user'; generate: (xui: Xui) => string }>
  /** For each user, from the documents that they have. */
  | Readonly<{ tree: 'users'; from: 'home'; generate: (home: Home) => string }>;

/** A usage as others may know it. */
export interface ServedUsage {
  readonly auid: string;
  readonly namespaces: readonly string[];
  readonly extensions: readonly string[];
}

/** What a user has. */
export interface Home {
  readonly xui: Xui;
  /** In the order of their AUIDs. */
  readonly usages: readonly ServedUsage[];
  /** The documents in the user's homes of all usages, sorted by AUID and path. */
  readonly documents: readonly HomeDocument[];
}
