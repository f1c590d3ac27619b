/** One line and one count for each request of the XCAP listener: whose, by whom, on what, and why it was refused. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { routeName } from '../aggregation/proxy.js';
import type { UpstreamRoute } from '../config/upstreams.js';
import type { Identified } from '../identity/principal.js';
import type { SubscriberDirectory } from '../subscribers/subscriber.js';
import { resourceKind } from '../xcap/resource.js';
import type { DocumentSelector, Principal, Xui } from '../xcap/terms.js';
import type { XcapUri } from '../xcap/uri/uri.js';
import type { LoadedUsage } from '../xcap/usage/loaded-usage.js';
import type { Login } from './identification.js';
import type { Metrics } from './metrics.js';
import { shownNode, shownPath, shownSegment, shownSentence } from './shown-selector.js';

/** What is known of a request so far. */
export interface Progress {
  readonly login: Login;
  uri: XcapUri | undefined;
  usage: LoadedUsage | undefined;
  /** Where another server keeps the documents of the usage. */
  route: UpstreamRoute | undefined;
  /** Who asks, where that is known before the body is. */
  identified: Identified | undefined;
  principal: Principal | undefined;
  /** The document below the XUI of the subscriber. */
  document: DocumentSelector | undefined;
  condition: string | undefined;
  sentence: string | undefined;
}

export function nothingKnown(): Progress {
  return {
    login: { scheme: undefined, outcome: undefined, reason: undefined },
    uri: undefined,
    usage: undefined,
    route: undefined,
    identified: undefined,
    principal: undefined,
    document: undefined,
    condition: undefined,
    sentence: undefined,
  };
}

export interface RequestLogOptions {
  readonly metrics: Metrics;
  readonly directory: Pick<SubscriberDirectory, 'withIdentity'>;
}

/** Beyond so many questions at a time, lines have the identity of the URL. */
const maximalQuestions = 64;

/** Records requests that were answered. Whose document it is may have to be asked for; nobody waits for that. */
export function requestLog({ metrics, directory }: RequestLogOptions) {
  let questions = 0;

  async function subscriberOf(identity: Xui): Promise<Xui | undefined> {
    if (questions >= maximalQuestions) return undefined;
    questions++;
    try {
      return (await directory.withIdentity(identity))?.xui;
    } catch {
      return undefined;
    } finally {
      questions--;
    }
  }

  return (request: FastifyRequest, reply: FastifyReply, known: Progress): void => {
    const { uri, usage, route, condition, document } = known;
    const resource = uri === undefined ? 'none' : resourceKind(uri);
    const seconds = reply.elapsedTime / 1000;
    metrics.record({
      method: request.method,
      usage: route === undefined ? (usage?.usage.auid ?? '') : routeName(route),
      resource,
      status: reply.statusCode,
      seconds,
      conflict: condition,
    });
    const peer = request.socket.remoteAddress;
    const write = (subscriber: Xui | undefined) => {
      const milliseconds = Math.round(seconds * 1e6) / 1000;
      const { statusCode: status } = reply;
      const line = { ...askedBy(known), method: request.method, ...askedFor(known, subscriber), resource };
      request.log.info(
        { subscriber, ...line, status, ...refusal(known, status), milliseconds, peer },
        'request',
      );
    };
    const owner = document ?? uri?.document;
    if (owner?.tree !== 'users') write(undefined);
    else if (document !== undefined) write(owner.xui);
    else void subscriberOf(owner.xui).then((xui) => write(xui ?? shownSegment(owner.xui)));
  };
}

function askedBy({ principal, identified, login: { scheme, reason } }: Progress) {
  return { asker: principal?.xuis[0] ?? identified?.identities[0], role: principal?.role, scheme, reason };
}

function askedFor({ uri, document = uri?.document }: Progress, subscriber: Xui | undefined) {
  if (document === undefined) return {};
  const { auid, tree, path } = document;
  const home = tree === 'users' ? [auid, tree, subscriber ?? document.xui] : [auid, tree];
  const node = uri?.node?.selector;
  return {
    document: shownPath([...home, ...path]),
    node: node === undefined ? undefined : shownNode(node),
  };
}

function refusal({ condition, sentence }: Progress, status: number) {
  return status < 400 || sentence === undefined ? {} : { condition, sentence: shownSentence(sentence) };
}
