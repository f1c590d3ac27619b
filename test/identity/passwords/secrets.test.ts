import t from 'tap';
import { digestSecretsFor, ha1, hashPassword, isPassword } from '../../../src/identity/passwords/secrets.js';

const cheap = { logarithmicCost: 4, blockSize: 8, parallelization: 1 };

t.test('HA1', (t) => {
  t.equal(
    ha1('Mufasa', 'http-auth@example.org', 'Circle of Life', 'MD5'),
    '3d78807defe7de2157e2b0b6573a855f',
  );
  t.equal(
    ha1('Mufasa', 'http-auth@example.org', 'Circle of Life', 'SHA-256'),
    '7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232',
  );
  t.end();
});

t.test('the names by which a subscriber logs in', (t) => {
  const subscriber = {
    xui: 'sip:alice@example.com',
    identities: ['sip:alice@example.com', 'sip:+15550100001@ims.example.com;user=phone', 'tel:+15550100001'],
    impi: 'alice@private.example.com',
  };
  const secrets = digestSecretsFor(subscriber, ['xcapd', 'example.com'], 'secret');
  const names = (realm: string) =>
    secrets.filter((one) => one.realm === realm && one.algorithm === 'MD5').map(({ username }) => username);
  const everywhere = [
    'alice@example.com',
    'sip:alice@example.com',
    '+15550100001@ims.example.com',
    'sip:+15550100001@ims.example.com',
    'sip:+15550100001@ims.example.com;user=phone',
    'tel:+15550100001',
    'alice@private.example.com',
  ];
  t.same(new Set(names('example.com')), new Set([...everywhere, 'alice']));
  t.same(new Set(names('ims.example.com')), new Set([...everywhere, '+15550100001']));
  t.same(new Set(names('xcapd')), new Set(everywhere));
  t.equal(secrets.length, 2 * (8 + 8 + 7), 'two algorithms, no name twice');
  for (const { realm, username, algorithm, ...secret } of secrets) {
    t.same(secret, { xui: subscriber.xui, ha1: ha1(username, realm, 'secret', algorithm) });
  }
  t.same(digestSecretsFor({ ...subscriber, identities: [], impi: undefined }, ['xcapd'], 'secret'), []);
  t.end();
});

t.test('password hashes', async (t) => {
  const hash = await hashPassword('Jose\u0301', cheap);
  t.match(hash, /^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  t.ok(await isPassword('Jose\u0301', hash));
  t.ok(await isPassword('Jos\u00e9', hash), 'the same text in another form');
  t.notOk(await isPassword('Jose', hash));
  t.not(await hashPassword('Jose\u0301', cheap), hash, 'salted');
  t.match(await hashPassword('a'), /^\$scrypt\$ln=15,r=8,p=3\$/);
  const byPython = '$scrypt$ln=4,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$zTo28N1fiMs3SC8Nv65DdqKvV4At2knvV1CS4UgIi0Q';
  t.ok(await isPassword('correct horse', byPython), 'hashlib.scrypt of Python makes the same');
  for (const bad of ['', 'password', '$2b$10$abc', hash.replace('ln=4', 'ln=444'), hash.slice(0, 40)]) {
    await t.rejects(isPassword('password', bad), /known form/, bad);
  }
});
