/** Puts the examples of all application usages through a server: each has the outcome that its file name tells. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Conflict } from '../../src/xcap/conflict.js';
import { packageFolder } from '../../src/package-files.js';
import { ownerAndTrustedElements } from '../../src/xcap/policy/authorization.js';
import type { GeneratedDocument } from '../../src/xcap/usage/generated.js';
import { isStored, type LoadedStoredUsage, type LoadedUsage } from '../../src/xcap/usage/loaded-usage.js';
import { schemaFault, validateDocument } from '../../src/xcap/usage/validate.js';
import { read, rulesForAlice } from '../fixtures/source.js';
import { startServer, type Send } from '../fixtures/xcap-server.js';
import { checkedSend } from './invariants.js';

const outcomes = ['valid', 'schema-validation-error', 'uniqueness-failure', 'constraint-failure'];

/** Reads what the server makes. */
const trustedElement = 'sip:rls@example.com';

const auids = readdirSync(join(packageFolder, 'auids'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

t.test('examples', async (t) => {
  const { app, send } = await startServer(t, {
    environment: {
      XCAP_ROOTS: '/',
      XCAP_OPTIONAL_USAGES: 'test-app',
      XCAP_TRUSTED_ELEMENTS: trustedElement,
    },
  });
  for (const auid of auids) {
    await t.test(auid, async (t) => {
      const loaded = app.usages.get(auid);
      if (loaded === undefined) throw new Error(`${auid} is not served`);
      const examples = examplesOf(auid);
      t.ok(
        examples.some(({ outcome }) => outcome === 'valid'),
        'has a valid example',
      );
      t.equal(
        examples.some(({ outcome }) => outcome === 'schema-validation-error'),
        loaded.schema !== undefined,
        'has an invalid example, if it has a schema',
      );
      for (const example of examples) await checkExample(t, send, loaded, example);
      for (const generated of loaded.usage.generated ?? []) {
        await checkGenerated(t, send, loaded, generated);
      }
    });
  }
});

interface Example {
  readonly name: string;
  readonly outcome: string | undefined;
  readonly bytes: Buffer;
}

function examplesOf(auid: string): Example[] {
  const folder = join(packageFolder, 'auids', auid, 'examples');
  return readdirSync(folder).map((name) => ({
    name,
    outcome: outcomes.find((outcome) => name.startsWith(`${outcome}-`) && name.endsWith('.xml')),
    bytes: readFileSync(join(folder, name)),
  }));
}

async function checkExample(t: Test, send: Send, loaded: LoadedUsage, example: Example): Promise<void> {
  const { name, outcome, bytes } = example;
  t.ok(outcome, `${name} tells its outcome`);
  if (!isStored(loaded)) {
    t.equal(schemaFault(read(bytes.toString()), loaded) === undefined, outcome === 'valid', name);
    return;
  }
  if (!mayWrite(loaded)) {
    t.equal(verdict(bytes.toString(), loaded), outcome, name);
    return;
  }
  const { auid, mediaType } = loaded.usage;
  const target = `/${auid}/users/sip:alice@example.com/${name}`;
  const put = await checkedSend(t, send, 'PUT', target, {
    headers: { 'content-type': mediaType },
    body: bytes,
  });
  if (outcome === 'valid') {
    t.equal(put.status, 201, `${name}: ${put.body}`);
    t.equal((await send('GET', target)).body, bytes.toString(), `${name} comes back as it was`);
  } else {
    t.equal(put.status, 409, name);
    t.match(put.body, `<${outcome ?? ''} `, name);
    t.equal((await send('GET', target)).status, 404, `${name} is not kept`);
  }
}

/** Some documents are not written by users: their examples are judged by the same rules, without a request. */
function mayWrite({ usage }: LoadedStoredUsage): boolean {
  const policy = usage.authorization ?? ownerAndTrustedElements;
  const principal = { xuis: ['sip:alice@example.com'], role: undefined, access: 'read-write' } as const;
  const document = {
    tree: 'users',
    auid: usage.auid,
    xui: 'sip:alice@example.com',
    path: ['index'],
  } as const;
  return policy(principal, 'write', document);
}

function verdict(text: string, loaded: LoadedStoredUsage): string {
  try {
    validateDocument(read(text), rulesForAlice(loaded));
    return 'valid';
  } catch (error) {
    if (error instanceof Conflict) return error.report.condition;
    throw error;
  }
}

/** Among documents of all other usages: the examples of those before are still there. */
async function checkGenerated(
  t: Test,
  send: Send,
  loaded: LoadedUsage,
  { tree, path }: GeneratedDocument,
): Promise<void> {
  const home = tree === 'users' ? ['users', 'sip:alice@example.com'] : ['global'];
  const target = `/${[loaded.usage.auid, ...home, ...path].join('/')}`;
  const document = await checkedSend(t, send, 'GET', target, { as: trustedElement });
  t.equal(document.status, 200, 'the generated document is there');
  t.equal(schemaFault(read(document.body), loaded), undefined, 'the generated document is valid');
}
