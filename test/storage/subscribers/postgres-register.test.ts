import t, { type Test } from 'tap';
import { openPool } from '../../../src/storage/database.js';
import { secretBox } from '../../../src/subscribers/secret-box.js';
import { openSubscriberRegister } from '../../../src/storage/subscribers/postgres-register.js';
import type { NewSubscriber } from '../../../src/subscribers/register.js';
import { cloneDatabase, query } from '../../fixtures/database.js';

const none = { digest: [], passwordHash: undefined };

async function open(t: Test) {
  const database = await cloneDatabase(t);
  const pool = openPool(database, () => undefined);
  t.teardown(() => pool.end());
  return { register: openSubscriberRegister(pool, secretBox({ secretsKey: undefined })), database };
}

function subscriber(xui: string, more: Partial<NewSubscriber> = {}): NewSubscriber {
  return {
    xui,
    otherIdentities: [],
    impi: undefined,
    isDisabled: false,
    profile: undefined,
    quota: { documents: undefined, bytes: undefined },
    credentials: none,
    ...more,
  };
}

function secretOf(username: string) {
  return { digest: [{ realm: 'r', username, algorithm: 'MD5', ha1: 'x' } as const], passwordHash: undefined };
}

t.test('of many at once, those are made that nobody is in the way of', async (t) => {
  const { register } = await open(t);
  const outcomes = await register.create(
    [
      subscriber('sip:a', {
        otherIdentities: ['tel:1', 'tel:1', 'sip:a'],
        impi: 'a',
        credentials: secretOf('a'),
      }),
      subscriber('sip:b', { otherIdentities: ['tel:1'] }),
      subscriber('tel:1'),
      subscriber('sip:c', { impi: 'a' }),
      subscriber('sip:d', { credentials: secretOf('a') }),
      // Nothing of those who were refused is in the way.
      subscriber('sip:b', { otherIdentities: ['tel:2'] }),
    ],
    'test',
  );
  t.same(
    outcomes.map((conflict) => conflict?.code),
    [undefined, 'identity-taken', 'identity-taken', 'impi-taken', 'username-taken', undefined],
  );
  const { items } = await register.list({ after: undefined, limit: 10 }, []);
  t.same(
    items.map(({ identities }) => identities),
    [
      ['sip:a', 'tel:1'],
      ['sip:b', 'tel:2'],
    ],
  );
  t.same(await register.create([], 'test'), []);
});

t.test('of 20 who want one identity at the same time one gets it', async (t) => {
  const { register } = await open(t);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      register.create([subscriber(`sip:${i}`, { otherIdentities: ['tel:1'] })], 'test'),
    ),
  );
  t.equal(outcomes.flat().filter((conflict) => conflict === undefined).length, 1);
  await register.create([subscriber('sip:x'), subscriber('sip:y')], 'test');
  const added = await Promise.allSettled(
    ['sip:x', 'sip:y', 'sip:x', 'sip:y'].map((xui) => register.addIdentity(xui, 'tel:2', 'test')),
  );
  t.equal(added.filter(({ status }) => status === 'fulfilled').length, 1);
});

t.test('what fails leaves nothing behind', async (t) => {
  const { register, database } = await open(t);
  await register.create([subscriber('sip:a', { credentials: secretOf('a') }), subscriber('sip:b')], 'test');
  await query(
    database,
    "insert into xcapd.kept_spellings (kind, spelling, canonical) values ('claim', 'sip:gone.', 'sip:gone')",
  );
  const before = await query(database, 'select * from xcapd.audit_records order by id');
  await t.rejects(register.setCredentials('sip:b', secretOf('a'), 'test'), {
    name: 'SubscriberConflict',
    code: 'username-taken',
  });
  await t.rejects(register.update('sip:b', { isDisabled: true, impi: 'a\0b' }, [], 'test'));
  t.match(await register.read('sip:b'), { isDisabled: false });
  t.same(await query(database, 'select * from xcapd.audit_records order by id'), before);
  t.same(
    await Promise.all([
      register.update('sip:x', {}, [], 'test'),
      register.erase('sip:x', 'test'),
      register.addIdentity('sip:x', 'tel:1', 'test'),
      register.removeIdentity('sip:a', 'sip:a', [], 'test'),
      register.setCredentials('sip:x', none, 'test'),
      register.removeRole('sip:x', 'test'),
    ]),
    [false, false, false, false, false, false],
    'who is not there',
  );
  t.same(await query(database, 'select * from xcapd.audit_records order by id'), before);
});

t.test('pages', async (t) => {
  const { register } = await open(t);
  const xuis = ['sip:B', 'sip:a', 'sip:ä', 'tel:1'];
  await register.create(
    xuis.map((xui) => subscriber(xui)),
    'test',
  );
  const first = await register.list({ after: undefined, limit: 3 }, []);
  t.same(
    first.items.map(({ xui }) => xui),
    ['sip:B', 'sip:a', 'sip:ä'],
    'by their bytes',
  );
  t.equal(first.next, 'sip:ä');
  const second = await register.list({ after: first.next, limit: 3 }, []);
  t.same(
    second.items.map(({ xui }) => xui),
    ['tel:1'],
  );
  t.equal(second.next, undefined);
  const exact = await register.list({ after: undefined, limit: 4 }, []);
  t.equal(exact.next, undefined, 'a full page can be the last one');
});
