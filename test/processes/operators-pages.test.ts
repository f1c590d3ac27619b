/** What the pages for operators tell to type works as it stands there, but for places, ports and hosts. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { variables } from '../../src/config/environment.js';
import { packageFolder } from '../../src/package-files.js';
import { stopPatienceMilliseconds } from '../../src/processes/supervisor.js';
import { query, testCluster, type TestDatabase } from '../fixtures/database.js';
import { client } from '../fixtures/http-client.js';
import { operatedMachine, releases } from '../fixtures/operated-machine.js';
import { blocksIn, follow, notRun, pages, pageText, runnable } from '../fixtures/operators-pages.js';
import { needs, peerProgram } from '../fixtures/peers.js';
import { childrenOf, sendSignal, until, urlOf, workersOf } from '../fixtures/serve.js';

t.test('what is not run is there', (t) => {
  for (const page of pages) {
    const fences = pageText(page).match(/^ *(```|~~~)/gm) ?? [];
    t.equal(blocksIn(page, /^(sh|sql|yaml|ini)$/).length * 2, fences.length, `${page} has no other blocks`);
  }
  const texts = pages.flatMap((page) => blocksIn(page, /^sh$/)).map(({ text }) => text);
  for (const [words, why] of Object.entries(notRun)) {
    t.equal(texts.filter((text) => text.startsWith(words)).length, 1, `${words}: ${why}`);
  }
  t.end();
});

t.test('names and links', (t) => {
  for (const page of pages) {
    const text = pageText(page);
    for (const [name] of text.matchAll(/\bXCAP_(?!SERVICE_)[A-Z_]+\b/g))
      t.ok(name in variables, `${page}: ${name}`);
    for (const [, link = ''] of text.matchAll(/\]\(([^):]+)\)/g)) {
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? `docs/${page}.md` : join('docs', path);
      const target = join(packageFolder, file);
      if (!existsSync(target)) t.fail(`${page}: ${link}`);
      else if (anchor !== undefined) t.ok(anchorsOf(readFileSync(target, 'utf8')).includes(anchor), link);
    }
  }
  t.end();
});

/** As GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

const skip = needs('promtool').skip || needs('openssl').skip || needs('curl').skip;

t.test('deployment, operations and upgrade', { skip }, async (t) => {
  const name = 'operators_pages';
  const database: TestDatabase = { ...testCluster(), user: 'xcapd', database: name };
  t.teardown(async () => {
    await query(testCluster(), `drop database if exists ${name} with (force)`);
    await query(testCluster(), 'drop role if exists xcapd');
  });
  const deployed = await operatedMachine(t, [
    ['postgres://xcapd:PASSWORD@db.example.com/xcapd', urlOf(database)],
    ['create database xcapd ', `create database ${name} `],
    // The second one costs time at each start.
    ['XCAP_WORKERS=2', 'XCAP_WORKERS=1'],
  ]);
  const { managementPort, place, service } = deployed;
  const manage = client(managementPort, false);
  const sql = (statement: string) =>
    query(statement.trimStart().startsWith('create') ? testCluster() : database, statement);
  const tokens = () => readFileSync(place('etc/xcapd/admin.tokens'), 'utf8');
  const modeOf = (path: string) => statSync(place(path)).mode & 0o777;
  const statusFor = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await manage('GET', '/api/v1/subscribers', { headers })).status;
  };

  await follow(t, deployed, runnable('deployment'), sql);
  await t.test('on Kubernetes', async (t) => {
    const [manifest] = blocksIn('deployment', /^yaml$/);
    const { spec } = (parse(manifest?.text ?? '') as { spec: { template: { spec: PodSpec } } }).spec.template;
    const [{ env, ports, ...container }] = spec.containers;
    for (const { name } of env) t.ok(name in variables, name);
    t.same(
      ports.map(({ containerPort }) => containerPort),
      [variables.PORT.default, variables.ADMIN_PORT.default],
    );
    for (const { httpGet } of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      t.equal(httpGet.port, 'management');
      t.equal((await manage('GET', httpGet.path)).status, 200, httpGet.path);
    }
    const pause = Number(container.lifecycle.preStop.exec.command.at(-1));
    t.ok(spec.terminationGracePeriodSeconds > pause + stopPatienceMilliseconds / 1000);
  });

  t.equal(modeOf('etc/xcapd/xcapd.env'), 0o640);
  const token = tokens().trim().split(' ').at(-1) ?? '';
  t.equal(await statusFor(token), 200);
  await follow(t, deployed, runnable('operations'), sql);
  t.match(tokens(), /^ann-2 \S+\n$/);
  t.equal(modeOf('etc/xcapd/admin.tokens'), 0o640);
  await until('the old token opens nothing', async () => (await statusFor(token)) === 401);
  const [scraping] = blocksIn('operations', /^yaml$/);
  writeFileSync(place('etc/prometheus/prometheus.yml'), deployed.here(scraping?.text ?? ''));
  const check = ['check', 'config', place('etc/prometheus/prometheus.yml')];
  t.match(spawnSync(peerProgram('promtool'), check, { encoding: 'utf8' }), { status: 0 });

  copyFileSync(place(`home/xcapd-${releases.old}.tgz`), place(`home/xcapd-${releases.next}.tgz`));
  await follow(t, deployed, runnable('upgrade'), sql);
  t.equal(readlinkSync(place('opt/xcapd')), place(`opt/xcapd-${releases.old}`));
  const backup = `var/backups/xcapd-${releases.old}.sql`;
  t.match(readFileSync(place(backup), 'utf8'), /sip:alice@example\.com/);
  t.equal(modeOf(backup), 0o600);
  t.strictSame(await sql('select xui from xcapd.subscribers'), [{ xui: 'sip:alice@example.com' }]);

  await t.test('a worker is of the release that was started', async (t) => {
    unlinkSync(place('opt/xcapd'));
    symlinkSync(place(`opt/xcapd-${releases.next}`), place('opt/xcapd'));
    const before = workersOf(service());
    sendSignal(before[0] ?? 0, 'SIGKILL');
    const replaced = () => workersOf(service()).filter((pid) => !before.includes(pid));
    await until('another worker is there', () => replaced().length === 1);
    const { command = '' } = childrenOf(service().pid).find(({ pid }) => pid === replaced()[0]) ?? {};
    t.ok(command.includes(place(`opt/xcapd-${releases.old}/`)), command);
  });
  await deployed.shell.systemctl('stop xcapd');
});

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [
    {
      readonly env: readonly { readonly name: string }[];
      readonly ports: readonly { readonly containerPort: number }[];
      readonly startupProbe: Probe;
      readonly livenessProbe: Probe;
      readonly readinessProbe: Probe;
      readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
    },
  ];
}
