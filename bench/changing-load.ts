/**
 * Closed-loop HTTP load whose requests change from one to the next. autocannon can do that, too, but builds each of them
 * anew at a cost that is a good part of what the server needs to answer.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { DigestLogin } from './digest.js';
import type { HttpRequest } from './http-load.js';
import type { Run } from './statistics.js';

/** A request as text, but for the Authorization and the empty line behind it. */
interface PreparedRequest {
  readonly request: HttpRequest;
  readonly head: string;
  readonly login: DigestLogin | undefined;
}

/**
 * @param requestsOf what each connection sends, over and over.
 * @throws where any answer is not 2xx, but for the challenges to first requests.
 */
export async function runChangingLoad(
  port: number,
  requestsOf: readonly (readonly HttpRequest[])[],
  seconds: number,
): Promise<Run> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    requestsOf.map((requests) => runConnection(port, requests.map(prepared), end, latencies)),
  );
  return { latencies, seconds: (performance.now() - start) / 1000 };
}

function prepared(request: HttpRequest): PreparedRequest {
  const { method, path, headers, body = '', login } = request;
  const fields = { ...headers, host: 'localhost', 'content-length': String(Buffer.byteLength(body)) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return { request, head: `${method} ${path} HTTP/1.1\r\n${lines.join('')}`, login };
}

async function runConnection(
  port: number,
  requests: readonly PreparedRequest[],
  end: number,
  latencies: number[],
): Promise<void> {
  const socket = connect(port, '127.0.0.1').setNoDelay().setEncoding('latin1');
  await once(socket, 'connect');
  try {
    while (performance.now() < end) {
      for (const one of requests) {
        const sentAt = performance.now();
        if (sentAt >= end) break;
        await exchange(socket, one);
        latencies.push(performance.now() - sentAt);
      }
    }
  } finally {
    socket.destroy();
  }
}

/** Logs in and repeats where the answer is a challenge. */
async function exchange(socket: Socket, { request, head, login }: PreparedRequest): Promise<void> {
  const { method, path, body = '' } = request;
  const authorization = login?.authorization(method, path);
  const field = authorization === undefined ? '' : `authorization: ${authorization}\r\n`;
  socket.write(`${head}${field}\r\n${body}`);
  const answer = await readAnswer(socket);
  if (answer.startsWith('HTTP/1.1 2')) return;
  if (authorization !== undefined || login === undefined) throw new Error(`${method} ${path}: ${answer}`);
  login.challenged(answer);
  await exchange(socket, { request, head, login });
}

/** The answer with its body; the server always says how long that is. */
function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const done = (settle: () => void) => {
      socket.off('data', onData).off('close', onClose);
      settle();
    };
    const onClose = () => done(() => reject(new Error('the server closed a connection')));
    const onData = (part: string) => {
      text += part;
      const bodyAt = text.indexOf('\r\n\r\n') + 4;
      const length = bodyAt < 4 ? undefined : /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (length !== undefined && text.length >= bodyAt + Number(length)) done(() => resolve(text));
    };
    socket.on('data', onData).on('close', onClose);
  });
}
