/**
 * What holds for every answer and every write, whatever the request was. Tests send their requests by `checkedSend`, and
 * need not repeat any of it.
 */
import { join } from 'node:path';
import type { Test } from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { readDocument } from '../../src/xml/fence.js';
import { loadSchema, validate } from '../../src/xml/schema.js';
import type { Answer, RequestOptions, Send } from '../fixtures/xcap-server.js';

const conflictSchema = loadSchema(join(packageFolder, 'schemas', 'xcap-error.xsd'));

/** Checks an answer by itself. */
export function checkAnswer(t: Test, method: string, target: string, answer: Answer): void {
  const { status, headers, body } = answer;
  const what = `${String(status)} to ${method} ${target}`;
  if (status >= 500) t.fail(`${what}: ${body}`);
  if (status === 409) checkConflictReport(t, what, answer);
  // RFC 9110 §15.5.6.
  if (status === 405) t.match(headers.allow, /^GET, HEAD(, PUT, DELETE)?$/, `${what} says what is allowed`);
  // RFC 9110 §11.6.1.
  if (status === 401) t.match(headers['www-authenticate'], /\S/, `${what} has a challenge`);
  if (status !== 200 && status !== 201 && status !== 304) {
    t.equal(headers.etag, undefined, `${what} has no ETag`);
    return;
  }
  const documentIsGone = method === 'DELETE' && !isNode(target);
  // §8.5: as long as the document exists.
  if (documentIsGone) t.equal(headers.etag, undefined, `${what} has no ETag`);
  else t.match(headers.etag, /^"[\x21\x23-\x7e]{1,24}"$/, `${what} has a short, strong ETag`);
  t.equal(headers['cache-control'], 'no-cache', `${what} has Cache-Control`);
  // §8.2.7: a 200 to a PUT has no content. The server has none in the others either.
  if (method !== 'GET') t.equal(body, '', `${what} has no content`);
}

/** §11. */
function checkConflictReport(t: Test, what: string, { headers, body }: Answer): void {
  t.equal(headers['content-type'], 'application/xcap-error+xml', `${what} has its media type`);
  t.equal(headers['content-length'], String(Buffer.byteLength(body)), `${what} has a Content-Length`);
  t.ok(readDocument(body).ok, `${what} is well-formed`);
  t.same(validate(body, conflictSchema), { valid: true }, `${what} is valid`);
}

/**
 * Sends a request, and checks its answer. Around a PUT or DELETE it also looks at the document, as far as the one who
 * asks may read it:
 *
 * - a request that is refused changes nothing;
 * - after a PUT, a GET returns what was put; after a DELETE it is 404;
 * - nothing but the target has changed, and DELETE undoes a creation;
 * - the ETag is new, and is the one of the document and of the target (§8.5).
 */
export async function checkedSend(
  t: Test,
  send: Send,
  method: string,
  target: string,
  options: RequestOptions = {},
): Promise<Answer> {
  const isWrite = method === 'PUT' || method === 'DELETE';
  const reader = options.as === undefined ? {} : { as: options.as };
  const read = (of: string) => send('GET', of, reader);
  const document = documentOf(target);
  const before = isWrite ? await read(document) : undefined;
  const targetBefore = isWrite ? await read(target) : undefined;
  const answer = await send(method, target, options);
  checkAnswer(t, method, target, answer);
  if (before === undefined || targetBefore === undefined || ![200, 404].includes(before.status))
    return answer;
  const after = await read(document);
  if (answer.status >= 300) {
    t.same(versionOf(after), versionOf(before), `the refused ${method} ${target} changes nothing`);
    return answer;
  }
  t.not(after.headers.etag, before.headers.etag, `the ETag after ${method} ${target} is new`);
  t.equal(after.headers.etag, answer.headers.etag, `${method} ${target} tells the ETag of the document`);
  const targetAfter = await read(target);
  if (method === 'DELETE') {
    t.equal(targetAfter.status, 404, `GET after DELETE ${target} is 404`);
    if (isNode(target)) checkOnlyChange(t, target, before.body, after.body, targetBefore.body);
    return answer;
  }
  checkPut(t, target, options.body ?? '', answer, targetBefore, targetAfter);
  if (!isNode(target)) return answer;
  if (answer.status === 201) await checkUndo(t, send, target, options, before.body);
  else checkOnlyChange(t, target, before.body, after.body, targetBefore.body, targetAfter.body);
  return answer;
}

function checkPut(
  t: Test,
  target: string,
  body: string | Buffer,
  answer: Answer,
  targetBefore: Answer,
  targetAfter: Answer,
): void {
  t.equal(answer.status, targetBefore.status === 200 ? 200 : 201, `PUT ${target} tells whether it created`);
  t.equal(targetAfter.status, 200, `GET after PUT ${target} is 200`);
  t.equal(targetAfter.body, contentOf(target, body.toString()), `GET after PUT ${target} returns it`);
  t.equal(targetAfter.headers.etag, answer.headers.etag, `PUT ${target} tells the ETag of its target`);
}

/** What a PUT of this body puts: the element without what stands around it, the value without its quotes. */
function contentOf(target: string, body: string): string {
  if (!isNode(target)) return body;
  if (isAttribute(target)) return /^(["'])([^]*)\1$/.exec(body)?.[2] ?? body;
  return body.replace(/^\uFEFF?(<\?xml[^>]*\?>)?\s*/, '').trimEnd();
}

/** Checks that `after` is `before` with one `old` replaced, or removed where there is no replacement. */
function checkOnlyChange(
  t: Test,
  target: string,
  before: string,
  after: string,
  old: string,
  replacement?: string,
): void {
  const isOnlyChange = placesOf(before, old).some((at) => {
    const head = before.slice(0, at);
    const tail = before.slice(at + old.length);
    if (!isAttribute(target)) return head + (replacement ?? '') + tail === after;
    if (replacement === undefined) return withoutAttribute(head) + tail.slice(1) === after;
    const quote = after.charAt(at - 1);
    return head.slice(0, -1) + quote + replacement + quote + tail.slice(1) === after;
  });
  t.ok(isOnlyChange, `nothing but ${target} has changed`, { before, after });
}

/** What stands before an attribute's value, without the attribute's name and the space before it. */
function withoutAttribute(head: string): string {
  return head.replace(/\s+[^\s=<>]+\s*=\s*["']$/, '');
}

function placesOf(text: string, part: string): number[] {
  return Array.from({ length: text.length + 1 }, (_unit, at) => at).filter((at) => text.startsWith(part, at));
}

/** Repeats a creation on a copy of the document and deletes it again; then the copy is as it was. */
async function checkUndo(
  t: Test,
  send: Send,
  target: string,
  { as, headers, body }: RequestOptions,
  before: string,
): Promise<void> {
  const reader = as === undefined ? {} : { as };
  const document = documentOf(target);
  const copy = `${document.replace(/\/$/, '')}.copy`;
  const node = copy + target.slice(document.length);
  const contentType = headers?.['Content-Type'] ?? headers?.['content-type'] ?? '';
  await send('PUT', copy, { ...reader, body: before });
  const put = await send('PUT', node, {
    ...reader,
    headers: { 'content-type': contentType },
    ...(body === undefined ? {} : { body }),
  });
  const deletion = await send('DELETE', node, reader);
  const after = await send('GET', copy, reader);
  await send('DELETE', copy, reader);
  t.equal(put.status, 201, `PUT ${target} creates on a copy, too: ${put.body}`);
  t.equal(deletion.status, 200, `DELETE undoes PUT ${target}: ${deletion.body}`);
  const undone = after.body === before ? after.body : closed(after.body);
  t.equal(undone, after.body === before ? before : closed(before), `DELETE undoes PUT ${target}`);
}

/** The one thing that a DELETE does not undo: an empty parent that was opened for its first child stays open. */
function closed(text: string): string {
  return text.replace(/<([^\s<>/]+)((?:\s[^<>]*)?)><\/\1>/g, '<$1$2/>');
}

function versionOf({ status, headers, body }: Answer) {
  return { status, etag: headers.etag, body };
}

const separator = /\/(?:~|%7e){2}/i;

export function isNode(target: string): boolean {
  return separator.test(target.replace(/\?.*$/s, ''));
}

function isAttribute(target: string): boolean {
  return isNode(target) && /\/(?:@|%40)[^/"'\]]*(?<!%(?:22|27|5d))$/i.test(target.replace(/\?.*$/s, ''));
}

/** The target without node selector and query component. */
export function documentOf(target: string): string {
  return target.replace(/\?.*$/s, '').replace(/\/(?:~|%7e){2}.*$/is, '');
}
