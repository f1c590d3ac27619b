/** The examples of RFC 7616 §3.9.1. */
import t from 'tap';
import { parseDigestAuthorization } from '../../../src/identity/digest/header.js';
import { answerDigest, isEqualInConstantTime, requestDigest } from '../../../src/identity/digest/response.js';
import { ha1 } from '../../../src/identity/passwords/secrets.js';

const request = { method: 'GET', body: Buffer.alloc(0) };

for (const [algorithm, response] of [
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
] as const) {
  t.test(`§3.9.1 with ${algorithm}`, (t) => {
    const header = [
      'Digest username="Mufasa"',
      '    realm="http-auth@example.org"',
      '    uri="/dir/index.html"',
      `    algorithm=${algorithm}`,
      '    nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
      '    nc=00000001',
      '    cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"',
      '    qop=auth',
      `    response="${response}"`,
      '    opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    ].join(',\n');
    const authorization = parseDigestAuthorization(header);
    if (authorization === undefined) throw new Error('the header was not read');
    const secret = ha1('Mufasa', 'http-auth@example.org', 'Circle of Life', algorithm);
    const parameters = { ...authorization, qop: 'auth' } as const;
    t.equal(requestDigest(algorithm, secret, parameters, request), response);
    t.equal(authorization.response, response);
    t.not(answerDigest(algorithm, secret, parameters), response);
    t.end();
  });
}

t.test('the parts of a digest', (t) => {
  const parameters = { nonce: 'n', nc: '00000001', cnonce: 'c', uri: '/a', qop: 'auth-int' } as const;
  const put = { method: 'PUT', body: Buffer.from('<list/>') };
  const response = requestDigest('MD5', 'ha1', parameters, put);
  t.not(response, requestDigest('MD5', 'ha1', parameters, { ...put, body: Buffer.from('<list />') }));
  t.not(response, requestDigest('MD5', 'ha1', parameters, { ...put, method: 'DELETE' }));
  t.not(response, requestDigest('MD5', 'ha1', { ...parameters, qop: 'auth' }, put));
  t.ok(isEqualInConstantTime(response, response));
  t.notOk(isEqualInConstantTime(response, response.slice(1)));
  t.notOk(isEqualInConstantTime(response, `${response.slice(1)}g`));
  t.end();
});
