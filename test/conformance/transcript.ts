/**
 * Transcripts: conversations with the server as plain text, for people who do not program.
 *
 * The first line is the title, `RFC 4825 §8.4: what it is about`; the file's name starts with the same section. Then
 * requests and answers take turns:
 *
 *     > PUT /resource-lists/users/sip:bill@example.com/index
 *     > Content-Type: application/resource-lists+xml
 *     >
 *     > <resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>
 *
 *     < 201 Created
 *     < ETag: {first}
 *
 * - A line that starts with `>` is sent: method and target, headers, an empty line, the body.
 * - A line that starts with `<` is what must come back: status, headers that matter, an empty line, the body. An answer
 *   may have more headers. `(none)` stands for a header that must be missing.
 * - All other lines are sentences for the reader.
 * - A body is exactly the lines shown, with a line feed between them and none at the end. Where the last line is empty,
 *   the body ends with a line feed.
 * - A 200 to a GET shows its body. Where another answer shows none, its body is not looked at here.
 * - `409 Conflict: no-parent` is short for a conflict report with that condition.
 * - `{any}` in an answer is any text. `{fresh}` is a text that no earlier `{…}` of the transcript stood for. Any other
 *   word in braces, such as `{first}`, keeps what stands there when it is met first, and means just that from then on.
 * - `{xE9}` in a request is a byte given in hexadecimal digits, or several, such as `{xC3A9}`.
 * - The one who asks is the user whose document it is, or Alice for the global tree. A line
 *   `X-3GPP-Asserted-Identity: "sip:bob@example.com"` makes it somebody else, `(none)` nobody.
 *
 * The XCAP root is `/`. The documents that a transcript names do not exist at its start.
 */
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../fixtures/xcap-server.js';

export interface Transcript {
  readonly title: string;
  readonly section: string;
  readonly exchanges: readonly Exchange[];
}

export interface Exchange {
  /** 1-based line of the request. */
  readonly line: number;
  readonly request: TranscriptRequest;
  readonly answer: ExpectedAnswer;
}

export interface TranscriptRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: string | undefined;
}

export interface ExpectedAnswer {
  readonly status: number;
  readonly condition: string | undefined;
  readonly headers: readonly Header[];
  readonly body: string | undefined;
}

export interface Header {
  /** In lower case. */
  readonly name: string;
  /** Undefined for `(none)`. */
  readonly value: string | undefined;
}

interface Block {
  readonly marker: '>' | '<';
  readonly line: number;
  readonly lines: string[];
}

/** @throws Error that names the line, where the text is no transcript. */
export function parseTranscript(text: string): Transcript {
  const [title = '', ...rest] = text.split('\n');
  const section = /^RFC 4825 §([0-9]+(?:\.[0-9]+)*): \S/.exec(title)?.[1];
  if (section === undefined) throw new Error('line 1: a title is `RFC 4825 §8.4: what it is about`');
  const exchanges: Exchange[] = [];
  let request: Block | undefined;
  for (const block of blocksOf(rest)) {
    if ((block.marker === '>') !== (request === undefined)) {
      throw new Error(`line ${block.line}: requests and answers take turns`);
    }
    if (request === undefined) {
      request = block;
    } else {
      exchanges.push(exchangeOf(request, block));
      request = undefined;
    }
  }
  if (request !== undefined) throw new Error(`line ${request.line}: this request has no answer`);
  if (exchanges.length === 0) throw new Error('there are no requests');
  return { title, section, exchanges };
}

/** Runs of lines with the same marker. `rest` starts with line 2. */
function blocksOf(rest: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const [index, line] of rest.entries()) {
    const [, marker, content] = /^([<>])(?: (.*))?$/.exec(line) ?? [];
    if (marker !== '>' && marker !== '<') {
      if (/^[<>]/.test(line)) throw new Error(`line ${index + 2}: a space follows the marker`);
      open = undefined;
      continue;
    }
    if (open?.marker !== marker) {
      open = { marker, line: index + 2, lines: [] };
      blocks.push(open);
    }
    open.lines.push(content ?? '');
  }
  return blocks;
}

function exchangeOf(request: Block, answer: Block): Exchange {
  const sent = messageOf(request);
  const [, method, target] = /^([A-Z-]+) (\S+)$/.exec(sent.start) ?? [];
  if (method === undefined || target === undefined) {
    throw new Error(`line ${request.line}: a request starts with its method and target`);
  }
  const received = messageOf(answer);
  const [, digits, phrase, condition] =
    /^([0-9]{3}) ([A-Za-z -]+?)(?:: ([a-z0-9-]+))?$/.exec(received.start) ?? [];
  if (digits === undefined || STATUS_CODES[digits] !== phrase) {
    throw new Error(`line ${answer.line}: an answer starts with its status, such as 200 OK`);
  }
  if (method === 'GET' && digits === '200' && received.body === undefined) {
    throw new Error(`line ${answer.line}: a 200 to a GET shows its body`);
  }
  return {
    line: request.line,
    request: { method, target, headers: sent.headers, body: sent.body },
    answer: { status: Number(digits), condition, headers: received.headers, body: received.body },
  };
}

function messageOf({ line, lines }: Block): { start: string; headers: Header[]; body: string | undefined } {
  const [start = '', ...rest] = lines;
  const separator = rest.indexOf('');
  const head = separator < 0 ? rest : rest.slice(0, separator);
  const headers = head.map((text, index) => {
    const [, name, value] = /^([A-Za-z0-9-]+): ?(.*)$/.exec(text) ?? [];
    if (name === undefined) throw new Error(`line ${line + 1 + index}: this is no header`);
    return { name: name.toLowerCase(), value: value === '(none)' ? undefined : value };
  });
  return { start, headers, body: separator < 0 ? undefined : rest.slice(separator + 1).join('\n') };
}

const placeholder = /\{(x(?:[0-9A-F]{2})+|[a-z][a-z0-9-]*)\}/g;

/** What the words in braces stand for, in one run of a transcript. */
export class Placeholders {
  readonly #values = new Map<string, string>();
  readonly #seen = new Set<string>();

  /** The bytes of a text of a request. */
  fill(text: string): Buffer {
    const parts = text.split(placeholder).map((part, index) => {
      if (index % 2 === 0) return Buffer.from(part);
      if (part.startsWith('x')) return Buffer.from(part.slice(1), 'hex');
      const value = this.#values.get(part);
      if (value === undefined) throw new Error(`no answer before has told what {${part}} is`);
      return Buffer.from(value);
    });
    return Buffer.concat(parts);
  }

  /** Says how a text of an answer differs from what was expected, or undefined where it does not. */
  mismatch(expected: string, found: string): string | undefined {
    const names: string[] = [];
    const pattern = expected.split(placeholder).map((part, index) => {
      if (index % 2 === 0) return literal(part);
      const known = this.#values.get(part);
      if (known !== undefined) return literal(known);
      names.push(part);
      return '(.+?)';
    });
    const match = new RegExp(`^${pattern.join('')}$`, 's').exec(found);
    if (match === null) return `expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
    for (const [index, name] of names.entries()) {
      const value = match[index + 1] ?? '';
      if (name === 'any') continue;
      if (name === 'fresh' && this.#seen.has(value)) return `${value} is not fresh`;
      this.#seen.add(value);
      if (name !== 'fresh') this.#values.set(name, value);
    }
    return undefined;
  }
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** All ways in which an answer differs from what the transcript says. */
export function differences(expected: ExpectedAnswer, found: Answer, placeholders: Placeholders): string[] {
  const all: (string | undefined)[] = [];
  if (found.status !== expected.status) all.push(`expected ${expected.status}, found ${found.status}`);
  if (expected.condition !== undefined) {
    const condition = /<xcap-error [^>]*><([a-z0-9-]+)/.exec(found.body)?.[1];
    if (condition !== expected.condition) {
      all.push(`expected ${expected.condition}, found ${condition ?? 'no conflict report'}`);
    }
  }
  for (const { name, value } of expected.headers) {
    const header = found.headers[name];
    const text = Array.isArray(header) ? header.join(', ') : header;
    if (value === undefined) {
      if (text !== undefined) all.push(`there must be no ${name}, found ${text}`);
    } else {
      const difference = text === undefined ? 'it is missing' : placeholders.mismatch(value, text);
      if (difference !== undefined) all.push(`${name}: ${difference}`);
    }
  }
  if (expected.body !== undefined) all.push(placeholders.mismatch(expected.body, found.body));
  return all.filter((difference) => difference !== undefined);
}
