/** What is measured: requests to the server and, beside them, what they are compared with. */
import type { DatabaseLoad } from './database-load.js';
import type { Statement } from './database-messages.js';
import { runChangingLoad } from './changing-load.js';
import { runHttpLoad, type HttpRequest } from './http-load.js';
import type { Material } from './material.js';
import { digestLogin, digestSubscriber } from './digest.js';
import {
  differences,
  getDocument,
  getElement,
  identityHeader,
  passes,
  putDocument,
  putDocuments,
  putElement,
  xuiOf,
  type MakeRequest,
  type XcapTarget,
} from './requests.js';
import type { Server, XcapServer } from './servers.js';
import type { Run } from './statistics.js';

/** Something that is done over and over. */
export interface Figure {
  readonly name: string;
  readonly connections: number;
  /** Whose processor time counts as that of whoever answers, with what descends from them. */
  readonly answerers: readonly number[];
  /** From whom the processes of PostgreSQL descend. */
  readonly databases: readonly number[];
  /** What is done before each measurement and is no part of it. */
  prepare?(): Promise<void>;
  run(seconds: number): Promise<Run>;
}

/** How a figure compares with another of as many connections. */
export interface Comparison {
  readonly name: string;
  readonly with: string;
  readonly target?: number;
}

export const connectionCounts = [1, 32] as const;
export const mostConnections = Math.max(...connectionCounts);

export const comparisons: readonly Comparison[] = [
  { name: 'GET document', with: 'bare document', target: 0.25 },
  { name: 'GET element', with: 'bare element', target: 0.25 },
  { name: 'PUT document', with: 'UPDATE', target: 0.25 },
  { name: 'PUT element', with: 'UPDATE', target: 0.25 },
  { name: 'GET document', with: 'peer GET document' },
  { name: 'GET element', with: 'peer GET element' },
  { name: 'PUT document', with: 'peer PUT document' },
  { name: 'PUT element', with: 'peer PUT element' },
  { name: 'GET document', with: 'SELECT' },
  { name: 'GET document, digest', with: 'GET document, asserted', target: 0.7 },
  { name: 'GET element, digest', with: 'GET element, asserted', target: 0.7 },
  { name: 'PUT document, digest', with: 'PUT document, asserted', target: 0.7 },
  { name: 'PUT element, digest', with: 'PUT element, asserted', target: 0.7 },
  { name: 'PUT element of one document', with: 'UPDATE of one row' },
];

/** Another XCAP server, which was there before. */
export interface Peer {
  readonly target: XcapTarget;
  /** The process from which all of its processes descend, where it is known. */
  readonly pid: number | undefined;
}

export interface Participants {
  readonly xcap: XcapServer;
  readonly peer: Peer | undefined;
  readonly bare: Server;
  readonly database: DatabaseLoad;
  readonly material: Material;
  /** Subscribers for each connection. */
  readonly subscribers: number;
}

/** In the order of a round: what is compared runs one right after the other. */
export function listFigures(participants: Participants): Figure[] {
  const own = connectionCounts.flatMap((connections) => {
    const owners = Array.from({ length: connections }, (_, i) => subscribersOf(participants, i));
    return [
      bareFigure(participants, 'document', connections),
      xcapFigure(participants, 'GET document', owners, getDocument),
      ...peerFigures(participants, 'GET document', owners, getDocument),
      ...digestFigures(participants, 'GET document', owners, getDocument),
      bareFigure(participants, 'element', connections),
      xcapFigure(participants, 'GET element', owners, getElement),
      ...peerFigures(participants, 'GET element', owners, getElement),
      ...digestFigures(participants, 'GET element', owners, getElement),
      sqlFigure(participants, 'SELECT', owners),
      xcapFigure(participants, 'PUT document', owners, putDocument),
      ...peerFigures(participants, 'PUT document', owners, putDocument),
      ...digestFigures(participants, 'PUT document', owners, putDocument),
      sqlFigure(participants, 'UPDATE', owners),
      xcapFigure(participants, 'PUT element', owners, putElement),
      ...peerFigures(participants, 'PUT element', owners, putElement),
      ...digestFigures(participants, 'PUT element', owners, putElement),
    ];
  });
  const everybodyOnOne = Array.from({ length: mostConnections }, () => [0]);
  return [
    ...own,
    xcapFigure(participants, 'PUT element of one document', everybodyOnOne, putElement),
    sqlFigure(participants, 'UPDATE', everybodyOnOne, 'UPDATE of one row'),
  ];
}

/** The subscribers that one connection acts for, one request after the other. */
function subscribersOf({ subscribers }: Participants, connection: number): number[] {
  return Array.from({ length: subscribers }, (_, i) => connection * subscribers + i);
}

function xcapFigure(
  { xcap, material }: Participants,
  name: string,
  owners: readonly (readonly number[])[],
  request: MakeRequest,
): Figure {
  const target = targetOf(xcap, material);
  const requests = requestsOf(target, owners, request);
  return {
    name,
    connections: owners.length,
    answerers: [xcap.pid],
    databases: [process.pid],
    run: (seconds) => runHttpLoad(target.origin, requests, seconds),
  };
}

/** The same requests to the peer, if there is one. */
function peerFigures(
  { peer }: Participants,
  name: string,
  owners: readonly (readonly number[])[],
  request: MakeRequest,
): Figure[] {
  if (peer === undefined) return [];
  const { target, pid } = peer;
  const requests = requestsOf(target, owners, request);
  return [
    {
      name: `peer ${name}`,
      connections: owners.length,
      answerers: pid === undefined ? [] : [pid],
      databases: pid === undefined ? [] : [pid],
      // What it made of the documents before is nothing that it should be slowed down by.
      prepare: () => putDocuments(target, owners.flat().length),
      run: (seconds) => runHttpLoad(target.origin, requests, seconds),
    },
  ];
}

function targetOf({ port }: Server, material: Material): XcapTarget {
  return { origin: originOf(port), rootPath: '/xcap-root', material };
}

function originOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** What each connection sends. */
function requestsOf(
  target: XcapTarget,
  owners: readonly (readonly number[])[],
  request: MakeRequest,
): HttpRequest[][] {
  return owners.map((subscribers) =>
    passes.flatMap((pass) => subscribers.map((one) => request(target, one, pass))),
  );
}

/** The same from clients who log in themselves, each of them once on his connection, and without that for comparison. */
function digestFigures(
  { xcap, material }: Participants,
  name: string,
  owners: readonly (readonly number[])[],
  request: MakeRequest,
): Figure[] {
  const target = targetOf(xcap, material);
  const figure = (way: string, requests: () => HttpRequest[][]): Figure => ({
    name: `${name}, ${way}`,
    connections: owners.length,
    answerers: [xcap.pid],
    databases: [process.pid],
    run: (seconds) => runChangingLoad(xcap.port, requests(), seconds),
  });
  return [
    figure('asserted', () => requestsOf(target, owners, request)),
    figure('digest', () =>
      owners.map((subscribers) => {
        const logins = subscribers.map((one) => ({ one, login: digestLogin(xuiOf(one)) }));
        return passes.flatMap((pass) =>
          logins.map(({ one, login }) => ({ ...withoutIdentity(request(target, one, pass)), login })),
        );
      }),
    ),
  ];
}

function withoutIdentity(request: HttpRequest): HttpRequest {
  const others = Object.entries(request.headers).filter(([name]) => name !== identityHeader);
  return { ...request, headers: Object.fromEntries(others) };
}

function bareFigure({ bare }: Participants, route: string, connections: number): Figure {
  const request: HttpRequest = { method: 'GET', path: `/${route}`, headers: {} };
  const requests = Array.from({ length: connections }, () => [request]);
  return {
    name: `bare ${route}`,
    connections,
    answerers: [bare.pid],
    databases: [process.pid],
    run: (seconds) => runHttpLoad(originOf(bare.port), requests, seconds),
  };
}

function sqlFigure(
  { database }: Participants,
  statement: Uppercase<Statement>,
  owners: readonly (readonly number[])[],
  name: string = statement,
): Figure {
  return {
    name,
    connections: owners.length,
    answerers: database.pids,
    databases: [process.pid],
    run: (seconds) => database.run(statement.toLowerCase() as Statement, owners, seconds),
  };
}

/** @throws where one of them is refused. */
async function makeSubscribers({ xcap, subscribers }: Participants): Promise<void> {
  const all = Array.from({ length: subscribers * mostConnections }, (_, i) => digestSubscriber(xuiOf(i)));
  const response = await fetch(`http://127.0.0.1:${xcap.managementPort}/api/v1/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: all.join('\n'),
  });
  const outcome = await response.text();
  if (!response.ok || outcome.includes('"error"'))
    throw new Error(`The import failed: ${outcome.slice(0, 500)}`);
}

/**
 * Makes all subscribers and documents, and makes sure that the figures will measure what they say.
 *
 * @returns a sentence about what the peer answers other than what was put.
 * @throws where the server does not answer with the very bytes that the bare routes have.
 */
export async function prepareDocuments(participants: Participants): Promise<string[]> {
  const { xcap, peer, material, subscribers } = participants;
  await makeSubscribers(participants);
  await putDocuments(targetOf(xcap, material), subscribers * mostConnections);
  const own = await differences(targetOf(xcap, material));
  if (own.length > 0) throw new Error(`The server does not answer with what was put: ${own.join(', ')}.`);
  if (peer === undefined) return [];
  await putDocuments(peer.target, subscribers * mostConnections);
  const others = await differences(peer.target);
  return others.length === 0
    ? ['The peer answers with the very bytes that were put.']
    : [`The peer answers with other bytes than were put: ${others.join(', ')}.`];
}
