/** Headers that only a trusted proxy may send, from somebody who is none. */
import t from 'tap';
import { exchange } from '../fixtures/raw-socket.js';
import { addSubscriber } from '../fixtures/subscribers.js';
import { startServer, type TestServer } from '../fixtures/xcap-server.js';

const target = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
const proxy = '192.0.2.1';

const identities = [
  'X-3GPP-Asserted-Identity: "sip:alice@example.com"',
  'X-XCAP-Asserted-Identity: "sip:alice@example.com"',
  'X-3GPP-Intended-Identity: "sip:alice@example.com"',
];
const addresses = [
  `X-Forwarded-For: ${proxy}`,
  `X-Forwarded-For: ${proxy}, ${proxy}`,
  `Forwarded: for=${proxy};by=${proxy};proto=https`,
  `X-Real-IP: ${proxy}`,
  `True-Client-IP: ${proxy}`,
  `X-Client-IP: ${proxy}`,
  `CF-Connecting-IP: ${proxy}`,
  `Via: 1.1 ${proxy}`,
];

function request(method: string, lines: readonly string[], body = ''): string {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return [
    `${method} ${target} HTTP/1.1`,
    'Host: localhost',
    length,
    ...lines,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

/** The lines in many orders, numbers and spellings. */
function variants(lines: readonly string[]): string[][] {
  const [first = '', ...others] = lines;
  const renamed = (change: (name: string) => string) => lines.map((line) => line.replace(/^[^:]*/, change));
  const dashes = renamed((name) => name.replaceAll('-', '_'));
  return [
    [...lines],
    [...lines].reverse(),
    [...others, first],
    [...lines, ...lines, ...lines],
    renamed((name) => name.toLowerCase()),
    renamed((name) => name.toUpperCase()),
    renamed((name) =>
      name.replace(/.(.?)/g, (pair) => pair.charAt(0).toUpperCase() + pair.slice(1).toLowerCase()),
    ),
    dashes,
    [...dashes, ...lines],
    lines.map((line) => line.replace(': ', ':')),
    lines.map((line) => line.replace(': ', ': \t ')),
    lines.map((line) => line.replaceAll('"', '')),
    lines.map((line) => line.replace(proxy, `127.0.0.1, ${proxy}`)),
    lines.map((line) => line.replace(proxy, `${proxy}, 127.0.0.1`)),
    lines.map((line) => line.replace(proxy, '[::ffff:192.0.2.1]:443')),
  ];
}

async function start(t: Parameters<typeof startServer>[0]): Promise<TestServer> {
  return startServer(t, {
    environment: {
      XCAP_TRUSTED_PROXIES: `${proxy}, 2001:db8::/32`,
      XCAP_IDENTITY_METHODS: 'asserted-identity,basic,digest',
    },
  });
}

t.test('an asserted identity from anybody else gains nothing', async (t) => {
  const { port, database } = await start(t);
  await addSubscriber(database, { xui: 'sip:alice@example.com', password: 'secret' });
  const combinations = [identities, [...identities, ...addresses], [...addresses, ...identities]];
  for (const lines of combinations.flatMap(variants)) {
    const name = lines.join(' | ').slice(0, 100);
    t.equal(statusOf(await exchange(port, [request('GET', lines)], /never/)), 401, `GET ${name}`);
    t.equal(statusOf(await exchange(port, [request('PUT', lines, list)], /never/)), 401, `PUT ${name}`);
  }
});

t.test('nor does it change who is somebody by their password', async (t) => {
  const { port, database } = await start(t);
  await addSubscriber(database, { xui: 'sip:bob@example.com', password: 'secret' });
  const bob = `Authorization: Basic ${Buffer.from('bob@example.com:secret').toString('base64')}`;
  const asserted = identities.slice(0, 2);
  for (const lines of [...variants([bob, ...asserted]), ...variants([...asserted, ...addresses, bob])]) {
    const name = lines.join(' | ').slice(0, 100);
    const status = statusOf(await exchange(port, [request('PUT', lines, list)], /never/));
    // Where the header of the password was spelled in a way that is none, nobody asks.
    t.ok(status === 403 || (status === 401 && !lines.some((line) => /^authorization:/i.test(line))), name);
  }
});

t.test('a request cannot hide in another one', async (t) => {
  const { port } = await start(t);
  const hidden = `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${identities.join('\r\n')}\r\n\r\n`;
  const frames = [
    `Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `Content-Length: 4\r\nContent-Length: 0\r\n\r\n${hidden}`,
    `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
    `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `X-A: b\rX-3GPP-Asserted-Identity: "sip:alice@example.com"\r\n\r\n`,
    `X-A: b\r\n X-3GPP-Asserted-Identity: "sip:alice@example.com"\r\n\r\n`,
    `Content-Length: 0\r\n\r\n${hidden}`,
  ];
  for (const frame of frames) {
    const answer = await exchange(
      port,
      [`PUT ${target} HTTP/1.1\r\nHost: localhost\r\n${frame}`],
      /HTTP\/1\.1 4\d\d .*\r\n\r\n/s,
    );
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
    t.ok(
      statuses.length > 0 && statuses.every((status) => [400, 401].includes(status)),
      JSON.stringify(frame).slice(0, 80),
    );
  }
});

t.test(
  'the peer is the one at the other end of the connection, for the limit of failed logins, too',
  async (t) => {
    const { port } = await startServer(t, {
      environment: {
        XCAP_TRUSTED_PROXIES: proxy,
        XCAP_IDENTITY_METHODS: 'basic',
        XCAP_LOGIN_FAILURES: '3',
      },
    });
    const guess = async (i: number) => {
      const password = `Authorization: Basic ${Buffer.from(`user${i}:guess`).toString('base64')}`;
      const address = `198.51.100.${i}`;
      const lines = [password, `X-Forwarded-For: ${address}`, `Forwarded: for=${address}`, ...identities];
      return statusOf(await exchange(port, [request('GET', lines)], /never/));
    };
    for (let i = 0; i < 3; i++) t.equal(await guess(i), 401);
    for (let i = 3; i < 6; i++) t.equal(await guess(i), 429);
  },
);
