/** Who may import whom, and other rules that no compiler checks. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import t from 'tap';
import { packageFolder } from '../src/package-files.js';
import { attributeOf, descendantsOrSelf, type SourceElement } from '../src/xml/source-tree.js';
import { read } from './fixtures/source.js';

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(packageFolder, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(packageFolder, join(entry.parentPath, entry.name)));
}

function textOf(file: string): string {
  return readFileSync(join(packageFolder, file), 'utf8');
}

/** The project's files that a file imports or re-exports, and the packages. */
function importsOf(file: string): { files: string[]; packages: string[] } {
  const specifiers = [...textOf(file).matchAll(/(?:\bfrom|^import)\s+['"]([^'"]+)['"]/gm)]
    .concat([...textOf(file).matchAll(/import\(\s*['"]([^'"]+)['"]/g)])
    .map(([, specifier = '']) => specifier);
  return {
    files: specifiers
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => join(dirname(file), specifier.replace(/\.js$/, '.ts'))),
    packages: specifiers.filter((specifier) => !specifier.startsWith('.')),
  };
}

const sources = filesBelow('src', '.ts');
const usages = filesBelow('auids', '.ts').filter((file) => !file.endsWith('.test.ts'));

/**
 * What the files of a folder may import; the first rule that fits a file holds. A usage also has its own folder, and the
 * definitions of other usages whose documents are like its own.
 */
const allowed: readonly [from: RegExp, to: RegExp][] = [
  [/^auids\//, /^src\/xcap\/(usage\/contract|terms)\.ts$|^auids\/[^/]+\/(usage|place)\.ts$/],
  [/^src\/(ndjson|once|package-files|visible-text)\.ts$/, /^$/],
  [/^src\/config\//, /^src\/config\//],
  [/^src\/xml\//, /^src\/(once\.ts$|xml\/)/],
  [/^src\/xcap\/(terms|refusal|conflict)\.ts$/, /^src\/xml\//],
  [/^src\/xcap\/uri\//, /^src\/xcap\/(uri\/|(terms|refusal|conflict)\.ts)|^src\/xml\//],
  [
    /^src\/xcap\/policy\//,
    /^src\/xcap\/((policy|uri)\/|(terms|refusal|conflict)\.ts)|^src\/(once\.ts|xml\/)/,
  ],
  [
    /^src\/xcap\/usage\//,
    /^src\/xcap\/((usage|policy|uri)\/|(terms|refusal|conflict)\.ts)|^src\/(once\.ts|xml\/)/,
  ],
  [/^src\/xcap\/document\//, /^src\/xcap\/((document|usage|uri)\/|(terms|refusal|conflict)\.ts)|^src\/xml\//],
  [/^src\/xcap\//, /^src\/(once\.ts|(xcap|xml)\/)/],
  [/^src\/usages\//, /^src\/(usages|xcap|xml)\//],
  [/^src\/provisioning\//, /^src\/(provisioning|xcap|xml)\//],
  [/^src\/subscribers\//, /^src\/(subscribers|xcap)\//],
  [/^src\/storage\/embedded\//, /^src\/storage\/embedded\//],
  [/^src\/storage\/documents\//, /^src\/storage\/(documents\/|[^/]+$)|^src\/(subscribers|xcap)\//],
  [/^src\/storage\/backup\//, /^src\/storage\/((backup|secrets)\/|(database|migrations)\.ts$)/],
  [/^src\/storage\/nonces\//, /^src\/storage\/(nonces\/|[^/]+$)/],
  [/^src\/storage\//, /^src\/(storage|subscribers|xcap)\//],
  [/^src\/identity\//, /^src\/(config|identity|subscribers|xcap)\//],
  [/^src\/aggregation\//, /^src\/(aggregation|config|xcap|xml)\//],
  [
    /^src\/http\//,
    /^src\/(aggregation|config|http|identity|subscribers|xcap)\/|^src\/(ndjson|package-files|visible-text)\.ts$/,
  ],
  [
    /^src\/app\.ts$/,
    /^src\/(aggregation|config|http|identity|provisioning|storage|subscribers|usages|xcap)\/|^src\/package-files\.ts$/,
  ],
  [
    /^src\/processes\//,
    /^src\/(app|package-files|visible-text|subscribers\/secret-box)\.ts$|^src\/(config|processes|storage)\//,
  ],
  [
    /^src\/cli\//,
    /^src\/(config|processes)\/|^src\/(ndjson|package-files|visible-text)\.ts$|^src\/storage\/((backup|secrets)\/|(database|migrations)\.ts$)|^src\/subscribers\/secret-box\.ts$|^src\/(cli|provisioning|usages|xcap)\//,
  ],
  [/^src\/cli\.ts$/, /^src\/cli\//],
];

t.test('imports', (t) => {
  for (const file of [...sources, ...usages]) {
    const rule = allowed.find(([from]) => from.test(file));
    t.ok(rule, `${file} has a rule`);
    for (const imported of importsOf(file).files) {
      const isOfOneUsage = file.startsWith('auids/') && dirname(imported) === dirname(file);
      t.ok(isOfOneUsage || rule?.[1].test(imported), `${file} may import ${imported}`);
    }
  }
  t.end();
});

t.test('no cycles', (t) => {
  const finished = new Set<string>();
  function visit(file: string, path: readonly string[]): void {
    if (path.includes(file)) t.fail(`a cycle: ${[...path, file].join(' → ')}`);
    else if (!finished.has(file)) importsOf(file).files.forEach((next) => visit(next, [...path, file]));
    finished.add(file);
  }
  [...sources, ...usages].forEach((file) => visit(file, []));
  t.ok(finished.size >= sources.length);
  t.end();
});

t.test('packages', (t) => {
  const only: readonly [name: string, where: RegExp][] = [
    ['libxml2-wasm/lib/libxml2raw.mjs', /^src\/xml\/compiled-schema\.ts$/],
    ['libxmljs2', /^src\/xml\/second-opinion\.ts$/],
    ['saxes', /^src\/xml\/fence\.ts$/],
    ['fastify', /^src\/(aggregation\/.*|http\/.*|app)\.ts$/],
    ['pg-copy-streams', /^src\/storage\/backup\//],
    ['pg', /^src\/(storage\/|cli\/migration\/source-database\.ts$)/],
    ['mysql2/promise', /^src\/cli\/migration\/source-database\.ts$/],
    ['commander', /^src\/cli(\.ts$|\/)/],
    ['jose', /^src\/identity\//],
  ];
  for (const [name, where] of only) {
    const importers = sources.filter((file) => importsOf(file).packages.includes(name));
    t.ok(importers.length > 0, `${name} is used`);
    for (const file of importers) t.match(file, where, `${file} may import ${name}`);
  }
  // The supervisor shares a process with the command line, and must not have libxml2 in it.
  const checker = 'src/cli/check-document.ts';
  for (const file of sources.filter((file) => /^src\/cli(\.ts$|\/)/.test(file))) {
    if (file === checker || file === 'src/cli/import-dry-run.ts') continue;
    t.notMatch(
      textOf(file),
      /^import (?!type)[^;]*(usages\/registry|check-document|import-dry-run|supervisor)\.js'/m,
      file,
    );
  }
  const pure = sources.filter((file) => /^src\/(xcap|xml)\//.test(file));
  for (const file of pure) {
    const text = textOf(file);
    t.notMatch(text, /process\.env|Date\.now|new Date|Math\.random|randomBytes/, `${file} is pure`);
  }
  t.end();
});

t.test('the tables of documents are written in one folder', (t) => {
  const write =
    /(insert into|update|delete from) xcapd\.(documents|document_versions|claims|flagged_documents|listed_claims_revisions)\b/;
  const writers = sources.filter((file) => write.test(textOf(file)));
  t.ok(writers.length > 0);
  for (const file of writers) t.match(file, /^src\/storage\/documents\//, file);
  t.end();
});

t.test('schemas have no identity constraints, which the old libxml2 handles badly', (t) => {
  for (const file of [...filesBelow('auids', '.xsd'), ...filesBelow('schemas', '.xsd')]) {
    t.notMatch(textOf(file), /<xs:(key|keyref|unique)\b|type="xs:ID"/, file);
  }
  t.end();
});

t.test('no repeated element right before a repeated wildcard, which libxml2 accepts in any order', (t) => {
  for (const file of [...filesBelow('auids', '.xsd'), ...filesBelow('schemas', '.xsd')]) {
    for (const sequence of descendantsOrSelf(read(textOf(file)).root).filter(isNamed('sequence'))) {
      sequence.children.forEach((particle, i) => {
        const next = sequence.children[i + 1];
        if (next === undefined || !isRepeated(particle) || !isRepeated(next)) return;
        t.notOk(isNamed('element')(particle) && isNamed('any')(next), `${file}, line ${particle.line}`);
      });
    }
  }
  t.end();
});

function isNamed(localName: string) {
  return (element: SourceElement) => element.localName === localName;
}

function isRepeated(particle: SourceElement): boolean {
  return (attributeOf(particle, 'maxOccurs')?.value ?? '1') !== '1';
}

t.test('a file is known by its name', (t) => {
  const names = sources.map((file) => basename(file));
  t.same(
    names.filter((name, i) => names.indexOf(name) < i),
    [],
    'no two files have the same one',
  );
  t.end();
});

t.test('files are short enough to be read', (t) => {
  for (const file of [...sources, ...usages]) {
    const lines = textOf(file).split('\n').length;
    t.ok(lines <= 400, `${file} has ${lines} lines`);
  }
  t.end();
});

t.test('the code map of ARCHITECTURE.md names every folder and file that there is', (t) => {
  const map = /## Code map\n([^]*?)\n## /.exec(textOf('ARCHITECTURE.md'))?.[1] ?? '';
  const named = [...map.matchAll(/^\| `(src\/[^`]+)` \|/gm)].map(([, place = '']) => place);
  const places = sources.map((file) => (dirname(file) === 'src' ? file : `${dirname(file)}/`));
  t.same(named.toSorted(), [...new Set(places)].toSorted());
  t.end();
});
