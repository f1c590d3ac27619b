/** What every document store has to do: the one on PostgreSQL, and one in memory that shows what the port asks for. */
import t, { type Test } from 'tap';
import { openPool } from '../../src/storage/database.js';
import { openDocumentStore } from '../../src/storage/documents/store.js';
import { openPipelinedClient } from '../../src/storage/pipelined-client.js';
import { maximalListedBytes, type DocumentStore, type Written } from '../../src/xcap/document-store.js';
import type { DocumentSelector, UserDocumentSelector } from '../../src/xcap/terms.js';
import type { StoredClaim } from '../../src/xcap/usage/claims.js';
import { cloneDatabase } from '../fixtures/database.js';
import { memoryDocumentStore } from '../fixtures/memory-document-store.js';
import { read } from '../fixtures/source.js';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';

function documentOf(xui: string, name = 'index', auid = 'org.example'): UserDocumentSelector {
  return { tree: 'users', auid, xui, path: [name] };
}

interface Version {
  readonly text?: string;
  readonly claims?: readonly StoredClaim[];
  readonly flaw?: string;
}

function put(store: DocumentStore, document: DocumentSelector, { text = '<x/>', ...rest }: Version = {}) {
  return store.write(document, alice, () => ({ next: read(text), outcome: 'put', ...rest }));
}

function remove(store: DocumentStore, document: DocumentSelector, claims?: readonly StoredClaim[]) {
  return store.write(document, alice, () => ({ next: undefined, outcome: 'removed', claims }));
}

function tagOf(written: Written<unknown>): string {
  if (written.kind !== 'written' || written.entityTag === undefined) throw new Error('nothing was written');
  return written.entityTag;
}

const claim = (uri: string, element?: string): StoredClaim => ({ uri, element });

async function postgres(t: Test): Promise<DocumentStore> {
  const address = await cloneDatabase(t);
  const pool = openPool(address, () => undefined);
  const reader = openPipelinedClient(address, () => undefined);
  t.teardown(async () => {
    await Promise.all([pool.end(), reader.end()]);
  });
  return openDocumentStore({ pool, reader, listings: pool, historyVersions: 3, node: 'test' });
}

const stores: readonly [name: string, open: (t: Test) => Promise<DocumentStore>][] = [
  ['PostgreSQL', postgres],
  ['memory', async () => memoryDocumentStore()],
];

for (const [name, open] of stores) {
  t.test(`${name}: documents`, async (t) => {
    const store = await open(t);
    const document = documentOf(alice);
    t.equal(await store.read(document), undefined);

    const first = tagOf(await put(store, document, { text: '<a/>' }));
    t.match(await store.read(document), { text: '<a/>', entityTag: first, flaw: undefined });
    t.equal((await store.read(document))?.tree().root.localName, 'a');
    t.equal(await store.read(documentOf(bob)), undefined, 'of another user');
    t.equal(await store.read({ tree: 'global', auid: 'org.example', path: ['index'] }), undefined);

    const second = tagOf(await put(store, document, { text: '<a/>' }));
    t.not(second, first, 'a new tag for the same text');
    t.match(await remove(store, document), { kind: 'written', outcome: 'removed', entityTag: undefined });
    t.equal(await store.read(document), undefined);
    t.notOk([first, second].includes(tagOf(await put(store, document))), 'no tag is used again');
  });

  t.test(
    `${name}: a change sees the version that it replaces, and what it throws writes nothing`,
    async (t) => {
      const store = await open(t);
      const document = documentOf(alice);
      await put(store, document, { text: '<n/>' });
      const appended = Array.from({ length: 20 }, (_, i) =>
        store.write(document, alice, (current) => ({
          next: read(`${current?.text ?? ''}<!--${String(i)}-->`),
          outcome: current?.entityTag,
        })),
      );
      const seen = (await Promise.all(appended)).map(({ outcome }) => outcome);
      t.equal(new Set(seen).size, 20, 'each replaced another version');
      const text = (await store.read(document))?.text ?? '';
      t.equal(text.split('<!--').length, 21, 'and none is lost');

      const refusal = new Error('refused');
      await t.rejects(
        store.write(document, alice, () => {
          throw refusal;
        }),
        refusal,
      );
      t.equal((await store.read(document))?.text, text);
    },
  );

  t.test(`${name}: flaws`, async (t) => {
    const store = await open(t);
    const document = documentOf(alice);
    await put(store, document, { flaw: 'It breaks a rule.' });
    t.equal((await store.read(document))?.flaw, 'It breaks a rule.');
    await put(store, document);
    t.equal((await store.read(document))?.flaw, undefined, 'a later version has none');
  });

  t.test(`${name}: claims`, async (t) => {
    const store = await open(t);
    const mine = documentOf(alice);
    const theirs = documentOf(bob);
    const claims = [claim('sip:team@example.com', '<service/>'), claim('sip:other@example.com')];
    const nobody = await store.listedElements('org.example', undefined);
    t.strictSame(nobody.elements, []);

    t.equal((await put(store, mine, { claims })).kind, 'written');
    t.strictSame(await store.claimant('sip:team@example.com'), mine);
    const listed = await store.listedElements('org.example', nobody);
    t.strictSame(listed.elements, ['<service/>'], 'of those that are listed');
    t.equal(await store.listedElements('org.example', listed), listed, 'what is known does not come again');

    const taken = await put(store, theirs, {
      claims: [claim('sip:team@example.com'), claim('sip:new@example.com')],
    });
    t.match(taken, { kind: 'taken', uris: ['sip:team@example.com'] });
    t.equal(await store.read(theirs), undefined, 'nothing was written');
    t.match(await put(store, theirs, { claims: [claim(alice)] }), { kind: 'taken', uris: [alice] });
    t.match(
      await put(store, theirs, { claims: [claim(bob)] }),
      { kind: 'taken', uris: [bob] },
      'also of the owner',
    );
    t.strictSame(
      await store.freeUris(['sip:team@example.com', alice, 'sip:free@example.com']),
      new Set(['sip:free@example.com']),
    );

    await remove(store, mine, []);
    t.equal(await store.claimant('sip:team@example.com'), undefined);
    t.not((await store.listedElements('org.example', listed)).revision, listed.revision);
    t.equal((await put(store, theirs, { claims: [claim('sip:team@example.com')] })).kind, 'written');
  });

  t.test(`${name}: listed elements that are too many`, async (t) => {
    const store = await open(t);
    const [mine, theirs] = [documentOf(alice), documentOf(bob)];
    const half = `<service>${'x'.repeat(maximalListedBytes / 2 - 19)}</service>`;
    await put(store, mine, { claims: [claim('sip:one@example.com', half)] });
    await put(store, theirs, { claims: [claim('sip:two@example.com', half)] });
    const most = await store.listedElements('org.example', undefined);
    t.equal(most.elements?.length, 2, 'as much as there may be');
    await put(store, mine, { claims: [claim('sip:one@example.com', `${half} `)] });
    const more = await store.listedElements('org.example', most);
    t.match(more, { revision: /./, elements: undefined });
    t.not(more.revision, most.revision);
    t.equal(await store.listedElements('org.example', more), more, 'what is known does not come again');
    await remove(store, theirs, []);
    t.equal((await store.listedElements('org.example', more)).elements?.length, 1, 'and then fewer');
  });

  t.test(`${name}: a home`, async (t) => {
    const store = await open(t);
    await put(store, documentOf(alice, 'b'), { text: '<long/>' });
    await put(store, documentOf(alice, 'a'));
    await put(store, documentOf(alice, 'z', 'org.another'));
    await put(store, documentOf(bob));
    const home = await store.home(alice);
    t.match(home, [
      { auid: 'org.another', selector: `org.another/users/${alice}/z` },
      { auid: 'org.example', selector: `org.example/users/${alice}/a`, bytes: 4 },
      { auid: 'org.example', selector: `org.example/users/${alice}/b`, bytes: 7 },
    ]);
    t.match(home[1]?.entityTag, (await store.read(documentOf(alice, 'a')))?.entityTag);
    t.ok(Number.isFinite(Date.parse(home[0]?.lastModified ?? '')));
  });
}
