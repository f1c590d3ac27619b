/** Requests of one connection that come before the answer to the last one (RFC 9112 §9.3.2) are served one after the other. */
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Who sends more ahead has no use for the answers. */
const maximalWaiting = 64;

interface Line {
  waiting: number;
  /** Resolves when the last request in it is answered. */
  last: Promise<void>;
}

/** Otherwise who sends requests and reads no answer would have all answers made and kept. */
export function serveInTurn(listener: FastifyInstance): void {
  const lines = new WeakMap<Socket, Line>();
  const answered = new WeakMap<FastifyRequest, () => void>();
  listener.addHook('onRequest', async (request) => {
    const { socket } = request;
    const line = lines.get(socket) ?? { waiting: 0, last: Promise.resolve() };
    const before = line.last;
    line.last = new Promise((resolve) => answered.set(request, resolve));
    line.waiting++;
    lines.set(socket, line);
    if (line.waiting > maximalWaiting) socket.destroy();
    if (line.waiting > 1) await before;
  });
  listener.addHook('onResponse', (request, _reply, done) => {
    const line = lines.get(request.socket);
    if (line !== undefined) line.waiting--;
    answered.get(request)?.();
    done();
  });
}
