/** One line and one count for each request of the XCAP listener: whose, by whom, on what, and why it was refused. */
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { routeName } from '../aggregation/proxy.js';
import type { UpstreamRoute } from '../config/upstreams.js';
import type { Identified } from '../identity/principal.js';
import type { RequestHistory } from '../subscribers/request-history.js';
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
  readonly requests: RequestHistory;
}

/** Beyond so many questions at a time, lines have the identity of the URL, and are not remembered. */
const maximalQuestions = 64;

/** Records requests that were answered. Whose document it is may have to be asked for; nobody waits for that. */
export function requestLog({ metrics, directory, requests }: RequestLogOptions) {
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

  /** Most who ask ask for what is theirs. */
  async function subscriberWhoAsks(known: Progress, owner: Xui | undefined): Promise<Xui | undefined> {
    const asker = askerOf(known);
    if (asker === undefined) return undefined;
    return owner !== undefined && known.principal?.xuis.includes(owner) === true
      ? owner
      : subscriberOf(asker);
  }

  async function write(known: Progress, answer: Answer, log: FastifyBaseLogger): Promise<void> {
    const { at, status, method, resource, milliseconds, peer } = answer;
    const owner = known.document ?? known.uri?.document;
    const subscriber = owner?.tree === 'users' ? await ownerOf(known, owner.xui) : undefined;
    const facts = {
      asker: askerOf(known),
      role: known.principal?.role,
      scheme: known.login.scheme,
      reason: known.login.reason,
      method,
      ...selectors(known, subscriber),
      ...refusal(known, status),
      milliseconds,
      peer,
    };
    const shownOwner = subscriber ?? (owner?.tree === 'users' ? shownSegment(owner.xui) : undefined);
    log.info({ subscriber: shownOwner, resource, status, ...facts }, 'request');
    if (!requests.isOn) return;
    const askerSubscriber = await subscriberWhoAsks(known, subscriber);
    const whose = owner?.tree === 'users' ? subscriber : askerSubscriber;
    if (whose === undefined) return;
    requests.remember({ subscriber: whose, askerSubscriber, at: at.toISOString(), status, ...facts });
  }

  /** What is resolved already needs no question. */
  async function ownerOf({ document }: Progress, identity: Xui): Promise<Xui | undefined> {
    return document?.tree === 'users' ? document.xui : subscriberOf(identity);
  }

  return (request: FastifyRequest, reply: FastifyReply, known: Progress): void => {
    const { uri, usage, route, condition } = known;
    const { method } = request;
    const status = reply.statusCode;
    const seconds = reply.elapsedTime / 1000;
    const resource = uri === undefined ? 'none' : resourceKind(uri);
    metrics.record({
      method,
      usage: route === undefined ? (usage?.usage.auid ?? '') : routeName(route),
      resource,
      status,
      seconds,
      conflict: condition,
      login: known.login,
    });
    const milliseconds = Math.round(seconds * 1e6) / 1000;
    const peer = request.socket.remoteAddress;
    void write(known, { at: new Date(), status, method, resource, milliseconds, peer }, request.log);
  };
}

/** What is no longer there when the line is written. */
interface Answer {
  readonly at: Date;
  readonly status: number;
  readonly method: string;
  readonly resource: string;
  readonly milliseconds: number;
  readonly peer: string | undefined;
}

function askerOf({ principal, identified }: Progress): Xui | undefined {
  return principal?.xuis[0] ?? identified?.identities[0];
}

function selectors({ uri, document = uri?.document }: Progress, subscriber: Xui | undefined) {
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
