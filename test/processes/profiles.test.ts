import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cloneDatabase } from '../fixtures/database.js';
import { runProgram, sendSignal, serve, temporaryDirectory, urlOf } from '../fixtures/serve.js';

const auid = 'simservs.ngn.etsi.org';
const target = `/xcap-root/${auid}/users/sip:alice@example.com/simservs.xml`;

const bindings = [
  'xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap"',
  'xmlns:ss="http://uri.etsi.org/ngn/params/xml/simservs/xcap"',
  'xmlns:cp="urn:ietf:params:xml:ns:common-policy"',
  'xmlns:ocp="urn:oma:xml:xdm:common-policy"',
].join(' ');
const one = `<simservs ${bindings}><communication-waiting/></simservs>`;
const two = `<simservs ${bindings}><terminating-identity-presentation/></simservs>`;

t.test('profiles are read again on SIGHUP by all workers', async (t) => {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, auid));
  const install = (text: string) => writeFileSync(join(folder, auid, 'all.xml'), text);
  install(one);
  writeFileSync(join(folder, auid, 'subscribers.json'), '{"*": "all"}');
  const served = await serve(t, {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    XCAP_PROFILES_DIR: folder,
    XCAP_WORKERS: '2',
  });
  const bodies = async () =>
    new Set(
      await Promise.all(Array.from({ length: 8 }, async () => (await served.send('GET', target)).body)),
    );
  t.strictSame([...(await bodies())], [one]);

  install(two);
  sendSignal(served.pid, 'SIGHUP');
  await served.wrote(/(the set of profiles was read again[^]*){2}/);
  t.strictSame([...(await bodies())], [two]);

  install('<simservs>');
  sendSignal(served.pid, 'SIGHUP');
  const [line] = await served.wrote(/^.*the set of profiles could not be read; the old one stays.*$/m);
  t.match(JSON.parse(line), { level: 50, reason: /all\.xml: / }, 'the log says why');
  t.strictSame([...(await bodies())], [two], 'the old ones stay');
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});

t.test('profiles that go while subscribers have them are told', async (t) => {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, auid));
  const fileOf = (name: string) => join(folder, auid, `${name}.xml`);
  for (const name of ['gold', 'silver', 'bronze']) writeFileSync(fileOf(name), one);
  writeFileSync(join(folder, auid, 'subscribers.json'), '{}');
  const served = await serve(t, {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    XCAP_PROFILES_DIR: folder,
  });
  for (const [user, profile] of Object.entries({ alice: 'gold', bob: 'gold', carol: 'silver' })) {
    const body = JSON.stringify({ xui: `sip:${user}@example.com`, profile });
    const headers = { 'content-type': 'application/json' };
    t.equal((await served.manage('POST', '/api/v1/subscribers', { headers, body })).status, 201);
  }
  t.equal((await served.send('GET', target)).body, one);

  for (const name of ['gold', 'bronze']) rmSync(fileOf(name));
  sendSignal(served.pid, 'SIGHUP');
  const [line] = await served.wrote(/^.*profiles that are no longer there.*$/m);
  t.match(JSON.parse(line), { level: 40 });
  t.strictSame((JSON.parse(line) as { subscribers: object }).subscribers, { gold: 2 }, 'not what nobody has');
  t.equal((await served.send('GET', target)).status, 404, 'such a profile counts as none');
});

t.test('a broken profile stops the start', async (t) => {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, auid));
  writeFileSync(join(folder, auid, 'subscribers.json'), '{"*": "all"}');
  const environment = {
    DATABASE_URL: urlOf(await cloneDatabase(t)),
    XCAP_PROFILES_DIR: folder,
    LOG_LEVEL: 'fatal',
  };
  const { code, output } = await runProgram(t, { environment });
  t.equal(code, 1);
  t.match(output, /^xcapd: .*subscribers\.json: '\*' has the profile "all", which is not there\.\n$/);
});
