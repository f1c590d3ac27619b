/** The unit in examples/: systemd has nothing to say against it, and it fits the program. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { variables } from '../../src/config/environment.js';
import { packageFolder } from '../../src/package-files.js';
import { stopPatienceMilliseconds } from '../../src/processes/supervisor.js';
import { endingSignals } from '../../src/storage/embedded/process.js';
import { runCommand } from '../fixtures/command-line.js';
import { blocksIn } from '../fixtures/operators-pages.js';
import { needs, peerProgram } from '../fixtures/peers.js';
import { temporaryDirectory } from '../fixtures/serve.js';
import { environmentOf, exampleUnit, readUnit } from '../fixtures/service-unit.js';

const unit = readUnit(exampleUnit());
/** In tenths; the server needs the network, its files and machine code made as it runs. */
const highestExposure = 20;

t.test('systemd-analyze', needs('systemd-analyze'), (t) => {
  // Node.js may be elsewhere here.
  const file = join(temporaryDirectory(t), 'xcapd.service');
  writeFileSync(file, exampleUnit().replaceAll('/usr/bin/node', process.execPath));
  const changed = join(temporaryDirectory(t), 'xcapd.service');
  const [change] = blocksIn('deployment', /^ini$/);
  writeFileSync(changed, `${readFileSync(file, 'utf8')}\n${change?.text}`);
  for (const words of [
    ['verify', file],
    ['verify', changed],
    ['security', '--offline=true', '--no-pager', `--threshold=${highestExposure}`, file],
  ]) {
    const { status, stdout, stderr } = spawnSync(peerProgram('systemd-analyze'), words, { encoding: 'utf8' });
    t.equal(status, 0, `${words.join(' ')}: ${stdout}`);
    t.notMatch(stderr, /xcapd/, 'it may find fault with units of others');
  }
  t.end();
});

t.test('what it names is there', async (t) => {
  const [node, program, ...words] = unit('Service.ExecStart').join('\n').split(' ');
  t.equal(node, '/usr/bin/node');
  const files = [program, ...unit('Unit.Documentation')].map(
    (file) => /\/opt\/xcapd\/(\S+)$/.exec(file ?? '')?.[1],
  );
  for (const file of files) t.ok(file !== undefined && existsSync(join(packageFolder, file)), String(file));
  t.equal((await runCommand([...words, '--help'])).code, 0, 'there is such a command');
  t.match(words, ['serve']);

  const { TMPDIR, ...ours } = environmentOf(unit);
  for (const name of Object.keys(ours)) t.ok(name in variables, name);
  t.equal(TMPDIR, `/run/${unit('Service.RuntimeDirectory').join()}`);
  t.equal(ours.XCAP_DATA_DIR, `/var/lib/${unit('Service.StateDirectory').join()}`);
  t.equal(unit('Service.WorkingDirectory').join(), ours.XCAP_DATA_DIR);
});

t.test('it waits as long as the program takes at most', (t) => {
  const postgres = endingSignals.reduce((sum, [, patience]) => sum + patience, 0);
  t.ok(Number(unit('Service.TimeoutStopSec')) * 1000 > stopPatienceMilliseconds + postgres);
  t.same(unit('Service.KillMode'), ['mixed'], 'PostgreSQL ends last');
  t.same(unit('Service.KillSignal'), ['SIGTERM']);
  t.end();
});

t.test('all connections have file descriptors', (t) => {
  t.ok(Number(unit('Service.LimitNOFILE')) > variables.XCAP_MAX_CONNECTIONS.default * 2);
  t.end();
});

t.test('what makes no sense to repeat is not repeated', async (t) => {
  const wrong = await runCommand(['serve', '--no-such-option']);
  t.same(unit('Service.RestartPreventExitStatus'), [String(wrong.code)]);
});
