/** Documents that this server makes from its own and those of the servers behind it, for who asks. */
import type { UpstreamRoute } from '../config/upstreams.js';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import { type StoredDocument, madeDocument } from '../xcap/document/stored-document.js';
import type { DocumentMaker } from '../xcap/document-maker.js';
import type { ServedUsage } from '../xcap/usage/generated.js';
import {
  asServedUsages,
  capabilitiesAuid,
  directoryAuid,
  folderWithError,
  mergeDirectory,
  readCapabilities,
  readFolders,
  type Capabilities,
  type Folder,
} from './merged-documents.js';
import type { DocumentSelector, Principal } from '../xcap/terms.js';
import { encodeDocumentSelector } from '../xcap/uri/uri.js';
import { UpstreamFailure } from './failure.js';
import { assertedIdentities, isLoop, viaHeader } from './headers.js';
import { routeOf, type Upstreams } from './proxy.js';

export interface MergeOptions {
  readonly upstreams: Upstreams;
  /** Makes this server's own documents. */
  readonly maker: DocumentMaker;
  /** What this server has itself. */
  readonly usages: readonly ServedUsage[];
}

/** Who asks, and the way that the request came. */
export interface Asker {
  readonly principal: Principal;
  readonly headers: IncomingHttpHeaders;
  /** The client gets an answer all the same: only the operator is told who gave nothing to it. */
  readonly log: Pick<FastifyBaseLogger, 'warn'>;
}

/** Gives the maker for one request. */
export type MergingMaker = (asker: Asker) => DocumentMaker;

type Answer =
  | { readonly status: 200; readonly body: Buffer }
  /** Another status of the upstream, or the reason why it has none. */
  | { readonly status: number; readonly body: undefined };

type Ask = (upstream: UpstreamRoute, document: DocumentSelector) => Promise<Answer>;

/** The whole answer has to be there by then: whoever asks waits for the slowest upstream. */
const timeoutMilliseconds = 3000;
const maximalBytes = 1_000_000;

/**
 * Capabilities and directories as an Aggregation Proxy has them. A server that is behind itself, by way of another, is asked
 * for its own documents only, so that two servers can be behind each other.
 */
export function mergingMaker(options: MergeOptions): MergingMaker {
  const { upstreams, maker } = options;
  const merge = mergers(options);
  return (asker) => {
    if (upstreams.routes.length === 0 || isLoop(asker.headers, upstreams.pseudonym)) return maker;
    const ask: Ask = (upstream, document) => askUpstream(upstreams, asker, upstream, document);
    return async (generated, selector) => {
      const { auid } = selector;
      if (auid === capabilitiesAuid && generated.from === 'usages') {
        return madeDocument(generated.generate(await merge.usages(ask, selector)));
      }
      const own = await maker(generated, selector);
      const isDirectory = auid === directoryAuid && generated.from === 'home';
      return isDirectory ? merge.directory(ask, selector, own) : own;
    };
  };
}

function mergers({ upstreams, usages }: MergeOptions) {
  /** What each upstream said last: a usage does not go from the capabilities while its server restarts. */
  const known = new Map<UpstreamRoute, Capabilities>();
  const servers = distinctServers(upstreams);
  const isHere = (auid: string) => routeOf(upstreams, auid) === undefined;
  const isAt = (server: UpstreamRoute, auid: string) => {
    const route = routeOf(upstreams, auid);
    return route !== undefined && isSame(route, server);
  };

  /** The usages that are there for certain, or were the last time. */
  const auidsAt = (server: UpstreamRoute): Set<string> => {
    const named = upstreams.routes.flatMap((route) => ('auid' in route ? [route.auid] : []));
    const auids = [...named, ...(known.get(server)?.auids ?? [])];
    return new Set(auids.filter((auid) => isAt(server, auid)));
  };

  async function capabilitiesOf(
    ask: Ask,
    server: UpstreamRoute,
    selector: DocumentSelector,
  ): Promise<Capabilities> {
    const { body } = await ask(server, selector);
    const read = body && readCapabilities(body);
    if (read !== undefined) known.set(server, read);
    const { extensions = [], namespaces = [] } = known.get(server) ?? {};
    return { auids: [...auidsAt(server)], extensions, namespaces };
  }

  async function foldersOf(ask: Ask, server: UpstreamRoute, selector: DocumentSelector): Promise<Folder[]> {
    const { status, body } = await ask(server, selector);
    const folders = body && readFolders(body);
    if (folders !== undefined) return folders.filter(({ auid }) => isAt(server, auid));
    // What is no directory is no answer.
    return errorFolders(server, status === 200 ? 502 : status);
  }

  /** Which usages an upstream has that has never answered is only known as far as the configuration or this server says it. */
  function errorFolders(server: UpstreamRoute, status: number): Folder[] {
    const own = usages.map(({ auid }) => auid).filter((auid) => isAt(server, auid));
    const auids = auidsAt(server);
    return [...(known.has(server) ? auids : new Set([...auids, ...own]))].map((auid) =>
      folderWithError(auid, status),
    );
  }

  return {
    async usages(ask: Ask, selector: DocumentSelector): Promise<ServedUsage[]> {
      const others = await Promise.all(servers.map((server) => capabilitiesOf(ask, server, selector)));
      return [...usages.filter(({ auid }) => isHere(auid)), ...others.flatMap(asServedUsages)].sort((a, b) =>
        a.auid < b.auid ? -1 : 1,
      );
    },
    async directory(ask: Ask, selector: DocumentSelector, own: StoredDocument): Promise<StoredDocument> {
      const others = await Promise.all(servers.map((server) => foldersOf(ask, server, selector)));
      const merged = mergeDirectory(own.tree(), isHere, others.flat());
      if (merged !== undefined) return merged;
      const errors = servers.flatMap((server) => errorFolders(server, 502));
      return mergeDirectory(own.tree(), isHere, errors) ?? own;
    },
  };
}

function distinctServers({ routes }: Upstreams): UpstreamRoute[] {
  return routes.filter((route, i) => routes.findIndex((other) => isSame(other, route)) === i);
}

function isSame(a: UpstreamRoute, b: UpstreamRoute): boolean {
  return a.origin === b.origin && a.path === b.path;
}

async function askUpstream(
  { client, pseudonym }: Upstreams,
  { principal, headers, log }: Asker,
  { origin, path }: UpstreamRoute,
  document: DocumentSelector,
): Promise<Answer> {
  const deadline = Date.now() + timeoutMilliseconds;
  try {
    const answer = await client.request({
      origin,
      path: `${path}/${encodeDocumentSelector(document)}`,
      method: 'GET',
      headers: [
        ...['X-3GPP-Asserted-Identity', assertedIdentities(principal.xuis)],
        ...['Via', viaHeader(headers.via, { pseudonym, httpVersion: '1.1' })],
      ],
      timeoutMilliseconds,
    });
    const { statusCode, body } = answer;
    if (statusCode !== 200) {
      await body.dump();
      if (statusCode !== 404) log.warn({ upstream: origin, status: statusCode }, 'an upstream refused');
      // The client is not the one who could do something about that.
      return { status: statusCode === 401 || statusCode === 407 ? 502 : statusCode, body: undefined };
    }
    return { status: 200, body: await readAll(body, deadline) };
  } catch (error) {
    log.warn({ err: error, upstream: origin }, 'an upstream did not answer');
    return { status: error instanceof UpstreamFailure ? error.status : 502, body: undefined };
  }
}

/** @throws where it is too much or takes too long. */
async function readAll(
  body: AsyncIterable<unknown> & { destroy(): unknown },
  deadline: number,
): Promise<Buffer> {
  const timer = setTimeout(() => void body.destroy(), Math.max(0, deadline - Date.now()));
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('a chunk has no bytes');
      bytes += chunk.length;
      if (bytes > maximalBytes) throw new RangeError('the answer is too long');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
  }
}
