/** The configurations of proxies in examples/, as they stand but for ports and TLS: nobody notices a rolling restart. */
import http from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { cloneDatabase } from '../fixtures/database.js';
import { freePort } from '../fixtures/free-port.js';
import { needs, peerProgram, type Peer } from '../fixtures/peers.js';
import { serve, startProgram, temporaryDirectory, until, urlOf } from '../fixtures/serve.js';
import { addSubscriber } from '../fixtures/subscribers.js';
import type { TestContext } from '../fixtures/tap.js';

const path = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const list =
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list name="l"/></resource-lists>';
const leastRequests = 3_000;
const connections = 8;

interface Proxy {
  readonly peer: Peer & ('nginx' | 'haproxy');
  readonly file: string;
  readonly edits: (directory: string, port: number) => readonly (readonly [from: RegExp, to: string])[];
  readonly arguments: (directory: string, file: string) => readonly string[];
}

const proxies: readonly Proxy[] = [
  {
    peer: 'nginx',
    file: 'nginx.conf',
    edits: (directory, port) => [
      [/\/run\/nginx\.pid/, join(directory, 'nginx.pid')],
      [/listen 443 ssl;/, `listen 127.0.0.1:${port};`],
      [/^ *ssl_certificate.*\n/gm, ''],
    ],
    arguments: (directory, file) => [
      '-p',
      directory,
      '-c',
      file,
      '-g',
      'daemon off; error_log stderr error;',
    ],
  },
  {
    peer: 'haproxy',
    file: 'haproxy.cfg',
    edits: (_directory, port) => [[/bind :443 ssl crt \S+/, `bind 127.0.0.1:${port}`]],
    arguments: (_directory, file) => ['-db', '-f', file],
  },
];

for (const proxy of proxies) {
  t.test(`${proxy.peer}: a rolling restart of two servers`, needs(proxy.peer), async (t) => {
    const database = await cloneDatabase(t);
    await addSubscriber(database, { xui: 'sip:alice@example.com', password: 'secret' });
    const ports = await Promise.all(Array.from({ length: 5 }, freePort));
    const [first, firstManagement, second, secondManagement, proxyPort] = ports as [
      number,
      number,
      number,
      number,
      number,
    ];
    const start = (port: number, managementPort: number) =>
      serve(t, {
        DATABASE_URL: urlOf(database),
        PORT: String(port),
        ADMIN_PORT: String(managementPort),
        XCAP_WORKERS: '1',
        XCAP_IDENTITY_METHODS: 'basic',
        XCAP_HOSTNAMES: 'xcap.example.com',
      });
    const [one, two] = await Promise.all([start(first, firstManagement), start(second, secondManagement)]);
    startProxy(
      t,
      proxy,
      { 8080: first, 8081: firstManagement, 8082: second, 8083: secondManagement },
      proxyPort,
    );
    const client = clientOf(t, proxyPort);
    await until('the proxy answers', async () =>
      [200, 201].includes(await client('PUT', path, list).catch(() => 0)),
    );

    let isOver = false;
    let sent = 0;
    const failures: string[] = [];
    const load = Array.from({ length: connections }, async (_, i) => {
      while (!isOver || sent < leastRequests) {
        const number = sent++;
        const [method, target, body] =
          number % 3 === 0
            ? (['PUT', `${path}/~~/resource-lists/list/@name`, `l${i}`] as const)
            : (['GET', path] as const);
        const outcome = await client(method, target, body).catch((error: unknown) => String(error));
        if (outcome !== 200) failures.push(`${method}: ${outcome}`);
      }
    });
    await one.kill('SIGTERM');
    const again = await start(first, firstManagement);
    await until('the proxy knows the first server again', () => again.output().includes('"msg":"request"'));
    await two.kill('SIGTERM');
    await start(second, secondManagement);
    isOver = true;
    await Promise.all(load);
    t.same(failures, [], `none of ${sent} requests failed`);
    t.equal(await client('GET', '/elsewhere'), 404);
    t.equal(
      await client('GET', `${path}/~~/resource-lists/list%5B@name=%22none%22%5D`),
      404,
      'targets go on as they came',
    );
  });
}

function startProxy(
  t: TestContext,
  { peer, file, edits, arguments: argumentsFor }: Proxy,
  ports: Readonly<Record<string, number>>,
  port: number,
): void {
  const directory = temporaryDirectory(t);
  const example = readFileSync(join(packageFolder, 'examples', file), 'utf8');
  const edited = edits(directory, port).reduce(
    (text, [from, to]) => {
      if (text.search(from) < 0) throw new Error(`${String(from)} is not in ${file}`);
      return text.replace(from, to);
    },
    example.replace(/\b808[0-3]\b/g, (given) => String(ports[given])),
  );
  const configuration = join(directory, file);
  writeFileSync(configuration, edited);
  startProgram(t, {
    command: [peerProgram(peer), ...argumentsFor(directory, configuration)],
    arguments: [],
    directory,
  });
}

/** Over kept connections to the proxy, as a subscriber with a password; resolves with the status. */
function clientOf(t: TestContext, port: number) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  t.teardown(() => agent.destroy());
  const authorization = `Basic ${Buffer.from('sip:alice@example.com:secret').toString('base64')}`;
  return (method: string, target: string, body?: string): Promise<number> => {
    const type = target === path ? 'application/resource-lists+xml' : 'application/xcap-att+xml';
    const headers = {
      host: 'xcap.example.com',
      authorization,
      'x-3gpp-asserted-identity': 'sip:mallory@example.com',
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      const request = http.request(
        { agent, host: '127.0.0.1', port, method, path: target, headers },
        (response) => {
          response
            .resume()
            .on('end', () => resolve(response.statusCode ?? 0))
            .on('error', reject);
        },
      );
      request.on('error', reject).end(body);
    });
  };
}
