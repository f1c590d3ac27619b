/** The requests that XCAP servers are measured with. All servers get the same ones. */
import type { HttpRequest } from './http-load.js';
import { elementMediaType, type Material } from './material.js';

/** An XCAP server: where its requests go and what they are about. */
export interface XcapTarget {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The path of the XCAP root, without a slash at its end. */
  readonly rootPath: string;
  readonly material: Material;
}

export const passes = [0, 1] as const;
type Pass = (typeof passes)[number];

/** Every other pass over the subscribers puts other bytes, so that each PUT is a change. */
export type MakeRequest = (target: XcapTarget, subscriber: number, pass: Pass) => HttpRequest;

export const identityHeader = 'x-3gpp-asserted-identity';

export function xuiOf(subscriber: number): string {
  return `sip:subscriber${subscriber}@ims.example.com`;
}

/** The identity comes in the header of an Aggregation Proxy, as it does behind one. */
function documentRequest({ rootPath, material }: XcapTarget, subscriber: number): HttpRequest {
  const xui = xuiOf(subscriber);
  return {
    method: 'GET',
    path: `${rootPath}/${material.auid}/users/${xui}/${material.name}`,
    headers: { [identityHeader]: `"${xui}"` },
  };
}

function elementRequest(target: XcapTarget, subscriber: number): HttpRequest {
  const request = documentRequest(target, subscriber);
  return { ...request, path: `${request.path}/~~/${target.material.nodeSelector}` };
}

export const getDocument: MakeRequest = documentRequest;
export const getElement: MakeRequest = elementRequest;

export const putDocument: MakeRequest = (target, subscriber, pass) => {
  const { mediaType, documents } = target.material;
  return withBody(documentRequest(target, subscriber), mediaType, documents[pass]);
};

export const putElement: MakeRequest = (target, subscriber, pass) =>
  withBody(elementRequest(target, subscriber), elementMediaType, target.material.elements[pass]);

function withBody(request: HttpRequest, mediaType: string, body: string): HttpRequest {
  return { ...request, method: 'PUT', headers: { ...request.headers, 'content-type': mediaType }, body };
}

/** @throws where the server cannot be reached or the answer is not 2xx. */
async function send({ origin }: XcapTarget, { path, ...request }: HttpRequest): Promise<string> {
  const response = await fetch(`${origin}${path}`, request).catch((error: unknown) => {
    throw new Error(`${origin} cannot be reached.`, { cause: error });
  });
  const body = await response.text();
  if (!response.ok)
    throw new Error(`${request.method} ${origin}${path}: ${response.status} ${body}`.trimEnd());
  return body;
}

/** Makes the documents of all these subscribers, or replaces them. */
export async function putDocuments(target: XcapTarget, subscribers: number): Promise<void> {
  for (let i = 0; i < subscribers; i++) await send(target, putDocument(target, i, 0));
}

/**
 * What the server answers after a PUT of a document and after a PUT of an element. The document of subscriber 0 is what it
 * was, afterwards.
 *
 * @returns a phrase for each answer that is not byte for byte what was put.
 * @throws where any answer is not 2xx.
 */
export async function differences(target: XcapTarget): Promise<string[]> {
  const { documents, elements } = target.material;
  const found: string[] = [];
  const compare = async (after: string, pass: Pass): Promise<void> => {
    const answers = [
      { name: 'GET document', answer: await send(target, getDocument(target, 0, 0)), put: documents[pass] },
      { name: 'GET element', answer: await send(target, getElement(target, 0, 0)), put: elements[pass] },
    ];
    const others = answers.filter(({ answer, put }) => answer !== put);
    found.push(...others.map(({ name }) => `${name} after ${after}`));
  };
  await send(target, putDocument(target, 0, 0));
  await compare('PUT document', 0);
  await send(target, putElement(target, 0, 1));
  await compare('PUT element', 1);
  await send(target, putDocument(target, 0, 0));
  return found;
}
