/** What is measured: requests to the server and, beside them, what they are compared with. */
import type { DatabaseLoad } from './database-load.js';
import type { Statement } from './database-messages.js';
import { runChangingLoad } from './changing-load.js';
import { runHttpLoad, type HttpRequest } from './http-load.js';
import { elementMediaType, type Material } from './material.js';
import { digestLogin, digestSubscriber } from './digest.js';
import type { Server, XcapServer } from './servers.js';
import type { Run } from './statistics.js';

/** Something that is done over and over. */
export interface Figure {
  readonly name: string;
  readonly connections: number;
  /** Whose processor time counts as that of whoever answers. */
  readonly answerers: readonly number[];
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
  { name: 'GET document', with: 'SELECT' },
  { name: 'GET document, digest', with: 'GET document, asserted', target: 0.7 },
  { name: 'GET element, digest', with: 'GET element, asserted', target: 0.7 },
  { name: 'PUT document, digest', with: 'PUT document, asserted', target: 0.7 },
  { name: 'PUT element, digest', with: 'PUT element, asserted', target: 0.7 },
  { name: 'PUT element of one document', with: 'UPDATE of one row' },
];

export interface Participants {
  readonly xcap: XcapServer;
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
      ...digestFigures(participants, 'GET document', owners, getDocument),
      bareFigure(participants, 'element', connections),
      xcapFigure(participants, 'GET element', owners, getElement),
      ...digestFigures(participants, 'GET element', owners, getElement),
      sqlFigure(participants, 'SELECT', owners),
      xcapFigure(participants, 'PUT document', owners, putDocument),
      ...digestFigures(participants, 'PUT document', owners, putDocument),
      sqlFigure(participants, 'UPDATE', owners),
      xcapFigure(participants, 'PUT element', owners, putElement),
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

const passes = [0, 1] as const;
type Pass = (typeof passes)[number];
/** Every other pass over the subscribers puts other bytes, so that each PUT is a change. */
type MakeRequest = (material: Material, subscriber: number, pass: Pass) => HttpRequest;

function xcapFigure(
  { xcap, material }: Participants,
  name: string,
  owners: readonly (readonly number[])[],
  request: MakeRequest,
): Figure {
  const requests = owners.map((subscribers) =>
    passes.flatMap((pass) => subscribers.map((one) => request(material, one, pass))),
  );
  return {
    name,
    connections: owners.length,
    answerers: [xcap.pid],
    run: (seconds) => runHttpLoad(xcap.port, requests, seconds),
  };
}

/** The same from clients who log in themselves, each of them once on his connection, and without that for comparison. */
function digestFigures(
  { xcap, material }: Participants,
  name: string,
  owners: readonly (readonly number[])[],
  request: MakeRequest,
): Figure[] {
  const figure = (way: string, requestsOf: (subscribers: readonly number[]) => HttpRequest[]): Figure => ({
    name: `${name}, ${way}`,
    connections: owners.length,
    answerers: [xcap.pid],
    run: (seconds) => runChangingLoad(xcap.port, owners.map(requestsOf), seconds),
  });
  return [
    figure('asserted', (subscribers) =>
      passes.flatMap((pass) => subscribers.map((one) => request(material, one, pass))),
    ),
    figure('digest', (subscribers) => {
      const logins = subscribers.map((one) => ({ one, login: digestLogin(xuiOf(one)) }));
      return passes.flatMap((pass) =>
        logins.map(({ one, login }) => ({ ...withoutIdentity(request(material, one, pass)), login })),
      );
    }),
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
    run: (seconds) => runHttpLoad(bare.port, requests, seconds),
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
    run: (seconds) => database.run(statement.toLowerCase() as Statement, owners, seconds),
  };
}

const identityHeader = 'x-3gpp-asserted-identity';

function xuiOf(subscriber: number): string {
  return `sip:subscriber${subscriber}@ims.example.com`;
}

/** The identity comes in the header of an Aggregation Proxy, as it does behind one. */
function documentRequest({ auid, name }: Material, subscriber: number): HttpRequest {
  const xui = xuiOf(subscriber);
  return {
    method: 'GET',
    path: `/xcap-root/${auid}/users/${xui}/${name}`,
    headers: { [identityHeader]: `"${xui}"` },
  };
}

function elementRequest(material: Material, subscriber: number): HttpRequest {
  const request = documentRequest(material, subscriber);
  return { ...request, path: `${request.path}/~~/${material.nodeSelector}` };
}

const getDocument: MakeRequest = documentRequest;
const getElement: MakeRequest = elementRequest;

const putDocument: MakeRequest = (material, subscriber, pass) =>
  withBody(documentRequest(material, subscriber), material.mediaType, material.documents[pass]);

const putElement: MakeRequest = (material, subscriber, pass) =>
  withBody(elementRequest(material, subscriber), elementMediaType, material.elements[pass]);

function withBody(request: HttpRequest, mediaType: string, body: string): HttpRequest {
  return { ...request, method: 'PUT', headers: { ...request.headers, 'content-type': mediaType }, body };
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
 * @throws where the server does not answer with the very bytes that the bare routes have.
 */
export async function prepareDocuments(participants: Participants): Promise<void> {
  const { xcap, material, subscribers } = participants;
  await makeSubscribers(participants);
  for (let i = 0; i < subscribers * mostConnections; i++) await send(xcap, putDocument(material, i, 0));
  await send(xcap, putElement(material, 0, 1));
  await send(xcap, putElement(material, 0, 0));
  const document = await send(xcap, getDocument(material, 0, 0));
  const element = await send(xcap, getElement(material, 0, 0));
  if (document !== material.documents[0] || element !== material.elements[0]) {
    throw new Error('The server does not answer with what was put.');
  }
}

async function send({ port }: Server, { path, ...request }: HttpRequest): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, request);
  const body = await response.text();
  if (!response.ok) throw new Error(`${request.method} ${path}: ${response.status} ${body}`);
  return body;
}
