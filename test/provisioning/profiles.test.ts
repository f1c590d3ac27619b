import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageFolder, usageFolders } from '../../src/package-files.js';
import { loadProfiles } from '../../src/provisioning/profiles.js';
import { loadUsages } from '../../src/usages/registry.js';
import { canonicalXui } from '../../src/xcap/uri/xui.js';
import { thrown } from '../fixtures/thrown.js';

const auid = 'simservs.ngn.etsi.org';
const usages = await loadUsages([usageFolders], { optionalUsages: [], policies: new Map() });

const bindings = [
  'xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap"',
  'xmlns:ss="http://uri.etsi.org/ngn/params/xml/simservs/xcap"',
  'xmlns:cp="urn:ietf:params:xml:ns:common-policy"',
  'xmlns:ocp="urn:oma:xml:xdm:common-policy"',
].join(' ');
const waiting = `<simservs ${bindings}><communication-waiting/></simservs>`;

/** A folder with these files, by their paths. */
function folderWith(t: Test, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'xcapd-profiles-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

t.test('the most exact pattern wins', (t) => {
  const folder = folderWith(t, {
    'README.txt': 'not looked at',
    [`${auid}/one.xml`]: waiting,
    [`${auid}/two.xml`]: waiting.replace('/>', '></communication-waiting>'),
    [`${auid}/three.xml`]: `<?xml version="1.0"?>${waiting}`,
    [`${auid}/notes.txt`]: 'not looked at',
    [`${auid}/subscribers.json`]: JSON.stringify({
      '*': 'three',
      '*@Example.COM': 'two',
      'Alice@example.com': 'one',
      'tel:+15550100001': 'one',
      bob: 'one',
    }),
  });
  const { profileOf } = loadProfiles(folder, usages, 'example.org');
  const nameOf = (xui: string, path: [string, ...string[]] = ['simservs.xml'], of = auid) => {
    const text = profileOf({ tree: 'users', auid: of, xui: canonicalXui(xui), path })?.(undefined)?.document
      .text;
    if (text === undefined) return undefined;
    return text.startsWith('<?xml') ? 'three' : text.includes('</comm') ? 'two' : 'one';
  };
  t.equal(nameOf('sip:Alice@EXAMPLE.com'), 'one');
  t.equal(nameOf('tel:+15550100001'), 'one');
  t.equal(nameOf('sip:bob@example.org'), 'one', 'with the default domain');
  t.equal(nameOf('sip:alice@example.com'), 'two', 'users have cases');
  t.equal(nameOf('sip:carol@example.com'), 'two');
  t.equal(nameOf('sip:carol@example.com;user=phone'), 'two');
  t.equal(nameOf('sip:carol@sub.example.com'), 'three');
  t.equal(nameOf('tel:+15550100002'), 'three');
  t.equal(nameOf('tel:+15550100001', ['other.xml']), undefined, 'another document');
  t.equal(nameOf('tel:+15550100001', ['a', 'simservs.xml']), undefined);
  t.equal(nameOf('tel:+15550100001', ['simservs.xml'], 'resource-lists'), undefined, 'another usage');
  const tagOf = (xui: string) =>
    profileOf({ tree: 'users', auid, xui, path: ['simservs.xml'] })?.(undefined)?.document.entityTag;
  t.equal(tagOf('tel:+15550100001'), tagOf('sip:bob@example.org'));
  t.not(tagOf('tel:+15550100001'), tagOf('tel:+15550100002'));
  t.end();
});

t.test('nobody has a profile without an assignment', (t) => {
  const folder = folderWith(t, { [`${auid}/one.xml`]: waiting, [`${auid}/subscribers.json`]: '{}' });
  const { profileOf } = loadProfiles(folder, usages);
  t.equal(profileOf({ tree: 'users', auid, xui: 'tel:1', path: ['simservs.xml'] })?.(undefined), undefined);
  t.equal(
    loadProfiles(folderWith(t, {}), usages).profileOf({ tree: 'users', auid, xui: 'a', path: ['b'] }),
    undefined,
  );
  t.end();
});

t.test('what cannot be used', (t) => {
  const one = `${auid}/one.xml`;
  const subscribers = `${auid}/subscribers.json`;
  const cases: readonly [files: Record<string, string>, file: string, message: RegExp][] = [
    [{ 'no-such-usage/one.xml': waiting }, 'no-such-usage', /no application usage/],
    [{ 'resource-lists/subscribers.json': '{}' }, 'resource-lists', /cannot be provisioned/],
    [{ 'xcap-caps/subscribers.json': '{}' }, 'xcap-caps', /cannot be provisioned/],
    [{ [one]: waiting }, subscribers, /cannot be read: ENOENT/],
    [{ [subscribers]: '{"*": "one"' }, subscribers, /cannot be read: .*JSON/],
    [{ [subscribers]: '["one"]' }, subscribers, /has to be one object/],
    [{ [subscribers]: 'null' }, subscribers, /has to be one object/],
    [{ [subscribers]: '{"*": "one"}' }, subscribers, /'\*' has the profile "one", which is not there/],
    [{ [one]: waiting, [subscribers]: '{"*": 1}' }, subscribers, /the profile 1, which is not there/],
    [{ [one]: waiting, [subscribers]: '{"*": "one.xml"}' }, subscribers, /"one.xml", which is not there/],
    [{ [one]: waiting, [subscribers]: '{"sip:*@a": "one"}' }, subscribers, /'sip:\*@a' is neither/],
    [{ [one]: waiting, [subscribers]: '{"": "one"}' }, subscribers, /'' is neither/],
    [
      { [one]: waiting, [subscribers]: '{"a@x": "one", "sip:a@X": "one"}' },
      subscribers,
      /'sip:a@X' stands there under another spelling/,
    ],
    [{ [one]: waiting, [subscribers]: '{"*@x": "one", "*@X": "one"}' }, subscribers, /'\*@X' stands/],
    [{ [one]: '<simservs>' }, one, /line 1/],
    [{ [one]: '<!DOCTYPE a><a/>' }, one, /document type/],
    [{ [one]: '\0<\0a\0' }, one, /UTF-8/],
    [{ [one]: waiting.replace('communication-waiting', 'call-waiting') }, one, /call-waiting/],
    [{ [one]: waiting.replace('<c', '<communication-waiting/><c') }, one, /set up more than once/],
    [{ [one]: waiting.replace('xmlns:ocp', 'xmlns:o') }, one, /declare xmlns:ocp=/],
  ];
  for (const [files, file, message] of cases) {
    const folder = folderWith(t, files);
    const error = thrown(() => loadProfiles(folder, usages));
    t.match(error, { name: 'ProfileError', message }, String(error));
    t.match(error, { message: `${folder}/${file}` }, 'names the file');
    t.match(error, { message: /^[^\n]+[.)]$/ }, 'one line');
  }
  t.match(
    thrown(() => loadProfiles('/nowhere', usages)),
    { message: /^\/nowhere cannot be read: ENOENT/ },
  );
  t.end();
});

t.test('the examples of this repository can be used', (t) => {
  const { profileOf, names } = loadProfiles(join(packageFolder, 'profiles'), usages);
  t.same([...names].toSorted(), ['prepaid', 'residential']);
  for (const xui of ['sip:alice@example.com', 'tel:+15550100001', 'sip:any@prepaid.example.com']) {
    t.ok(profileOf({ tree: 'users', auid, xui, path: ['simservs.xml'] })?.(undefined), xui);
  }
  t.end();
});
