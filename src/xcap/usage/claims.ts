/** §5.3 data uniqueness over all documents: the URIs that documents claim, and free ones in the place of taken ones. */
import { Conflict } from '../conflict.js';
import { standaloneText } from '../../xml/standalone.js';
import type { SourceTree } from '../../xml/source-tree.js';
import { attributeOf, type Claim, type UniquenessFailure } from './contract.js';
import type { DocumentRules } from './loaded-usage.js';
import type { DocumentSelector, Xui } from '../terms.js';
import { mostFailures, uniquenessConflict } from './uniqueness.js';
import { canonicalXui, maximalXuiBytes } from '../uri/xui.js';

/** A URI that a document claims for itself. */
export interface StoredClaim {
  /** Canonical, see `canonicalXui`. */
  readonly uri: string;
  /** The text of the element that goes into the document generated from claims; undefined where none does. */
  readonly element: string | undefined;
}

/** A claim with its URI as it is compared. */
export interface CanonicalClaim extends Claim {
  readonly uri: string;
}

type ClaimRules = Pick<DocumentRules, 'usage' | 'document'>;

const alternativesForEach = 3;
const candidatesForEach = 20;

/** What a version claims (nothing where it is a deletion); undefined where documents of the usage never claim anything. */
export function claimsOf(
  next: SourceTree | undefined,
  { usage, document }: ClaimRules,
): CanonicalClaim[] | undefined {
  if (usage.claims === undefined) return undefined;
  const claims = next === undefined ? [] : usage.claims(next.root, document);
  return claims.map((claim) => ({ ...claim, uri: canonicalXui(valueOf(claim)) }));
}

function valueOf({ element, attribute }: Claim): string {
  return attributeOf(element, attribute)?.value.trim() ?? '';
}

/** The claims by which a document competes with itself. */
export function repeatedClaims(tree: SourceTree, rules: ClaimRules): UniquenessFailure[] {
  const seen = new Set<string>();
  return (claimsOf(tree, rules) ?? []).filter(({ uri }) => seen.size === seen.add(uri).size);
}

/** A sentence on a claim that no database could keep as a key. */
export function oversizedClaim(tree: SourceTree, rules: ClaimRules): string | undefined {
  const claim = claimsOf(tree, rules)?.find(({ uri }) => Buffer.byteLength(uri) > maximalXuiBytes);
  if (claim === undefined) return undefined;
  const { element, attribute } = claim;
  return `The ${attribute} of '${element.localName}' has more than ${maximalXuiBytes} bytes (line ${element.line}). Please choose a shorter URI.`;
}

/** As the store keeps them. */
export function storedClaims(
  next: SourceTree | undefined,
  claims: readonly CanonicalClaim[] | undefined,
): StoredClaim[] | undefined {
  return claims?.map(({ uri, element, isListed }) => ({
    uri,
    element: isListed && next !== undefined ? standaloneText(next.text, element) : undefined,
  }));
}

/** The report on claims to URIs that others have, each with URIs that are free at this moment. */
export async function takenConflict(
  freeUris: (uris: readonly string[]) => Promise<ReadonlySet<string>>,
  { usage, document }: ClaimRules,
  claims: readonly CanonicalClaim[],
  takenUris: readonly string[],
): Promise<Conflict> {
  const taken = claims.filter(({ uri }) => takenUris.includes(uri)).slice(0, mostFailures);
  const own = new Set(claims.map(({ uri }) => uri));
  const candidates = taken.map(({ uri }) => candidatesFor(uri, document).filter((other) => !own.has(other)));
  const free = await freeUris(candidates.flat());
  const [first, ...others] = taken.map(({ element, attribute }, i) => ({
    element,
    attribute,
    alternatives: (candidates[i] ?? []).filter((uri) => free.has(uri)).slice(0, alternativesForEach),
  }));
  if (first === undefined) throw new Error('the store refused URIs that the document does not claim');
  return uniquenessConflict([first, ...others], usage.defaultDocumentNamespace);
}

/**
 * URIs like a taken one. They carry the user's own name, so that users who want the same URI at the same time are not
 * sent to the same alternative.
 */
function candidatesFor(uri: string, document: DocumentSelector): string[] {
  const [, user, domain] = /^(sips?:[^@]+)(@.+)$/.exec(uri) ?? [];
  if (user === undefined || domain === undefined) return [];
  const name = document.tree === 'users' ? nameOf(document.xui) : undefined;
  const base = name === undefined ? user : `${user}-${name}`;
  const numbered = Array.from({ length: candidatesForEach }, (_, i) => `${base}-${String(i + 2)}${domain}`);
  return name === undefined ? numbered : [`${base}${domain}`, ...numbered];
}

/** What of the user's name may stand in a SIP URI without escapes (RFC 3261 §25.1, unreserved). */
function nameOf(xui: Xui): string | undefined {
  const [user = ''] = xui.split('@');
  return /[A-Za-z0-9._-]{1,40}/.exec(user.replace(/^\w+:/, ''))?.[0];
}
