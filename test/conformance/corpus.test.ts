/** Sends the requests of the folder `corpus/`, each to a server that has just the document of its case. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { startServer, type Answer, type Send } from '../fixtures/xcap-server.js';
import { barring } from './corpus/barring.js';
import { lists, rules, simservs, subscriber, type CorpusCase, type DocumentName } from './corpus/case.js';
import { directories } from './corpus/directories.js';
import { diversion } from './corpus/diversion.js';
import { diversionRules } from './corpus/diversion-rules.js';
import { identity } from './corpus/identity.js';
import { oma } from './corpus/oma.js';
import { otherServices } from './corpus/other-services.js';
import { presence } from './corpus/presence.js';
import { resourceLists } from './corpus/resource-lists.js';
import { uris } from './corpus/uris.js';
import { checkedSend, documentOf } from './invariants.js';

const groups = {
  barring,
  directories,
  diversion,
  diversionRules,
  identity,
  oma,
  otherServices,
  presence,
  resourceLists,
  uris,
};

const mediaTypes: Readonly<Record<string, string>> = {
  'simservs.ngn.etsi.org': 'application/vnd.etsi.simservs+xml',
  'resource-lists': 'application/resource-lists+xml',
  'pres-rules': 'application/auth-policy+xml',
  'org.openmobilealliance.pres-rules': 'application/auth-policy+xml',
  'rls-services': 'application/rls-services+xml',
  'org.openmobilealliance.groups': 'application/vnd.oma.poc.groups+xml',
  'org.openmobilealliance.pres-content': 'application/vnd.oma.pres-content+xml',
};

t.test('corpus', async (t) => {
  const roots = '/,/xcap/v2,/mtas,/opt/sentinel/xcap,/services';
  const environment = { XCAP_ROOTS: roots, XCAP_HOSTNAMES: 'xcap.ims.example.com,xcap.example.com' };
  const trusting = await startServer(t, { environment });
  const { database } = trusting;
  const distrusting = await startServer(t, {
    environment: { XCAP_ROOTS: roots, XCAP_TRUSTED_PROXIES: '192.0.2.0/24' },
    database,
  });
  const ids = new Set<string>();
  for (const [group, cases] of Object.entries(groups)) {
    await t.test(group, async (t) => {
      for (const corpusCase of cases) {
        t.notOk(ids.has(corpusCase.id), `${corpusCase.id} is unique`);
        ids.add(corpusCase.id);
        await t.test(`${corpusCase.id}: ${corpusCase.title}`, (t) => {
          const asking = corpusCase.untrusted === true ? distrusting.send : trusting.send;
          return play(t, trusting.send, asking, corpusCase);
        });
      }
    });
  }
});

async function play(t: Test, prepare: Send, send: Send, corpusCase: CorpusCase): Promise<void> {
  const { method, target, body, document, expect, as } = corpusCase;
  const at = corpusCase.at ?? defaultPlace(document);
  const owner = ownerOf(at ?? target);
  const tags = await setUp(t, prepare, document, at, owner);
  const options = {
    as: as === undefined ? owner : as,
    headers: headersOf(corpusCase.headers ?? {}, tags),
    ...(body === undefined ? {} : { body }),
  };
  const answer = await checkedSend(t, send, method, target, options);
  t.equal(answer.status, expect.status, corpusCase.why ?? answer.body);
  const isWrite = method !== 'GET' && answer.status < 300;
  const after = isWrite ? await prepare('GET', documentOf(target), { as: options.as }) : answer;
  checkExpectation(t, expect, answer, after);
  await prepare('DELETE', at ?? documentOf(target), { as: owner });
  if (isWrite) await prepare('DELETE', documentOf(target), { as: options.as });
}

function checkExpectation(t: Test, expect: CorpusCase['expect'], answer: Answer, after: Answer): void {
  const { condition, contentType, body, contains = [], lacks = [], ancestor } = expect;
  if (condition !== undefined) t.match(answer.body, new RegExp(`<xcap-error [^>]*><${condition} `));
  if (contentType !== undefined) t.equal(answer.headers['content-type'], contentType);
  if (body !== undefined) t.equal(answer.body, body);
  if (ancestor !== undefined) t.match(answer.body, `<ancestor>${ancestor}</ancestor>`);
  for (const part of contains) t.ok(after.body.includes(part), `contains ${part}`, { body: after.body });
  for (const part of lacks) t.notOk(after.body.includes(part), `lacks ${part}`, { body: after.body });
}

interface Tags {
  readonly etag: string | undefined;
  readonly stale: string | undefined;
}

/** Puts the document twice, so that there is an earlier entity tag. */
async function setUp(
  t: Test,
  send: Send,
  document: DocumentName | undefined,
  at: string | undefined,
  owner: string | null,
): Promise<Tags> {
  if (document === undefined || at === undefined) return { etag: undefined, stale: undefined };
  const headers = { 'content-type': mediaTypes[at.split('/')[1] ?? ''] };
  const options = { as: owner, headers, body: textOf(document) };
  const first = await checkedSend(t, send, 'PUT', at, options);
  t.equal(first.status, 201, `${document} is valid: ${first.body}`);
  const second = await send('PUT', at, options);
  return { etag: second.headers.etag, stale: first.headers.etag };
}

function headersOf(headers: Readonly<Record<string, string>>, { etag = '', stale = '' }: Tags) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      value.replace('{etag}', etag).replace('{stale}', stale),
    ]),
  );
}

function textOf(document: DocumentName): string {
  return readFileSync(join(packageFolder, 'test/conformance/corpus/documents', `${document}.xml`), 'utf8');
}

function defaultPlace(document: DocumentName | undefined): string | undefined {
  if (document === undefined) return undefined;
  if (document.startsWith('lists')) return lists;
  return document === 'rules' ? rules : simservs;
}

function ownerOf(target: string): string {
  const xui = /\/users\/([^/?]*)/.exec(target)?.[1];
  if (xui === undefined) return 'sip:alice@example.com';
  return target.includes('simservs') ? subscriber : decodeURIComponent(xui);
}
