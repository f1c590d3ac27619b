/** White space where there is no content: XML that was laid out for people to read. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder, usageFolders } from '../../src/package-files.js';
import { loadUsages } from '../../src/usages/registry.js';
import { schemaFault } from '../../src/xcap/usage/validate.js';
import { read } from '../fixtures/source.js';

t.test('elements without content take white space and nothing else', async (t) => {
  const usages = await loadUsages([usageFolders], { optionalUsages: 'all', policies: new Map() });
  let documents = 0;
  for (const [auid, loaded] of usages) {
    const examples = join(packageFolder, 'auids', auid, 'examples');
    for (const name of readdirSync(examples).filter((name) => name.startsWith('valid-'))) {
      const text = readFileSync(join(examples, name), 'utf8');
      // An empty notify-caller has its default value as content.
      const laidOut = text.replace(
        /<(?!notify-caller)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*\/>/g,
        '<$1$2>\n  </$1>',
      );
      if (laidOut === text || loaded.schema === undefined) continue;
      documents++;
      t.equal(schemaFault(read(laidOut), loaded), undefined, `${auid} ${name}`);
    }
  }
  t.ok(documents > 30, `${String(documents)} documents`);
});

t.test('content is refused in elements without content', async (t) => {
  const usages = await loadUsages([usageFolders], { optionalUsages: 'all', policies: new Map() });
  const simservs = usages.get('simservs.ngn.etsi.org');
  if (simservs === undefined) throw new Error('simservs is not served');
  const refused = (service: string) =>
    schemaFault(
      read(
        `<simservs xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap" xmlns:cp="urn:ietf:params:xml:ns:common-policy">${service}</simservs>`,
      ),
      simservs,
    ) !== undefined;
  const inRule = (condition: string) =>
    `<incoming-communication-barring><cp:ruleset><cp:rule id="a"><cp:conditions>${condition}</cp:conditions></cp:rule></cp:ruleset></incoming-communication-barring>`;
  t.equal(refused('<communication-waiting active="true">\n</communication-waiting>'), false);
  t.equal(refused('<communication-waiting active="true">no</communication-waiting>'), true);
  t.equal(refused('<communication-waiting><busy/></communication-waiting>'), true);
  t.equal(refused('<communication-waiting active="maybe"> </communication-waiting>'), true);
  t.equal(refused(inRule('<roaming>\n<!-- abroad -->\n</roaming>')), false);
  t.equal(refused(inRule('<roaming>x</roaming>')), true);
  t.equal(refused(inRule('<roaming><busy/></roaming>')), true);
  t.equal(refused(inRule('<cp:sphere value="work"> </cp:sphere>')), false);
  t.end();
});
