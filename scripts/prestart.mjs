/**
 * Before `npm start`: builds where sources are newer than what was built and TypeScript is there. A published package has no
 * sources and an image no TypeScript; both run what was built. Plain JavaScript, because nothing is built yet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const compiler = join(folder, 'node_modules/typescript/bin/tsc');
const built = ['src/cli.js', 'all.tsbuildinfo'].map((name) => join(folder, 'dist', name));

function newestSource() {
  const sources = ['src', 'auids'].flatMap((name) => filesBelow(join(folder, name)));
  return Math.max(0, ...sources.filter((file) => file.endsWith('.ts')).map(timeOf));
}

function filesBelow(place) {
  if (!existsSync(place)) return [];
  return readdirSync(place, { recursive: true }).map((name) => join(place, name));
}

function timeOf(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

if (newestSource() > Math.max(...built.map(timeOf))) {
  if (existsSync(compiler)) {
    const build = spawnSync(process.execPath, [compiler, '-p', join(folder, 'tsconfig.build.json')], {
      stdio: 'inherit',
    });
    process.exitCode = build.status ?? 1;
  } else if (existsSync(built[0])) {
    process.stderr.write(
      'xcapd: the sources are newer than what was built, and TypeScript is not installed to build them.\n',
    );
  }
}
if (!existsSync(built[0]) && !process.exitCode) {
  process.stderr.write(
    'xcapd: nothing is built, and TypeScript is not installed. Run `npm ci && npm run build` where it may be, then ' +
      '`npm prune --omit=dev`; or install the package that `npm pack` makes.\n',
  );
  process.exitCode = 1;
}
