/** How many connections a listener keeps, and how many of them one peer may have. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface ConnectionLimits {
  /** Of this process. */
  readonly most: number;
  /** For whom a peer's connection is counted; undefined where it carries the requests of many (a proxy). */
  readonly peerOf: (address: string) => string | undefined;
}

/** One peer has at most this part of the connections, so that it takes several to keep everybody out. */
const fairShare = 1 / 4;
const reportEveryMilliseconds = 60_000;

/** Connections beyond the limits are closed before anything is read from them; the log says so once a minute. */
export function limitConnections(listener: FastifyInstance, { most, peerOf }: ConnectionLimits): void {
  const mostOfPeer = Math.max(1, Math.floor(most * fairShare));
  const ofPeer = new Map<string, number>();
  let open = 0;
  let refused = 0;
  let reportedAt = -Infinity;

  function refuse(socket: Socket): void {
    refused++;
    const now = performance.now();
    if (now - reportedAt > reportEveryMilliseconds) {
      listener.log.warn({ peer: socket.remoteAddress, open, refused }, 'connections were refused: too many');
      reportedAt = now;
      refused = 0;
    }
    socket.destroy();
  }

  listener.server.prependListener('connection', (socket: Socket) => {
    const peer = peerOf(socket.remoteAddress ?? '');
    const before = peer === undefined ? 0 : (ofPeer.get(peer) ?? 0);
    if (open >= most || before >= mostOfPeer) {
      refuse(socket);
      return;
    }
    open++;
    if (peer !== undefined) ofPeer.set(peer, before + 1);
    socket.once('close', () => {
      open--;
      if (peer === undefined) return;
      const left = (ofPeer.get(peer) ?? 1) - 1;
      if (left === 0) ofPeer.delete(peer);
      else ofPeer.set(peer, left);
    });
  });
}
