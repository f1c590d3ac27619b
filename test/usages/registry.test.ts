import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder, usageFolders } from '../../src/package-files.js';
import { loadUsages } from '../../src/usages/registry.js';
import { usageNamed } from '../../src/xcap/usage/loaded-usage.js';
import { validate } from '../../src/xml/schema.js';
import type { TestContext } from '../fixtures/tap.js';

const root = join(packageFolder, 'test/fixtures/auids/org.example.root');

/** A folder of usages with one that is broken by `change`, which gets the usage's folder. */
function brokenUsages(t: TestContext, auid: string, change: (folder: string) => void): string {
  const usages = mkdtempSync(join(tmpdir(), 'xcapd-usages-'));
  t.teardown(() => rmSync(usages, { recursive: true }));
  writeFileSync(join(usages, 'package.json'), '{ "type": "module" }');
  const folder = join(usages, auid);
  mkdirSync(folder);
  cpSync(join(root, 'root.xsd'), join(folder, 'root.xsd'));
  cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
  writeFileSync(join(folder, 'usage.js'), definition(auid));
  change(folder);
  return usages;
}

function definition(auid: string, more = ''): string {
  return `export const usage = { kind: 'stored', auid: '${auid}', defaultDocumentNamespace: '', namespaces: [],
    rootElement: { namespace: '', localName: 'root' }, mediaType: 'application/xml', schema: 'root.xsd', ${more} };`;
}

t.test('folders that are no usage', async (t) => {
  const cases: [name: string, auid: string, change: (folder: string) => void, message: RegExp][] = [
    [
      'another AUID',
      'org.example.one',
      (folder) => writeFileSync(join(folder, 'usage.js'), definition('org.example.two')),
      /org\.example\.one has the AUID 'org\.example\.two'/,
    ],
    [
      'no usage',
      'org.example.none',
      (folder) => writeFileSync(join(folder, 'usage.js'), 'export const other = 1;'),
      /exports no 'usage'/,
    ],
    [
      'no known-bad example',
      'org.example.untested',
      (folder) => rmSync(join(folder, 'examples/schema-validation-error-root.xml')),
      /has no schema-validation-error-/,
    ],
    [
      'a schema that lets its known-bad example pass',
      'org.example.lax',
      (folder) => writeFileSync(join(folder, 'examples/schema-validation-error-lax.xml'), '<root/>'),
      /accepts schema-validation-error-lax\.xml/,
    ],
    ['no schema', 'org.example.schemaless', (folder) => rmSync(join(folder, 'root.xsd')), /root\.xsd/],
    [
      'an import that is not there',
      'org.example.import',
      (folder) =>
        writeFileSync(
          join(folder, 'root.xsd'),
          readFileSync(join(root, 'root.xsd'), 'utf8').replace(
            '<xs:element',
            '<xs:import namespace="urn:x" schemaLocation="missing.xsd"/><xs:element',
          ),
        ),
      /missing\.xsd/,
    ],
    [
      'a schema that does not compile',
      'org.example.mistaken',
      (folder) =>
        writeFileSync(
          join(folder, 'root.xsd'),
          readFileSync(join(root, 'root.xsd'), 'utf8').replace(
            '</xs:schema>',
            '<xs:element name="other" type="xs:strin"/></xs:schema>',
          ),
        ),
      /org\.example\.mistaken\/root\.xsd is not a valid XML schema: .*'strin' does not resolve .* line \d+\)$/,
    ],
  ];
  for (const [name, auid, change, message] of cases) {
    const folder = brokenUsages(t, auid, change);
    await t.rejects(loadUsages([{ sources: folder, definitions: folder }]), { message }, name);
  }
});

t.test('files that were checked a moment ago are not compiled before they are needed', async (t) => {
  const folder = brokenUsages(t, 'org.example.later', (folder) =>
    writeFileSync(
      join(folder, 'root.xsd'),
      '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element/></xs:schema>',
    ),
  );
  const choices = { optionalUsages: [], policies: new Map<string, string>(), areExamplesChecked: true };
  const usages = await loadUsages([{ sources: folder, definitions: folder }], choices);
  const { schema } = usages.get('org.example.later') ?? {};
  t.throws(() => schema && validate('<root/>', schema), { name: 'SchemaLoadError' });
});

t.test('the usages of the product load, ordered by AUID', async (t) => {
  const usages = [...(await loadUsages([usageFolders])).keys()];
  t.same(usages, usages.toSorted());
  t.ok(usages.includes('xcap-caps'), 'RFC 4825 §12: every server has xcap-caps');
});

t.test('optional usages are served where they are asked for', async (t) => {
  const auid = 'org.example.optional';
  const folder = brokenUsages(t, auid, (folder) =>
    writeFileSync(join(folder, 'usage.js'), definition(auid, 'isOptional: true')),
  );
  const folders = [{ sources: folder, definitions: folder }];
  const none = new Map<string, string>();
  t.same([...(await loadUsages(folders)).keys()], []);
  t.same([...(await loadUsages(folders, { optionalUsages: [auid], policies: none })).keys()], [auid]);
  t.same([...(await loadUsages(folders, { optionalUsages: 'all', policies: none })).keys()], [auid]);
  await t.rejects(loadUsages(folders, { optionalUsages: ['org.example.other'], policies: none }), {
    name: 'UsageError',
    message: /XCAP_OPTIONAL_USAGES has 'org\.example\.other'/,
  });
});

t.test('a lenient schema is taken where it is asked for', async (t) => {
  const auid = 'org.example.lenient';
  const schema = (type: string) =>
    `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="root" ${type}/></xs:schema>`;
  const broken = (lenient: string) =>
    brokenUsages(t, auid, (folder) => {
      writeFileSync(join(folder, 'usage.js'), definition(auid, `lenientSchema: 'lenient.xsd'`));
      writeFileSync(join(folder, 'lenient.xsd'), lenient);
      writeFileSync(join(folder, 'root.xsd'), schema('type="xs:string"'));
      rmSync(join(folder, 'examples/schema-validation-error-root.xml'));
      writeFileSync(join(folder, 'examples/schema-validation-error-child.xml'), '<root><a/></root>');
    });
  const load = (folder: string, lenientUsages: string[]) =>
    loadUsages([{ sources: folder, definitions: folder }], {
      optionalUsages: [],
      policies: new Map(),
      lenientUsages,
    });
  const folder = broken(schema('type="xs:string"'));
  t.match((await load(folder, [])).get(auid)?.schema?.files[0].path, /root\.xsd$/);
  t.match((await load(folder, [auid])).get(auid)?.schema?.files[0].path, /lenient\.xsd$/);
  await t.rejects(load(folder, ['org.example.other']), {
    name: 'UsageError',
    message: /XCAP_LENIENT_USAGES has 'org\.example\.other'.*; those are: org\.example\.lenient\.$/,
  });
  await t.rejects(load(broken(schema('')), []), { message: /lenient schema of .* accepts all/ });
});

t.test('an alias means one usage', async (t) => {
  const auid = 'org.example.alias';
  const load = (alias: string) => {
    const folder = brokenUsages(t, auid, (folder) =>
      writeFileSync(join(folder, 'usage.js'), definition(auid, `aliases: ['org.example.name', '${alias}']`)),
    );
    return loadUsages([{ sources: folder, definitions: folder }]);
  };
  const usages = await load('org.example.other');
  t.equal(usageNamed(usages, 'org.example.other')?.usage.auid, auid);
  t.equal(usageNamed(usages, auid)?.usage.auid, auid);
  t.equal(usageNamed(usages, 'org.example.none'), undefined);
  for (const alias of [auid, 'org.example.name']) {
    await t.rejects(load(alias), { name: 'UsageError', message: /means org\.example\.alias already/ });
  }
});

t.test('a policy is chosen by its name', async (t) => {
  const auid = 'org.example.policies';
  const more = 'otherPolicies: { nobody: { authorization: () => false } }';
  const folder = brokenUsages(t, auid, (folder) =>
    writeFileSync(join(folder, 'usage.js'), definition(auid, more)),
  );
  const folders = [{ sources: folder, definitions: folder }];
  const load = (policies: [string, string][]) =>
    loadUsages(folders, { optionalUsages: [], policies: new Map(policies) });
  t.equal((await load([])).get(auid)?.usage.authorization, undefined);
  t.type((await load([[auid, 'nobody']])).get(auid)?.usage.authorization, 'function');
  await t.rejects(load([[auid, 'everybody']]), { message: /XCAP_POLICIES .* but it has nobody\.$/ });
  await t.rejects(load([['org.example.other', 'nobody']]), { message: /no such usage/ });
});
