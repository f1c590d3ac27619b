/** By which names this server is called (RFC 9110 §7.2), and what is refused under any other. */
import { isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../identity/peer-network.js';
import { Refusal } from '../xcap/refusal.js';

export interface OwnNames {
  /** XCAP_HOSTNAMES, in lower case. */
  readonly hostnames: readonly string[];
  /** The address or name that the listener was told to listen on. */
  readonly listenerHost: string;
}

/** What a request says of who it is for. */
export interface Addressed extends Pick<FastifyRequest, 'originalUrl' | 'headers'> {
  readonly raw: Pick<IncomingMessage, 'rawHeaders'>;
}

/**
 * A web page can have its name point to this machine, and a browser here then speaks to this server in the name of the page.
 * It cannot hide that name: what comes from this machine therefore has to call the server by one of its own.
 *
 * @throws Refusal 400, 421
 */
export function checkLocalCaller(peerAddress: string, request: Addressed, names: OwnNames): void {
  checkOneHost(request);
  if (isLoopback(peerAddress)) checkName(request, names);
}

/** Whoever calls it by another name does not mean this server. @throws Refusal 400, 421 */
export function checkCaller(request: Addressed, names: OwnNames): void {
  checkOneHost(request);
  checkName(request, names);
}

/** RFC 9112 §3.2: Node.js takes the first of several, a proxy before it perhaps the last. */
export function checkOneHost({ raw: { rawHeaders } }: Addressed): void {
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1) throw new Refusal(400, 'The request has several Host headers.');
}

/** Addresses are nobody's names, so that no page of somebody else can have one. */
export function isOwnName(host: string | undefined, { hostnames, listenerHost }: OwnNames): boolean {
  const name = hostnameOf(host);
  if (name === 'localhost' || isIP(name) !== 0) return true;
  return hostnames.includes(name) || name === listenerHost.toLowerCase();
}

/** The name in a Host header, in lower case; '' where there is none. */
export function hostnameOf(host = ''): string {
  const name = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1] ?? /^([^:]*)(?::\d*)?$/.exec(host)?.[1] ?? '';
  return name.replace(/\.$/, '').toLowerCase();
}

function checkName({ originalUrl, headers: { host } }: Addressed, names: OwnNames): void {
  // HTTP/1.0 has no Host, and no browser speaks it. Where target and header contradict each other, somebody before this server may
  // have looked at either.
  const hosts = [host, targetHost(originalUrl)].filter((one) => one !== undefined);
  if (hosts.every((one) => isOwnName(one, names))) return;
  throw new Refusal(
    421,
    'This server is not known by the host name of the request. XCAP_HOSTNAMES says by which names it is.',
  );
}

/** RFC 9112 §3.2.2: a request target in absolute form names the host itself. */
function targetHost(target: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1];
}
