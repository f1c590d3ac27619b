/** The wrapper alone, around a store in memory that writes nothing. */
import t from 'tap';
import {
  madeDocument,
  storedDocument,
  type StoredDocument,
} from '../../src/xcap/document/stored-document.js';
import type { Provisioning } from '../../src/xcap/usage/contract.js';
import { type DocumentStore } from '../../src/xcap/document-store.js';
import { provisionedStore, type Profile } from '../../src/provisioning/provisioned-store.js';
import type { DocumentSelector, UserDocumentSelector } from '../../src/xcap/terms.js';
import { read } from '../fixtures/source.js';

const alice: UserDocumentSelector = {
  tree: 'users',
  auid: 'org.example',
  xui: 'sip:alice@example.com',
  path: ['index'],
};
const bob: UserDocumentSelector = { ...alice, xui: 'sip:bob@example.com' };

/** A store in which everybody has the same version. */
function storeWith(current: StoredDocument | undefined): DocumentStore {
  return {
    read: () => Promise.resolve(current),
    write: async (_document, _author, change) => {
      const { outcome } = change(current);
      return { kind: 'written', outcome, entityTag: 'new' };
    },
    claimant: (uri) => Promise.resolve({ ...alice, xui: uri }),
    freeUris: () => Promise.resolve(new Set()),
    listedElements: () => Promise.resolve({ revision: '', elements: [] }),
    home: (xui) => {
      const lastModified = '2026-01-01T00:00:00Z';
      const selector = `org.example/users/${xui}/index`;
      const listed = { auid: 'org.example', selector, entityTag: 'stored', lastModified, bytes: 4 };
      return Promise.resolve([listed, { ...listed, selector: `org.example/users/${xui}/other` }]);
    },
  };
}

/** Appends the text of the profile, and counts how often it does. */
function counting(): { profile: (text: string) => Profile; count: () => number } {
  let count = 0;
  const provisioning: Provisioning = {
    document: 'index',
    profileFault: () => undefined,
    reconcile: (profile, written) => {
      count++;
      return written.text.includes('keep') ? written.text : `${written.text}<!--${profile.root.localName}-->`;
    },
    violation: () => undefined,
  };
  return { profile: (text) => ({ provisioning, document: madeDocument(text) }), count: () => count };
}

function profileForAlice(profile: () => Profile) {
  return async ({ xui, path }: DocumentSelector & { readonly xui: string }) =>
    xui === alice.xui && path[0] === 'index' ? profile() : undefined;
}

t.test('a view is made once for each version and profile', async (t) => {
  const { profile, count } = counting();
  const first = profile('<a/>');
  let current = first;
  const stored = storedDocument('<x/>', 'stored');
  const store = provisionedStore(
    storeWith(stored),
    profileForAlice(() => current),
    [],
  );
  const view = await store.read(alice);
  t.equal(view?.text, '<x/><!--a-->');
  t.not(view?.entityTag, 'stored');
  t.equal(await store.read(alice), view);
  t.equal(count(), 1, 'and not again');
  t.equal(await store.read(bob), stored, 'others are not touched');
  t.equal(await store.read({ tree: 'global', auid: 'org.example', path: ['index'] }), stored);
  t.equal(count(), 1);
  current = profile('<b/>');
  const other = await store.read(alice);
  t.equal(other?.text, '<x/><!--b-->');
  t.not(other?.entityTag, view?.entityTag);
  current = profile('<a/>');
  t.equal(
    (await store.read(alice))?.entityTag,
    view?.entityTag,
    'the tag comes from version and profile alone',
  );
});

t.test('a version that needs no change is the version', async (t) => {
  const { profile } = counting();
  const stored = storedDocument('<keep/>', 'stored');
  const store = provisionedStore(
    storeWith(stored),
    profileForAlice(() => profile('<a/>')),
    [],
  );
  t.equal(await store.read(alice), stored);
});

t.test('changes see the view', async (t) => {
  const { profile } = counting();
  const provisioned = profile('<a/>');
  const store = provisionedStore(
    storeWith(undefined),
    profileForAlice(() => provisioned),
    [],
  );
  const seen: (StoredDocument | undefined)[] = [];
  const change = (current: StoredDocument | undefined) => {
    seen.push(current);
    return { next: read('<n/>'), outcome: 'done' };
  };
  t.match(await store.write(alice, alice.xui, change), { outcome: 'done', entityTag: 'new' });
  await store.write(bob, bob.xui, change);
  t.strictSame(seen, [provisioned.document, undefined]);
  await t.rejects(
    store.write(alice, alice.xui, () => ({ next: undefined, outcome: 'gone' })),
    { name: 'Refusal', status: 403 },
  );
});

t.test('a home lists the tag and the length of the view', async (t) => {
  const { profile } = counting();
  const provisioned = profile('<a/>');
  const stored = storedDocument('<x/>', 'stored');
  const store = provisionedStore(
    storeWith(stored),
    profileForAlice(() => provisioned),
    [{ auid: 'org.example', document: 'index' }],
  );
  const [first, second] = await store.home(alice.xui);
  t.match(first, { entityTag: (await store.read(alice))?.entityTag, bytes: '<x/><!--a-->'.length });
  t.match(second, { entityTag: 'stored', bytes: 4 });
  t.match(await store.home(bob.xui), [{ entityTag: 'stored' }, { entityTag: 'stored' }]);
  const homeless = { ...storeWith(undefined), home: () => Promise.resolve([]) };
  const unwritten = provisionedStore(
    homeless,
    profileForAlice(() => provisioned),
    [{ auid: 'org.example', document: 'index' }],
  );
  t.strictSame(await unwritten.home(alice.xui), [
    {
      auid: 'org.example',
      selector: 'org.example/users/sip:alice@example.com/index',
      entityTag: provisioned.document.entityTag,
      lastModified: undefined,
      bytes: 4,
    },
  ]);
  t.strictSame(await unwritten.home(bob.xui), []);
  t.match(await store.claimant('sip:x@example.com'), { xui: 'sip:x@example.com' }, 'the rest passes through');
});
