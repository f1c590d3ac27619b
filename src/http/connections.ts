/** What both listeners do with connections. */
import type { FastifyInstance } from 'fastify';

/** While the listener closes, every answer is the last one on its connection: a kept one would keep the process alive. */
export function closeConnectionsOnShutdown(listener: FastifyInstance): void {
  let isClosing = false;
  listener.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  listener.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) void reply.header('connection', 'close');
    done();
  });
}

/** Fastify logs what is no HTTP at the level trace, with its bytes; those may hold a password. */
export function forgetMalformedRequests({ server }: FastifyInstance): void {
  server.prependListener('clientError', (error: Error & { rawPacket?: Buffer }) => {
    delete error.rawPacket;
  });
}

/** A connection that cannot be accepted (EMFILE) is lost, and the others go on. */
export function surviveLostConnections(listener: FastifyInstance): void {
  listener.addHook('onListen', (done) => {
    listener.server.on('error', (error) =>
      listener.log.error({ err: error }, 'a connection was not accepted'),
    );
    done();
  });
}
