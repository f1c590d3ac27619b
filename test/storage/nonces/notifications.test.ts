import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listenToNotifications } from '../../../src/storage/nonces/notifications.js';
import { cloneDatabase, query, type TestDatabase } from '../../fixtures/database.js';
import { temporaryDirectory, until } from '../../fixtures/serve.js';

const heartbeat = { intervalMilliseconds: 100, timeoutMilliseconds: 90 };

/** The database behind a network that can fall silent, as one does whose other end lost its power. */
async function silenceable(t: Test, database: TestDatabase) {
  const host = temporaryDirectory(t);
  const connections: { incoming: Socket; outgoing: Socket }[] = [];
  const server = createServer((incoming) => {
    const outgoing = connect(join(database.host, `.s.PGSQL.${database.port}`));
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on('error', () => outgoing.destroy());
    outgoing.on('error', () => incoming.destroy());
    connections.push({ incoming, outgoing });
  });
  await new Promise<void>((resolve) => server.listen(join(host, '.s.PGSQL.5432'), resolve));
  t.teardown(() => {
    server.close();
    for (const { incoming, outgoing } of connections) [incoming, outgoing].forEach((end) => end.destroy());
  });
  return {
    address: { ...database, host, port: 5432 },
    connections,
    /** Nothing passes on the connections there are; they stay open. */
    silence() {
      for (const { incoming, outgoing } of connections) {
        incoming.unpipe();
        outgoing.unpipe();
      }
    },
  };
}

t.test('a listener notices that the other end is gone, and listens again', async (t) => {
  const database = await cloneDatabase(t);
  const network = await silenceable(t, database);
  const heard: string[] = [];
  const errors: Error[] = [];
  const listener = await listenToNotifications(
    network.address,
    'news',
    (message) => heard.push(message),
    (error) => errors.push(error),
    heartbeat,
  );
  t.teardown(() => listener.end());
  const tell = (message: string) => query(database, `notify news, '${message}'`);
  await tell('first');
  await until('the first message', () => heard.includes('first'));

  network.silence();
  await tell('lost');
  await until('it tells of it', () => errors.length > 0);
  await until('it listens again', async () => {
    await tell('second');
    return heard.includes('second');
  });
  t.match(errors, [{ message: /timeout/ }]);
  t.notOk(heard.includes('lost'));
});

t.test('a listener whose other end is gone ends', async (t) => {
  const network = await silenceable(t, await cloneDatabase(t));
  const listener = await listenToNotifications(
    network.address,
    'news',
    () => undefined,
    () => undefined,
    heartbeat,
  );
  network.silence();
  await until('the heartbeat waits for its answer, or has given up', () =>
    network.connections.some(({ incoming }) => incoming.readableLength > 0 || incoming.destroyed),
  );
  await t.resolves(listener.end());
});
