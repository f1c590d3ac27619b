/** Plays every transcript of the folder `transcripts/`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { startServer, type RequestOptions, type Send } from '../fixtures/xcap-server.js';
import { checkedSend, documentOf } from './invariants.js';
import { differences, parseTranscript, Placeholders, type TranscriptRequest } from './transcript.js';

const folder = join(packageFolder, 'test/conformance/transcripts');
const files = readdirSync(folder).sort();

t.test('transcripts', async (t) => {
  const { send } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  for (const file of files) await t.test(file, (t) => play(t, send, file));
});

t.test('what is no transcript is refused', async (t) => {
  const title = 'RFC 4825 §8.4: deletion\n';
  const malformed: readonly [text: string, message: RegExp][] = [
    ['Deletion\n> GET /\n\n< 404 Not Found\n', /line 1/],
    [title, /no requests/],
    [`${title}> GET /\n`, /line 2: this request has no answer/],
    [`${title}> GET /\n\n> GET /\n\n< 404 Not Found\n`, /line 4: requests and answers take turns/],
    [`${title}> GET /\n\n< 404 OK\n`, /line 4: an answer starts/],
    [`${title}> GET /\n\n< 200 OK\n`, /line 4: a 200 to a GET shows its body/],
    [`${title}>GET /\n`, /line 2: a space follows/],
    [`${title}> get\n\n< 404 Not Found\n`, /line 2: a request starts/],
    [`${title}> GET /\n> nonsense\n\n< 404 Not Found\n`, /line 3: this is no header/],
  ];
  for (const [text, message] of malformed) t.throws(() => parseTranscript(text), { message }, text);
});

t.test('an answer that differs is told', async (t) => {
  const answer = { status: 200, headers: { etag: '"a"' }, body: 'text' };
  const expected = { status: 200, condition: undefined, headers: [], body: 'text' };
  const etag = (value: string | undefined) => ({ ...expected, headers: [{ name: 'etag', value }] });
  const placeholders = new Placeholders();
  const differs = (what: typeof expected | ReturnType<typeof etag>) =>
    differences(what, answer, placeholders).length;
  t.equal(differs(expected), 0);
  t.equal(differs({ ...expected, status: 201 }), 1);
  t.equal(differs({ ...expected, body: 'text\n' }), 1);
  t.equal(differs({ ...expected, body: '{any}xt' }), 0);
  t.equal(differs(etag(undefined)), 1);
  t.equal(differs(etag('{fresh}')), 0);
  t.equal(differs(etag('{fresh}')), 1, 'not fresh any more');
  t.equal(differs(etag('{first}')), 0);
  t.equal(differences(etag('{first}'), { ...answer, headers: { etag: '"b"' } }, placeholders).length, 1);
  t.same(placeholders.fill('{first}{x0AE9}'), Buffer.from([0x22, 0x61, 0x22, 0x0a, 0xe9]));
});

async function play(t: Test, send: Send, file: string): Promise<void> {
  const { section, exchanges } = parseTranscript(readFileSync(join(folder, file), 'utf8'));
  t.match(
    file,
    new RegExp(`^${section.replaceAll('.', '\\.')}-[a-z0-9-]+\\.txt$`),
    'the name has the section',
  );
  for (const target of new Set(exchanges.map(({ request }) => documentOf(request.target)))) {
    await send('DELETE', target, { as: ownerOf(target) });
  }
  const placeholders = new Placeholders();
  for (const { line, request, answer: expected } of exchanges) {
    const { method, target } = request;
    const answer = await checkedSend(t, send, method, target, optionsOf(request, placeholders));
    const different = differences(expected, answer, placeholders);
    t.same(different, [], `line ${line}: ${method} ${target}`, { answer });
  }
}

function optionsOf({ target, headers, body }: TranscriptRequest, placeholders: Placeholders): RequestOptions {
  const identity = headers.find(({ name }) => name === 'x-3gpp-asserted-identity');
  const others = headers.filter((header) => header !== identity);
  const sent = others.map(({ name, value }) => [name, placeholders.fill(value ?? '').toString('latin1')]);
  return {
    as: identity === undefined ? ownerOf(target) : (identity.value?.replaceAll('"', '') ?? null),
    headers: Object.fromEntries(sent) as Record<string, string>,
    ...(body === undefined ? {} : { body: placeholders.fill(body) }),
  };
}

function ownerOf(target: string): string {
  const xui = /\/users\/([^/?]*)/.exec(target)?.[1];
  return xui === undefined ? 'sip:alice@example.com' : decodeURIComponent(xui);
}
