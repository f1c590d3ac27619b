import t from 'tap';
import { startServer } from '../fixtures/xcap-server.js';

const target = '/xcap-root/xcap-caps/global/index';

t.test('lists of identities have limits', async (t) => {
  const { send } = await startServer(t);
  const alice = '"sip:alice@example.com"';
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => `"sip:a${i}@example.com"`).join(',');
  for (const [value, status] of [
    [alice, 200],
    [many(32), 200],
    [many(33), 400],
    [`"sip:${'a'.repeat(1000)}@example.com"`, 200],
    [`"sip:${'a'.repeat(1024)}@example.com"`, 400],
    ['"sip:a%00b@example.com"', 400],
    ['"sip:a%C2%9Bb@example.com"', 400],
    ['"'.repeat(20_000), 401],
  ] as const) {
    const shown = value.slice(0, 40);
    const asserted = { 'x-3gpp-asserted-identity': value };
    t.equal((await send('GET', target, { as: null, headers: asserted })).status, status, shown);
    const intended = { 'x-3gpp-asserted-identity': alice, 'x-3gpp-intended-identity': value };
    const answer = await send('GET', target, { as: null, headers: intended });
    t.ok(
      answer.status < 500 && (status !== 400 || answer.status === 400),
      `intended ${shown}: ${answer.status}`,
    );
  }
});
