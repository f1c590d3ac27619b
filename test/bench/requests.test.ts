/** What is made sure of before another server is measured. The other servers here are small ones that keep what is put. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { materials } from '../../bench/material.js';
import { differences, putDocuments, type XcapTarget } from '../../bench/requests.js';

const material = materials['resource-lists'];
if (material === undefined) throw new Error('There are no resource lists.');
const [element] = material.elements;

interface Habits {
  /** What it makes of a document when an element is replaced. */
  readonly rewrites?: (document: string) => string;
  readonly refuses?: 'PUT';
}

interface Served {
  readonly target: XcapTarget;
  readonly documents: ReadonlyMap<string, string>;
  readonly close: () => Promise<void>;
}

/** A server of documents that have only the one element of the material. */
async function serve(t: Test, { rewrites = (document) => document, refuses }: Habits): Promise<Served> {
  const documents = new Map<string, string>();
  const server = createServer((request, response) => {
    const [path = '', node] = (request.url ?? '').split('/~~/');
    void text(request).then((body) => {
      const document = documents.get(path) ?? '';
      const current = material?.elements.find((one) => document.includes(one)) ?? element;
      if (request.method === refuses) response.statusCode = 403;
      else if (request.method === 'GET') response.write(node === undefined ? document : current);
      else documents.set(path, node === undefined ? body : rewrites(document.replace(current, body)));
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  t.teardown(close);
  const { port } = server.address() as AddressInfo;
  if (material === undefined) throw new Error('There are no resource lists.');
  return {
    target: { origin: `http://127.0.0.1:${port}`, rootPath: '/other/root', material },
    documents,
    close,
  };
}

t.test('documents are put below the root of the other server', async (t) => {
  const { target, documents } = await serve(t, {});
  await putDocuments(target, 2);
  t.strictSame(
    [...documents.keys()],
    [0, 1].map((i) => `/other/root/resource-lists/users/sip:subscriber${i}@ims.example.com/index`),
  );
});

t.test('a server that keeps the bytes', async (t) => {
  const { target, documents } = await serve(t, {});
  t.strictSame(await differences(target), []);
  t.strictSame([...documents.values()], [target.material.documents[0]], 'the document is what it was');
});

t.test('a server that rewrites documents', async (t) => {
  const { target } = await serve(t, { rewrites: (document) => document.replaceAll('\n', '') });
  t.strictSame(await differences(target), [
    'GET document after PUT element',
    'GET element after PUT element',
  ]);
});

t.test('a server that refuses', async (t) => {
  const { target } = await serve(t, { refuses: 'PUT' });
  await t.rejects(putDocuments(target, 1), { message: /^PUT http:.*\/index: 403$/ });
});

t.test('no server', async (t) => {
  const { target, close } = await serve(t, {});
  await close();
  await t.rejects(putDocuments(target, 1), { message: `${target.origin} cannot be reached.` });
});
