/** Who sends a body has to be known before it is read, unless the credentials cover the body. */
import t from 'tap';
import { digestAuthorization, parametersOf } from '../fixtures/digest.js';
import { exchange } from '../fixtures/raw-socket.js';
import { addSubscriber } from '../fixtures/subscribers.js';
import { startServer } from '../fixtures/xcap-server.js';

const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const list =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="l"/></resource-lists>';

t.test('strangers are refused before they have sent their bodies', async (t) => {
  const { port } = await startServer(t);
  const head = `PUT ${target} HTTP/1.1\r\nHost: localhost\r\n`;
  const refused = await exchange(port, [`${head}Content-Length: 1000000\r\n\r\n<`], /\r\n\r\n/);
  t.match(refused, /^HTTP\/1.1 401 /);
  const chunked = await exchange(port, [`${head}Transfer-Encoding: chunked\r\n\r\n1\r\n<`], /\r\n\r\n/);
  t.match(chunked, /^HTTP\/1.1 401 /);
  const asking = await exchange(
    port,
    [`${head}Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n`],
    /\r\n\r\n/,
  );
  t.match(asking, /^HTTP\/1.1 401 [^]*\r\nconnection: close\r\n/i, 'who asks first is not invited');

  const large = await exchange(
    port,
    [
      `${head}X-3GPP-Asserted-Identity: sip:alice@example.com\r\nContent-Length: 3000000\r\n\r\n`.replace(
        'resource-lists',
        'pres-rules',
      ),
    ],
    /\r\n\r\n/,
  );
  t.match(large, /^HTTP\/1.1 413 [^]*at most 262144 bytes/, 'a length that the usage does not take');

  const afterwards = await exchange(
    port,
    [
      `${head}Content-Length: ${String(list.length)}\r\n\r\n${list}`,
      { before: / 401 /, send: `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n` },
    ],
    / 401 [^]* 401 /,
  );
  t.match(afterwards, / 401 [^]* 401 /, 'the connection goes on behind a body that was dropped');
});

t.test('RFC 7616 §3.4.3: a digest over the body is checked when the body is there', async (t) => {
  const { send, database } = await startServer(t, { environment: { XCAP_IDENTITY_METHODS: 'digest' } });
  await addSubscriber(database, { xui: 'sip:alice@example.com', password: 'secret' });
  const challenge = parametersOf(
    String((await send('PUT', target, { as: null, body: list })).headers['www-authenticate']),
  );
  const authorization = digestAuthorization({
    username: 'alice',
    password: 'secret',
    method: 'PUT',
    uri: target,
    realm: 'example.com',
    nonce: challenge.nonce ?? '',
    qop: 'auth-int',
    body: list,
  });
  const put = (body: string) => send('PUT', target, { as: null, headers: { authorization }, body });
  t.equal((await put(list.replace('name="l"', 'name="m"'))).status, 401, 'another body');
  t.equal((await put(list)).status, 201);
});
