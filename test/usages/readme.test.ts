/** auids/README.md walks through a usage: exactly that one, made from its text, is served. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { packageFolder, usageFolders } from '../../src/package-files.js';
import { startServer } from '../fixtures/xcap-server.js';

const readme = readFileSync(join(packageFolder, 'auids/README.md'), 'utf8');

/** The files that the README names, each with the code block behind its name. */
const files = new Map(
  [...readme.matchAll(/^`([^`\s]+\.(?:ts|xsd|xml))`(?:, [^`]*)?:\n\n```\w+\n([^]*?)```/gm)].map(
    ([, name = '', content = '']) => [name.replace(/^auids\/[^/]+\//, ''), content],
  ),
);
// The first name stands at the end of a sentence.
const definition =
  /`auids\/com\.example\.speed-dial\/usage\.ts`:\n\n```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';
files.set('usage.ts', definition);

function compiled(source: string): string {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}

t.test('the usage of auids/README.md', async (t) => {
  t.same([...files.keys()].toSorted(), [
    'examples/schema-validation-error-digit.xml',
    'examples/uniqueness-failure-key-twice.xml',
    'speed-dial.xsd',
    'usage.ts',
  ]);
  // Beside the compiled auids/, so that its imports lead to the same files.
  const folder = mkdtempSync(join(usageFolders.definitions, '..', '.readme-usage-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of files) {
    const file = join(folder, 'com.example.speed-dial', name);
    mkdirSync(dirname(file), { recursive: true });
    if (name === 'usage.ts') writeFileSync(file.replace(/ts$/, 'js'), compiled(content));
    else writeFileSync(file, content);
  }
  const { send } = await startServer(t, { moreUsages: folder });
  const target = '/xcap-root/com.example.speed-dial/users/sip:alice@example.com/index';
  const put = (body: string) => send('PUT', target, { body });
  const key = (digit: string, uri: string) => `<key digit="${digit}" uri="${uri}"/>`;
  const document = (...keys: string[]) =>
    `<speed-dial xmlns="urn:example:speed-dial">${keys.join('')}</speed-dial>`;

  t.equal((await put(document(key('1', 'tel:+15550100001')))).status, 201);
  t.match(
    (await put(files.get('examples/schema-validation-error-digit.xml') ?? '')).body,
    '<schema-validation-error ',
  );
  t.match(
    (await put(files.get('examples/uniqueness-failure-key-twice.xml') ?? '')).body,
    '<uniqueness-failure ',
  );
  t.match((await put(document(key('1', 'tel:112')))).body, '<constraint-failure phrase="A key cannot');
  const owner = await send('PUT', `${target}/~~/speed-dial/owner`, {
    headers: { 'content-type': 'application/xcap-el+xml' },
    body: '<owner>Alice</owner>',
  });
  t.equal(owner.status, 201, 'put where the schema has it');
  t.equal((await send('GET', target)).body, document('<owner>Alice</owner>', key('1', 'tel:+15550100001')));
  const capabilities = await send('GET', '/xcap-root/xcap-caps/global/index');
  t.match(capabilities.body, '<auid>com.example.speed-dial</auid>');
});
