/** Bodies as bytes. One that comes in crumbs costs much more than the bytes in it: it is refused. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../xcap/refusal.js';

/** Clients send kilobytes at a time. */
const maximalPieces = 10_000;
const firstBytes = 16 * 1024;

/** Nothing that comes after it on its connection is read. */
export class BodyInCrumbs extends Refusal {
  constructor() {
    super(400, 'The body comes in too many pieces; send more than a few bytes at a time.');
  }
}

/** Takes bodies of all media types, and no others. */
export function acceptBodies(listener: FastifyInstance, maximalBytes: number): void {
  listener.removeAllContentTypeParsers();
  listener.addContentTypeParser('*', (_request: FastifyRequest, payload: IncomingMessage) =>
    collect(payload, maximalBytes),
  );
}

/** Copies what comes: a piece is a view of all that was read at a time. @throws Refusal 400, 413 */
function collect(payload: IncomingMessage, maximalBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let body: Buffer = Buffer.allocUnsafe(firstBytes);
    let length = 0;
    let pieces = 0;
    const settle = (error: Error | undefined) => {
      payload.off('data', take).off('end', end).off('error', settle);
      if (error === undefined) resolve(body.subarray(0, length));
      else reject(error);
    };
    const end = () => settle(undefined);
    const take = (piece: Buffer) => {
      pieces++;
      if (length + piece.length > maximalBytes) {
        settle(new Refusal(413, `The body has more than ${String(maximalBytes)} bytes.`));
        return;
      }
      if (pieces > maximalPieces) {
        settle(new BodyInCrumbs());
        return;
      }
      if (length + piece.length > body.length) body = enlarged(body, length, length + piece.length);
      length += piece.copy(body, length);
    };
    payload.on('data', take).on('end', end).on('error', settle);
  });
}

function enlarged(body: Buffer, length: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(2 * body.length, needed));
  body.copy(larger, 0, 0, length);
  return larger;
}

/** What comes of a body behind a refusal is dropped, but not for ever. */
export function dropRest(request: IncomingMessage): void {
  if (request.complete) return;
  let pieces = 0;
  request.on('data', () => {
    pieces++;
    if (pieces > maximalPieces) request.destroy();
  });
}
