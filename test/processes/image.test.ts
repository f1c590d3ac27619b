/** The Dockerfile in examples/, as far as it goes without Docker: its commands make a folder from which the server runs. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { variables } from '../../src/config/environment.js';
import { packageFolder } from '../../src/package-files.js';
import { freePort } from '../fixtures/free-port.js';
import { linkProductionPackages, packHere } from '../fixtures/production-packages.js';
import { startProgram, temporaryDirectory } from '../fixtures/serve.js';

const run = promisify(execFile);

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Each stage begins with its FROM. */
function stagesOf(dockerfile: string): Instruction[][] {
  const stages: Instruction[][] = [];
  const lines = dockerfile
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n');
  for (const line of lines.filter((one) => one.trim() !== '')) {
    const [, name = '', text = ''] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`no instruction: ${line}`);
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, text });
  }
  return stages;
}

const [build = [], last = []] = stagesOf(readFileSync(join(packageFolder, 'examples/Dockerfile'), 'utf8'));
const textsOf = (stage: readonly Instruction[], name: string) =>
  stage.filter((one) => one.name === name).map(({ text }) => text);
const textOf = (name: string) => textsOf(last, name).join('\n');
const words = (json: string) => JSON.parse(json) as string[];
const environment = Object.fromEntries(
  textOf('ENV')
    .split(' ')
    .map((word) => word.split('=') as [string, string]),
);

t.test('the image', (t) => {
  const base = /^node:(\d+)-bookworm-slim$/.exec(textOf('FROM'));
  t.ok(base, 'glibc, and no compiler');
  t.match(textsOf(build, 'FROM').join('\n'), new RegExp(`^node:${base?.[1]}-bookworm AS build$`));
  const readme = readFileSync(join(packageFolder, 'README.md'), 'utf8');
  t.match(readme, new RegExp(`Node\\.js 22 or ${base?.[1]},`), 'a Node.js that the README names');
  t.notMatch(textOf('RUN'), /apt|npm/, 'nothing is installed in the last stage');
  t.match(textOf('USER'), /^[1-9]\d*$/, 'not root');
  t.match(textOf('RUN'), new RegExp(`--uid ${textOf('USER')} .* xcapd$`, 'm'), 'somebody with a name');
  t.equal(textOf('STOPSIGNAL'), 'SIGTERM');
  t.equal(textOf('EXPOSE'), String(variables.PORT.default));
  for (const name of Object.keys(environment)) t.ok(name in variables, name);
  t.equal(textOf('VOLUME'), environment.XCAP_DATA_DIR);
  const [from = '', to] = textOf('COPY').replace('--from=build ', '').split(' ');
  t.ok(textsOf(build, 'WORKDIR').includes(from));
  t.equal(from, to);
  const ignored = readFileSync(join(packageFolder, 'examples/Dockerfile.dockerignore'), 'utf8');
  for (const name of ['node_modules', 'dist', 'data', '.git']) t.match(ignored, new RegExp(`^${name}$`, 'm'));
  t.end();
});

t.test('its commands', async (t) => {
  const root = temporaryDirectory(t);
  /** Places of the image are below a folder here; what needs a network is done with what is here already. */
  const here = (command: string) =>
    command
      .replace('npm ci --omit=dev', () => linkProductionPackages())
      .replace('npm ci && npm pack', () => packHere)
      .replace(/(^| )(\/(build|opt|usr\/local|var)\/)/g, `$1${root}$2`);
  const program = join(root, 'usr/local/bin');
  mkdirSync(program, { recursive: true });
  let directory = root;
  for (const { name, text } of [...build, ...last]) {
    if (name === 'WORKDIR') mkdirSync((directory = join(root, text)), { recursive: true });
    // That one makes an account.
    if (name === 'RUN' && !text.startsWith('useradd'))
      await run('sh', ['-ec', here(text)], { cwd: directory });
  }
  t.ok(existsSync(join(root, 'opt/xcapd/npm-shrinkwrap.json')), '`npm ci` has something to go by');
  t.notOk(existsSync(join(root, 'opt/xcapd/node_modules/typescript')));
  t.notOk(existsSync(join(root, 'opt/xcapd/src')));

  const [port, managementPort] = [await freePort(), await freePort()];
  const command = [...words(textOf('ENTRYPOINT')), ...words(textOf('CMD'))];
  const [, healthCheck = ''] = / CMD (\[.*\])$/.exec(textOf('HEALTHCHECK')) ?? [];
  const inside = {
    PATH: `${program}:${dirname(process.execPath)}:/usr/bin:/bin`,
    ADMIN_PORT: String(managementPort),
  };
  const health = () => {
    const [file = '', ...rest] = words(healthCheck);
    return spawnSync(file, rest, { env: inside, encoding: 'utf8' });
  };
  t.match(health(), { status: 1, stderr: '' }, 'before the start it is not healthy');
  const data = join(root, environment.XCAP_DATA_DIR ?? '');
  const served = startProgram(t, {
    command: ['/usr/bin/env', ...command],
    arguments: [],
    environment: { ...environment, ...inside, PORT: String(port), XCAP_DATA_DIR: data },
  });
  await served.wrote(/"msg":"xcapd listens"/);
  t.match(health(), { status: 0, stderr: '' }, 'then it is');
  t.strictSame(await served.kill('SIGTERM'), { code: 0, signal: null });
});
