/** All that is stored of one subscriber, for themselves (GDPR article 15 and 20). Secrets are named, not given. */
import type { Page, PageRequest } from '../../subscribers/register.js';
import type { Subscriber } from '../../subscribers/subscriber.js';
import type { UserDocumentSelector } from '../../xcap/terms.js';
import { encodeSegment } from '../../xcap/uri/percent-encoding.js';
import type { Context } from './context.js';
import { documentView } from './documents.js';
import { subscriberView } from './subscribers.js';

const recordsAtOnce = 100;

/** One JSON object in pieces: the versions of documents may be more than memory holds. */
export async function* archiveOf(context: Context, subscriber: Subscriber): AsyncGenerator<string> {
  const { register } = context;
  const { xui } = subscriber;
  const stored = (await register.credentials([xui])).get(xui);
  const facts = {
    subscriber: subscriberView(subscriber),
    credentials: {
      digest: stored?.digest.map(({ realm, username, algorithm }) => ({ realm, username, algorithm })),
      hasPassword: stored?.passwordHash !== undefined,
    },
    role: await register.roleOf(xui),
    claims: await register.claimsOf(xui),
    usage: await register.usageOf(xui),
  };
  yield JSON.stringify(facts).slice(0, -1);
  yield* member(
    'grantsGiven',
    all((page) => register.listGrants({ owner: xui }, page)),
  );
  yield* member('grantsReceived', grantsReceived(context, subscriber));
  yield* member(
    'audit',
    all((page) => register.auditRecords(page, xui)),
  );
  yield ',"documents":[';
  let separator = '';
  for (const record of await register.documentsOf(xui)) {
    yield separator + JSON.stringify(documentView(record)).slice(0, -1);
    yield `,"content":${JSON.stringify((await register.currentText(record.document)) ?? null)}`;
    yield* member('versions', versionsOf(context, record.document));
    yield '}';
    separator = ',';
  }
  yield '],"deletedDocuments":[';
  separator = '';
  for (const document of await register.deletedDocumentsOf(xui)) {
    const path = document.path.map(encodeSegment).join('/');
    yield separator + JSON.stringify({ auid: document.auid, path }).slice(0, -1);
    yield* member('versions', versionsOf(context, document));
    yield '}';
    separator = ',';
  }
  yield ']}\n';
}

async function* grantsReceived({ register }: Context, { identities }: Subscriber): AsyncGenerator<object> {
  for (const grantee of identities) yield* all((page) => register.listGrants({ grantee }, page));
}

async function* versionsOf({ register }: Context, document: UserDocumentSelector): AsyncGenerator<object> {
  for await (const record of all((page) => register.versions(document, page))) {
    yield { ...record, content: await register.versionText(document, record.version) };
  }
}

/** All items of a list, page by page. */
async function* all<Item>(read: (page: PageRequest) => Promise<Page<Item>>): AsyncGenerator<Item> {
  let after: string | undefined;
  do {
    const { items, next } = await read({ after, limit: recordsAtOnce });
    yield* items;
    after = next;
  } while (after !== undefined);
}

/** A further member of an object: an array. */
async function* member(name: string, items: AsyncIterable<object>): AsyncGenerator<string> {
  yield `,${JSON.stringify(name)}:[`;
  let separator = '';
  for await (const item of items) {
    yield separator + JSON.stringify(item);
    separator = ',';
  }
  yield ']';
}
