import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { fairQueue } from '../../../src/identity/passwords/fair-queue.js';

t.test('who asks once does not wait for who asks for many', async (t) => {
  const queue = fairQueue({ atOnce: 2, waitingOfOne: 16, waitingOfAll: 20 });
  const order: string[] = [];
  let running = 0;
  const ask = (peer: string, name: string) =>
    queue(peer, async () => {
      t.ok(++running <= 2, 'no more than two at once');
      order.push(name);
      await turn();
      running--;
      return name;
    });
  const many = Array.from({ length: 16 }, (_, i) => ask('a', `a${i}`));
  const one = ask('b', 'b');
  t.equal(await one, 'b');
  t.ok(order.length <= 6, `it is the turn of b after ${order.join()}`);
  t.equal((await Promise.all(many)).length, 16);
});

t.test('what is too much is refused, and what fails gives its place back', async (t) => {
  const queue = fairQueue({ atOnce: 1, waitingOfOne: 2, waitingOfAll: 3 });
  let finish: () => void = () => undefined;
  const first = queue('a', () => new Promise<void>((resolve) => (finish = resolve)));
  const waiting = ['a', 'a', 'b'].map((peer) => queue(peer, () => Promise.reject(new Error('broken'))));
  for (const peer of ['a', 'b', 'c']) {
    await t.rejects(
      queue(peer, () => Promise.resolve()),
      { name: 'LoginsBusy', retryAfterSeconds: 5 },
      peer,
    );
  }
  finish();
  await first;
  for (const one of waiting) await t.rejects(one, /broken/);
  t.equal(await queue('c', () => Promise.resolve(7)), 7);
});
