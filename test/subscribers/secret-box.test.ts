import t from 'tap';
import { secretBox, SecretsKeyError } from '../../src/subscribers/secret-box.js';
import { thrown } from '../fixtures/thrown.js';

const secret = {
  xui: 'sip:alice@example.com',
  realm: 'example.com',
  username: 'alice',
  algorithm: 'MD5',
  ha1: 'd41d8cd98f00b204e9800998ecf8427e',
} as const;

const key = Buffer.alloc(32, 1);
const box = secretBox({ secretsKey: key });
const another = secretBox({ secretsKey: Buffer.alloc(32, 2) });
const none = secretBox({ secretsKey: undefined });

t.test('what is sealed can be opened with the key', (t) => {
  const sealed = box.seal(secret, box.keyId);
  t.match(sealed, { ...secret, ha1: /^gcm:[A-Za-z0-9+/]+=*$/ });
  t.not(box.seal(secret, box.keyId).ha1, sealed.ha1, 'each time another value');
  t.same(box.open(sealed), { ha1: secret.ha1, keyId: box.keyId });
  for (const one of [box, none]) {
    t.equal(one.seal(secret, undefined), secret, 'without a key it is stored as it is');
    t.same(one.open(secret), { ha1: secret.ha1, keyId: undefined });
  }
  t.end();
});

t.test('with nothing else', (t) => {
  const sealed = box.seal(secret, box.keyId);
  const tampered = `${sealed.ha1.slice(0, -4)}AAAA`;
  t.equal(none.open(sealed), undefined, 'no key');
  t.equal(another.open(sealed), undefined, 'another key');
  t.equal(box.open({ ...sealed, ha1: tampered }), undefined, 'tampered');
  t.equal(box.open({ ...sealed, ha1: 'gcm:AAAA' }), undefined, 'too short');
  t.equal(box.open({ ...sealed, username: 'bob' }), undefined, 'of somebody else');
  t.equal(box.open({ ...sealed, xui: 'sip:bob@example.com' }), undefined, 'moved to another subscriber');
  t.end();
});

t.test('with two keys', (t) => {
  const both = secretBox({ secretsKey: key, newSecretsKey: Buffer.alloc(32, 2) });
  t.same([both.keyId, both.newKeyId], [box.keyId, another.keyId]);
  t.same(both.keyIds, [box.keyId, another.keyId]);
  for (const one of [box, another]) {
    t.same(both.open(one.seal(secret, one.keyId)), { ha1: secret.ha1, keyId: one.keyId });
    t.same(one.open(both.seal(secret, one.keyId)), { ha1: secret.ha1, keyId: one.keyId });
  }
  const twice = secretBox({ secretsKey: key, newSecretsKey: key });
  t.same([twice.keyIds, twice.newKeyId], [[box.keyId], box.keyId], 'the same twice');
  t.end();
});

t.test('the name of a key', (t) => {
  t.match(box.keyId, /^[0-9a-f]{32}$/);
  t.equal(secretBox({ secretsKey: Buffer.from(key) }).keyId, box.keyId, 'is always the same');
  t.not(another.keyId, box.keyId);
  t.equal(none.keyId, undefined);
  const error = thrown(() => another.seal(secret, box.keyId));
  t.ok(error instanceof SecretsKeyError, 'a key that is not here');
  t.match(error, { message: /XCAP_SECRETS_KEY/ });
  t.end();
});
