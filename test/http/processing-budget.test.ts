import t from 'tap';
import { processingBudget, TooMuchProcessing, usualBudget } from '../../src/http/processing-budget.js';
import type { Principal } from '../../src/xcap/terms.js';
import { startServer } from '../fixtures/xcap-server.js';

const alice: Principal = { xuis: ['sip:alice@example.com'], role: undefined, access: 'read-write' };
const bob: Principal = { ...alice, xuis: ['sip:bob@example.com'] };
const server: Principal = { ...alice, role: 'trusted-element' };

t.test('long work is paid for from an account that fills with time', (t) => {
  let now = 0;
  let computed = 0;
  const { check, spend } = processingBudget({
    freeCharacters: 1_000,
    freeMilliseconds: 5,
    burstMilliseconds: 1_000,
    share: 0.1,
    clock: () => now,
    computed: () => computed,
  });
  const work = (principal: Principal, milliseconds: number, waited = 0, characters = 1_000) =>
    spend(principal, characters, () => {
      now += milliseconds + waited;
      computed += milliseconds;
      return 'done';
    });
  const waitOf = (principal: Principal): number => {
    try {
      check(principal);
      return 0;
    } catch (error) {
      if (error instanceof TooMuchProcessing) return error.retryAfterSeconds;
      throw error;
    }
  };

  for (let i = 0; i < 1_000; i++) work(alice, 5);
  t.equal(waitOf(alice), 0, 'what is short costs nothing');
  work(alice, 5_000, 0, 999);
  t.equal(waitOf(alice), 0, 'and so does work on what is small');
  t.equal(work(alice, 900), 'done');
  t.equal(waitOf(alice), 0, 'the burst');
  work(alice, 500);
  t.equal(waitOf(alice), 4, '350 ms are owed: 900 and 500, less the burst and a tenth of the 500 since');
  t.equal(waitOf(bob), 0, 'an account for each');
  now += 3_000;
  t.equal(waitOf(alice), 1);
  now += 1_000;
  t.equal(waitOf(alice), 0);
  now += 1_000_000;
  work(alice, 1_100);
  t.equal(waitOf(alice), 1, 'no more than the burst is saved');

  work(bob, 900, 100_000);
  t.equal(waitOf(bob), 0, 'who waits for the machine does not pay for that');
  t.throws(() => spend(bob, 1_000, () => failAfter(2_000)), { message: 'refused' }, 'what fails is thrown');
  t.ok(waitOf(bob) > 0, 'and paid for');
  work(server, 100_000);
  t.equal(waitOf(server), 0, 'servers of the operator are not limited');
  t.end();

  function failAfter(milliseconds: number): never {
    now += milliseconds;
    computed += milliseconds;
    throw new Error('refused');
  }
});

t.test('who writes large documents without a pause is told to wait, and others are served', async (t) => {
  const { send } = await startServer(t, { budgetRules: { ...usualBudget, burstMilliseconds: 100 } });
  const documentOf = (user: string) => `/xcap-root/resource-lists/users/sip:${user}@example.com/index`;
  const entries = Array.from({ length: 6_000 }, (_, i) => `<entry uri="sip:${String(i)}@example.com"/>`);
  const body = `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>${entries.join('')}</list></resource-lists>`;
  let answer = await send('PUT', documentOf('alice'), { body });
  for (let i = 0; i < 500 && answer.status !== 429; i++) {
    answer = await send('PUT', documentOf('alice'), { body });
  }
  t.match(answer, {
    status: 429,
    headers: { 'retry-after': /^[1-9]\d*$/ },
    body: 'Your requests on large documents took too long in sum. Please try again later.\n',
  });
  t.equal((await send('PUT', documentOf('bob'), { as: 'sip:bob@example.com', body })).status, 201);
});

t.test('a large element in a small document is long work, too', async (t) => {
  let works = 0;
  const { send } = await startServer(t, {
    budgetRules: { ...usualBudget, computed: () => (works += 0.5) },
  });
  const list = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
  const small = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list/></resource-lists>';
  t.equal((await send('PUT', list, { body: small })).status, 201);
  t.equal(works, 0);
  const body = `<list xmlns="urn:ietf:params:xml:ns:resource-lists">${'<entry/>'.repeat(3_000)}</list>`;
  const headers = { 'content-type': 'application/xcap-el+xml' };
  t.equal((await send('PUT', `${list}/~~/resource-lists/list`, { headers, body })).status, 409);
  t.equal(works, 2, 'reading it, and judging what the document becomes');
});
