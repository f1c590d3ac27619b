/** The export of all subscribers, in lines that an import takes. Constant memory: a page of subscribers at a time. */
import type { StoredCredentials } from '../../subscribers/register.js';
import type { Subscriber } from '../../subscribers/subscriber.js';
import { encodeSegment } from '../../xcap/uri/percent-encoding.js';
import type { Context } from './context.js';
import { jsonLine } from '../../ndjson.js';

const subscribersAtOnce = 500;

/** What goes out beside the subscribers themselves. */
export interface ExportParts {
  /** HA1 and hashes, as they are stored. */
  readonly credentials: boolean;
  readonly documents: boolean;
}

/** Sorted by XUI. Whoever is made or erased meanwhile may be missing or not. */
export async function* exportSubscribers(context: Context, parts: ExportParts): AsyncGenerator<string> {
  const { register } = context;
  let after: string | undefined;
  do {
    const { items, next } = await register.list({ after, limit: subscribersAtOnce }, []);
    const credentials = parts.credentials
      ? await register.credentials(items.map(({ xui }) => xui))
      : new Map<string, StoredCredentials>();
    if (!parts.documents) {
      yield items.map((item) => jsonLine(exported(item, credentials.get(item.xui)))).join('');
    } else {
      for (const item of items) {
        const documents = await documentsOf(context, item.xui);
        yield jsonLine({ ...exported(item, credentials.get(item.xui)), documents });
      }
    }
    after = next;
  } while (after !== undefined);
}

function exported(
  { xui, identities, impi, isDisabled, profile, quota }: Subscriber,
  stored?: StoredCredentials,
) {
  const others = identities.filter((identity) => identity !== xui);
  return { xui, identities: others, impi, isDisabled, profile, quota, ...stored };
}

async function documentsOf({ register }: Context, xui: string) {
  const documents: { auid: string; path: string; content: string }[] = [];
  for (const { document } of await register.documentsOf(xui)) {
    const content = await register.currentText(document);
    const path = document.path.map(encodeSegment).join('/');
    if (content !== undefined) documents.push({ auid: document.auid, path, content });
  }
  return documents;
}
