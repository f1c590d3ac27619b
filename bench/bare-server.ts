/**
 * What the GETs are compared with: Fastify routes that answer with the same bytes from memory, without a log, an
 * identity or a database, by the same number of cluster workers. Arguments: port, number of workers, document type.
 */
import cluster from 'node:cluster';
import Fastify from 'fastify';
import { elementMediaType, materials } from './material.js';

const [port = '', workers = '', material = ''] = process.argv.slice(2);

if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', () => {
    if (++listening === Number(workers)) process.send?.('ready');
  });
  for (let i = 0; i < Number(workers); i++) cluster.fork();
  // The benchmark has ended, in whatever way; the workers end with their primary.
  process.on('disconnect', () => process.exit(0));
} else {
  const bodies = materials[material];
  if (bodies === undefined) throw new Error(`There is no document type ${material}.`);
  const { mediaType } = bodies;
  const [document] = bodies.documents;
  const [element] = bodies.elements;
  const app = Fastify();
  app.get('/document', (_request, reply) => reply.type(mediaType).send(document));
  app.get('/element', (_request, reply) => reply.type(elementMediaType).send(element));
  await app.listen({ host: '127.0.0.1', port: Number(port) });
}
