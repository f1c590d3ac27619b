/**
 * Documents that operators provision, seen through the port to storage. A user whose document has a profile finds it
 * from the first moment, and always as the profile of today wants it; only what the user writes is stored.
 */
import { createHash } from 'node:crypto';
import { storedDocument, type StoredDocument } from '../xcap/document/stored-document.js';
import { Conflict } from '../xcap/conflict.js';
import { textOf } from '../xml/text-content.js';
import type { Provisioning } from '../xcap/usage/contract.js';
import { type Change, type DocumentStore } from '../xcap/document-store.js';
import { Refusal } from '../xcap/refusal.js';
import type {
  DocumentSelector,
  EntityTag,
  SourceElement,
  SourceTree,
  UserDocumentSelector,
  Xui,
  HomeDocument,
} from '../xcap/terms.js';
import { encodeDocumentSelector } from '../xcap/uri/uri.js';

/** What is provisioned for a user's document. */
export interface Profile {
  readonly provisioning: Provisioning;
  /** The document of a user who has not written one. Its entity tag is a hash of its text. */
  readonly document: StoredDocument;
}

/** Finds the profile of a document; undefined where the document is the user's alone. */
export type ProfileOf = (document: UserDocumentSelector) => Promise<Profile | undefined>;

/** Which document of every home a usage provisions. */
export interface ProvisionedPlace {
  readonly auid: string;
  readonly document: string;
}

/**
 * The store with provisioned documents in place of what is stored of them. Conditions and changes see them as current;
 * the swap below stays one on the stored version.
 *
 * A write throws Refusal (403) where it would delete such a document, and Conflict (constraint-failure) where it would
 * change what is the operator's.
 */
export function provisionedStore(
  store: DocumentStore,
  profileOf: ProfileOf,
  places: readonly ProvisionedPlace[],
): DocumentStore {
  const viewOf = rememberedViews();
  const profileFor = async (document: DocumentSelector) =>
    document.tree === 'users' ? profileOf(document) : undefined;
  async function read(document: DocumentSelector): Promise<StoredDocument | undefined> {
    const [profile, stored] = await Promise.all([profileFor(document), store.read(document)]);
    return profile === undefined ? stored : viewOf(profile, stored);
  }
  /** What a directory tells of a document has to be what a GET of it will say. */
  async function asRead(
    document: UserDocumentSelector,
    listed: HomeDocument | undefined,
  ): Promise<HomeDocument | undefined> {
    const view = (await profileOf(document)) && (await read(document));
    if (view === undefined) return listed;
    const { auid } = document;
    const selector = encodeDocumentSelector(document);
    const bytes = Buffer.byteLength(view.text);
    return { lastModified: undefined, ...listed, auid, selector, entityTag: view.entityTag, bytes };
  }
  async function home(xui: Xui): Promise<HomeDocument[]> {
    const documents = new Map((await store.home(xui)).map((listed) => [listed.selector, listed]));
    for (const { auid, document } of places) {
      const selector: UserDocumentSelector = { tree: 'users', auid, xui, path: [document] };
      const listed = await asRead(selector, documents.get(encodeDocumentSelector(selector)));
      if (listed !== undefined) documents.set(listed.selector, listed);
    }
    return [...documents.values()].sort(byAuidAndPath);
  }
  return {
    ...store,
    read,
    home,
    async write(document, author, change) {
      const profile = await profileFor(document);
      if (profile === undefined) return store.write(document, author, change);
      const changeView = (stored: StoredDocument | undefined) => {
        const current = viewOf(profile, stored);
        return checked(profile, current, change(current));
      };
      return store.write(document, author, changeView);
    },
  };
}

/** @throws Refusal, Conflict */
function checked<Outcome>(
  { provisioning, document }: Profile,
  current: StoredDocument,
  change: Change<Outcome>,
): Change<Outcome> {
  const { next } = change;
  if (next === undefined) {
    throw new Refusal(
      403,
      'This document is provisioned by your operator and cannot be deleted; its services can be switched off.',
    );
  }
  const violation = provisioning.violation(document.tree(), current.tree(), next, readText);
  if (violation === undefined) return change;
  throw new Conflict({ condition: 'constraint-failure', phrase: violation });
}

type ViewOf = (profile: Profile, stored: StoredDocument | undefined) => StoredDocument;

/** Makes each view once for as long as the stored version is kept, so that a cached document is not parsed again. */
function rememberedViews(): ViewOf {
  const views = new WeakMap<StoredDocument, { readonly profile: Profile; readonly view: StoredDocument }>();
  return (profile, stored) => {
    if (stored === undefined) return profile.document;
    const known = views.get(stored);
    if (known?.profile === profile) return known.view;
    const view = reconciled(profile, stored);
    views.set(stored, { profile, view });
    return view;
  };
}

function reconciled({ provisioning, document }: Profile, stored: StoredDocument): StoredDocument {
  const text = provisioning.reconcile(document.tree(), stored.tree(), readText);
  if (text === stored.text) return stored;
  const { flaw } = stored;
  return storedDocument(text, combinedTag(stored.entityTag, document.entityTag), { flaw });
}

/** Another one whenever the stored version or the profile is another one, and the same in all processes. */
function combinedTag(stored: EntityTag, profile: EntityTag): EntityTag {
  return createHash('sha256').update(`${stored} ${profile}`).digest('base64url').slice(0, 16);
}

function byAuidAndPath(a: HomeDocument, b: HomeDocument): number {
  if (a.auid !== b.auid) return a.auid < b.auid ? -1 : 1;
  return a.selector < b.selector ? -1 : 1;
}

function readText({ text }: SourceTree, element: SourceElement): string {
  return textOf(text, element);
}
