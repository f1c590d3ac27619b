import t from 'tap';
import { exchange } from '../fixtures/raw-socket.js';
import { startStubUpstream } from '../fixtures/stub-upstream.js';
import { startServer } from '../fixtures/xcap-server.js';

const document = 'users/sip:alice@example.com/simservs.xml';

const misleading = [
  `${document}/~~/../../manager/html`,
  `${document}/~~/simservs/..`,
  `${document}/~~/./simservs`,
  `${document}/~~/.`,
  `${document}/~~/%2e%2e/x`,
  `${document}/~~/.%2E/x`,
  `${document}/~~/%2E./x`,
  `${document}/~~/%2e/x`,
  `${document}/~~/..;/..;/manager/html`,
  `${document}/~~/..;a=b/x`,
  `${document}/~~/%2e%2e;/x`,
  `${document}/~~/..%3B/x`,
  `${document}/..;/..;/..;/manager/html`,
  `${document}/.;/x`,
  `users/..;/..;/manager/html`,
  `users/sip:alice@example.com;/..;/x`,
  `${document}/~~/%252e%252e/x`,
  `${document}/~~/%25252e%25252e/x`,
  `${document}/%252e%252e/x`,
  `${document}/~~/..%2fx`,
  `${document}/~~/a%2f..%2fx`,
  `${document}/~~/a%252f..%252fx`,
  `${document}/~~/a\\..\\x`,
  `${document}/~~/..\\x`,
  `${document}/~~/..%5cx`,
  `${document}/~~/a%5c%2e%2e%5cx`,
  `users/..\\..\\manager/x`,
  `${document}/~~/x%5b@a="/../b"%5D`,
  `${document}/~~/..%23`,
  `${document}/~~/..%20/x`,
  `${document}/~~/..%00/x`,
  `${document}/~~/.%09./x`,
  `${document}/~~/%c0%ae%c0%ae/x`,
  `${document}/~~/%zz`,
  `${document}/~~/..?a=b`,
];

const honest = [
  document,
  `${document}?raw`,
  `${document}/~~/simservs/communication-diversion`,
  `${document}/~~/a:simservs/b:*[@x="a..b"]/c[2]?xmlns(a=urn:a)xmlns(b=http://example.com/../b)`,
  `${document}/~~/ruleset/rule%5b@id=%22..%22%5d/@id`,
  `${document}/~~/ruleset/rule[@id="."]`,
  `${document}/~~/list%5B@name='1%25.2'%5D/entry[@uri="sip:b%2540b;user=phone@example.com"]`,
  `${document}/~~/list/external[@anchor="http://example.com/a/.b/..c;d/e."]`,
  `${document}/~~/list/entry[@uri="..;x"]`,
  'users/sip%3Aalice%40example.com/..index..',
  'users/sip:alice@example.com;a=b/.index',
  'users/sip:alice@example.com/...',
  'global/%C3%A9/~~/x[@a="%c3%a9"]',
];

t.test('what would lead an upstream elsewhere is not forwarded', async (t) => {
  const stub = await startStubUpstream(t, (_request, response) => response.end('well'));
  const { port } = await startServer(t, {
    environment: { XCAP_UPSTREAMS: `simservs=http://127.0.0.1:${stub.port}/behind` },
  });
  const ask = (method: string, target: string) =>
    exchange(
      port,
      [
        `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nX-3GPP-Asserted-Identity: sip:alice@example.com\r\n` +
          'Content-Length: 0\r\nConnection: close\r\n\r\n',
      ],
      /never/,
    );
  for (const resource of misleading) {
    for (const root of ['/xcap-root/simservs/', 'http://localhost//xcap-root//simservs/']) {
      const answer = await ask('PUT', `${root}${resource}`);
      t.match(answer, /^HTTP\/1\.1 400 /, resource);
    }
  }
  t.same(stub.requests, [], 'the upstream saw nothing');
  t.match(
    await ask('GET', `/xcap-root/simservs/${document}/~~/../x`),
    /dot segment .* Write the path without it/,
    'and it says what is wrong',
  );
  for (const resource of honest) {
    t.match(await ask('GET', `/xcap-root/simservs/${resource}`), /^HTTP\/1\.1 200 /, resource);
    t.equal(stub.requests.at(-1)?.target, `/behind/simservs/${resource}`, 'as it came');
  }
});

t.test('an AUID that begins as a routed one does not lead out of it', async (t) => {
  const stub = await startStubUpstream(t, (_request, response) => response.end('well'));
  const { port } = await startServer(t, {
    environment: { XCAP_UPSTREAMS: `org.example.*=http://127.0.0.1:${stub.port}/behind` },
  });
  for (const auid of [
    'org.example.%2F..%2F..%2Fmanager',
    'org.example.\\..\\..\\manager',
    'org.example.%5c..',
  ]) {
    const answer = await exchange(
      port,
      [
        `GET /xcap-root/${auid}/users/alice/index HTTP/1.1\r\nHost: localhost\r\n` +
          'X-3GPP-Asserted-Identity: sip:alice@example.com\r\nConnection: close\r\n\r\n',
      ],
      /never/,
    );
    t.match(answer, /^HTTP\/1\.1 400 /, auid);
  }
  t.same(stub.requests, []);
});
