/** Bodies in crumbs, and requests whose answers nobody reads. */
import { connect } from 'node:net';
import t from 'tap';
import { exchange } from '../fixtures/raw-socket.js';
import { startServer } from '../fixtures/xcap-server.js';

const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const identity = 'X-3GPP-Asserted-Identity: sip:alice@example.com\r\n';
const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
const put = `PUT ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/resource-lists+xml\r\n`;

function crumbs(text: string): string {
  return text.replace(/./g, (character) => `1\r\n${character}\r\n`);
}

t.test('a body in pieces', async (t) => {
  const { port } = await startServer(t);
  const chunked = `${put}${identity}Transfer-Encoding: chunked\r\n\r\n`;
  const small = await exchange(port, [`${chunked}${crumbs(list)}0\r\n\r\n`], /\r\n\r\n/);
  t.match(small, /^HTTP\/1.1 201 /, 'some are as good as one');
  const many = await exchange(port, [chunked + crumbs('a'.repeat(20_000))], /pieces/);
  t.match(many, /^HTTP\/1.1 400 [^]*connection: close\r\n[^]*too many pieces/i);
  const stranger = await exchange(
    port,
    [`${put}Transfer-Encoding: chunked\r\n\r\n${crumbs('a'.repeat(20_000))}`],
    /never/,
  ).catch((error: unknown) => String(error));
  t.match(stranger, /^HTTP\/1.1 401 |ECONNRESET/, 'the rest of what a stranger sends is not read for ever');
});

t.test('requests that come before the answer to the last one are served in turn', async (t) => {
  const { port, send } = await startServer(t);
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${identity}\r\n`;
  const body = (name: string) => list.replace('/>', `><list name="${name}"/></resource-lists>`);
  const write = (name: string) =>
    `${put}${identity}Content-Length: ${String(body(name).length)}\r\n\r\n${body(name)}`;
  const answers = await exchange(
    port,
    [write('a') + get(target) + write('b') + get(target) + get('/elsewhere')],
    / 404 [^]*\r\n\r\n/,
  );
  t.same(
    [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status),
    ['201', '200', '200', '200', '404'],
  );
  t.match(answers, /name="a"[^]*name="b"/);

  const large = list.replace('/>', `><!--${'x'.repeat(900_000)}--></resource-lists>`);
  await send('PUT', target, { body: large });
  const greedy = connect(port, '127.0.0.1');
  greedy.pause();
  const ended = new Promise((resolve) => greedy.on('close', resolve));
  greedy.on('error', () => undefined).write(get(target).repeat(200));
  t.equal((await send('GET', target, { as: 'sip:alice@example.com' })).status, 200, 'others are served');
  greedy.resume();
  await ended;
  t.pass('who sends hundreds ahead is closed');
});
