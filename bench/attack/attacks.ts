/** What is tried against a running server: each with a bounded number of requests. */
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { contacts, group, groupRules, repeat, resourceLists } from './shapes.js';

export interface Attack {
  readonly name: string;
  /** Says what came of it, for the report. */
  readonly strike: (port: number) => Promise<string>;
}

interface Request {
  readonly method?: string;
  readonly path: string;
  /** Who is asserted by a proxy; nobody by default. */
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function documentOf(user: string, auid = 'resource-lists'): string {
  return `/xcap-root/${auid}/users/sip:${user}@example.com/index`;
}

const mediaTypes: Readonly<Record<string, string>> = {
  'resource-lists': 'application/resource-lists+xml',
  'rls-services': 'application/rls-services+xml',
  'org.openmobilealliance.groups': 'application/vnd.oma.poc.groups+xml',
};

export const attacks: readonly Attack[] = [
  {
    name: 'long queries',
    strike: (port) =>
      times(port, 20, () => ({
        path: `${documentOf('mallory')}/~~/a?${'a'.repeat(29_900)}%C3%A9`,
        as: 'mallory',
      })),
  },
  {
    name: 'long selectors',
    strike: (port) =>
      times(port, 20, () => ({
        path: `${documentOf('mallory')}/~~/resource-lists${'/a'.repeat(15_000)}`,
        as: 'mallory',
      })),
  },
  {
    name: 'blanks in a bearer token',
    strike: (port) => times(port, 20, () => authorization(`Bearer${' '.repeat(31_000)}x y`)),
  },
  {
    name: 'parameters in a digest',
    strike: (port) =>
      times(port, 20, () => authorization(`Digest ${repeat(3_500, (i) => `a${i}=b,`)}realm="x"`)),
  },
  {
    name: 'backslash behind a long host',
    strike: (port) =>
      times(port, 5, () => ({
        method: 'PUT',
        path: documentOf('mallory', 'rls-services'),
        as: 'mallory',
        body: `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="sip:l@example.com"><resource-list>http://${'a'.repeat(150_000)}\\</resource-list><packages/></service></rls-services>`,
      })),
  },
  {
    name: 'a group of rules for all others, read by a stranger',
    strike: (port) => readGroup(port, 'chief', group(groupRules(2_700, '<ocp:other-identity/>'))),
  },
  {
    name: 'a group of rules for members, read by a stranger',
    strike: (port) =>
      readGroup(
        port,
        'captain',
        group(
          `<list>${repeat(4_000, (i) => `<entry uri="sip:u${i}@example.com"/>`)}</list>` +
            groupRules(1_500, '<is-list-member/>'),
        ),
      ),
  },
  {
    name: 'documents of nothing but errors',
    strike: (port) =>
      times(port, 10, (i) => ({
        method: 'PUT',
        path: documentOf(`errors${i % 2}`),
        as: `errors${i % 2}`,
        body: resourceLists('<entry/>'.repeat(i < 5 ? 99_990 : 19_990)),
      })),
  },
  {
    name: 'small writes to the largest document, eight at a time',
    async strike(port) {
      await send(port, { method: 'PUT', path: documentOf('writer'), as: 'writer', body: contacts(4_990) });
      return times(
        port,
        200,
        (i) => ({
          method: 'PUT',
          path: `${documentOf('writer')}/~~/resource-lists/list/@name`,
          as: 'writer',
          headers: { 'content-type': 'application/xcap-att+xml' },
          body: `l${i}`,
        }),
        8,
      );
    },
  },
  {
    name: 'more large documents than the cache holds, read in turn',
    async strike(port) {
      const path = (i: number) => documentOf(`reader${i}`);
      const body = contacts(4_990);
      for (let i = 0; i < 100; i++) {
        await send(port, { method: 'PUT', path: path(i), as: `reader${i}`, body });
        await sleep(50);
      }
      return times(port, 100, (i) => ({
        path: `${path(i)}/~~/resource-lists/list/entry[1]`,
        as: `reader${i}`,
      }));
    },
  },
  {
    name: '300 open bodies of a megabyte without credentials',
    strike: (port) =>
      holdOpen(
        port,
        300,
        `PUT ${documentOf('mallory')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n${'x'.repeat(1_000_000)}`,
      ),
  },
  {
    name: '100 readers of a large document that do not read',
    async strike(port) {
      const [path, body] = [documentOf('large'), contacts(4_990)];
      await send(port, { method: 'PUT', path, as: 'large', body });
      const head = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-3GPP-Asserted-Identity: sip:large@example.com\r\n\r\n`;
      return holdOpen(port, 100, head.repeat(4));
    },
  },
  {
    name: '3,000 logins with names of 28 kB',
    strike: (port) =>
      times(
        port,
        3_000,
        (i) =>
          authorization(
            `Digest username="${'n'.repeat(28_000)}${i}",realm="x",nonce="y",uri="/",response="00",qop=auth,nc=1,cnonce="z"`,
          ),
        16,
      ),
  },
];

function authorization(value: string): Request {
  return { path: documentOf('mallory'), headers: { authorization: value } };
}

async function readGroup(port: number, owner: string, text: string): Promise<string> {
  const path = documentOf(owner, 'org.openmobilealliance.groups');
  const body = text.replace('sip:team@', `sip:team-of-${owner}@`);
  const answer = await send(port, { method: 'PUT', path, as: owner, body });
  if (answer.status >= 300) throw new Error(`the group was not stored: ${answer.text}`);
  return times(port, 20, (i) => ({ path, as: `stranger${i}` }), 4);
}

/** Sends that many, some at a time, and says how often each status came. */
async function times(
  port: number,
  count: number,
  requestOf: (number: number) => Request,
  atOnce = 1,
): Promise<string> {
  const statuses = new Map<number, number>();
  let next = 0;
  const sendAll = async () => {
    while (next < count) {
      const { status } = await send(port, requestOf(next++));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendAll));
  return [...statuses].map(([status, number]) => `${number} × ${status}`).join(', ');
}

function send(
  port: number,
  { method = 'GET', path, as, headers, body }: Request,
): Promise<{ status: number; text: string }> {
  const identity = as === undefined ? {} : { 'x-3gpp-asserted-identity': `sip:${as}@example.com` };
  const type = body === undefined ? undefined : mediaTypes[path.split('/')[2] ?? ''];
  const typed = type === undefined ? {} : { 'content-type': type };
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: { ...identity, ...typed, ...headers },
    };
    const request = http.request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Connections that send that and do no more, for some seconds. */
async function holdOpen(port: number, count: number, text: string): Promise<string> {
  let closed = 0;
  const sockets: Socket[] = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => closed++);
    socket.write(text);
    return socket;
  });
  await sleep(5_000);
  const result = `${count - closed} still open after 5 s`;
  for (const socket of sockets) socket.destroy();
  return result;
}
