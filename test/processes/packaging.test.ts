/** What is published runs without TypeScript and without anything else that only building and testing need. */
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { linkProductionPackages } from '../fixtures/production-packages.js';
import { serve, temporaryDirectory } from '../fixtures/serve.js';

const run = promisify(execFile);

t.test('the package serves', async (t) => {
  const directory = temporaryDirectory(t);
  // What prepack builds is built already.
  const { scripts } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  t.equal(scripts.prepack, 'npm run build');
  const packing = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const { stdout } = await run('npm', packing, { cwd: packageFolder, maxBuffer: 16 * 1024 * 1024 });
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  const paths = packed?.files.map(({ path }) => path) ?? [];
  t.ok(paths.includes('dist/src/cli.js'));
  t.ok(paths.includes('npm-shrinkwrap.json'), '`npm ci` takes the versions that were tested');
  t.same(
    paths.filter((path) => /\.ts$|\.test\.|^(test|bench|src|tools)\/|^dist\/(test|bench|tools)\//.test(path)),
    [],
    'nothing is in it that only developers need',
  );

  await run('tar', ['-xzf', packed?.filename ?? ''], { cwd: directory });
  const unpacked = join(directory, 'package');
  await run('sh', ['-ec', linkProductionPackages()], { cwd: unpacked });
  const served = await serve(
    t,
    { XCAP_DATA_DIR: join(directory, 'data'), npm_config_update_notifier: 'false' },
    { command: ['npm', 'start'], arguments: [], directory: unpacked },
  );
  t.equal((await served.send('GET', '/xcap-root/xcap-caps/global/index')).status, 200);
  t.equal((await served.manage('GET', '/docs/')).status, 200);
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});

t.test('a checkout without TypeScript', (t) => {
  const directory = temporaryDirectory(t);
  cpSync(join(packageFolder, 'scripts'), join(directory, 'scripts'), { recursive: true });
  mkdirSync(join(directory, 'src'));
  cpSync(join(packageFolder, 'src/once.ts'), join(directory, 'src/once.ts'));
  const prestart = () => {
    const script = join(directory, 'scripts/prestart.mjs');
    const { status: code, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    return { code, stderr };
  };
  t.match(prestart(), {
    code: 1,
    stderr: /^xcapd: nothing is built, and TypeScript is not installed\. /,
  });
  mkdirSync(join(directory, 'dist/src'), { recursive: true });
  cpSync(join(packageFolder, 'dist/src/cli.js'), join(directory, 'dist/src/cli.js'));
  const source = join(directory, 'src/once.ts');
  utimesSync(source, new Date(), new Date(Date.now() - 60_000));
  t.strictSame(prestart(), { code: 0, stderr: '' }, 'what was built is run');
  utimesSync(source, new Date(), new Date(Date.now() + 60_000));
  t.match(prestart(), { code: 0, stderr: /^xcapd: the sources are newer/ });
  t.end();
});

t.test('an old Node.js gets a sentence', (t) => {
  const old = "data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.18.0' })";
  const program = join(packageFolder, 'dist/src/cli.js');
  const { status, stderr } = spawnSync(process.execPath, ['--import', old, program], { encoding: 'utf8' });
  t.equal(status, 2);
  t.equal(stderr, 'xcapd: Node.js 20.18.0 is too old; install 20.18.1 or later, best 22 or 24.\n');
  t.end();
});
