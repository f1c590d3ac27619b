import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../src/package-files.js';
import { peerPackages } from './fixtures/peers.js';

t.test('CI installs the programs that tests talk to', async (t) => {
  const script = readFileSync(join(packageFolder, '.ci/run'), 'utf8');
  const installed = /^packages=\((.*)\)$/m.exec(script)?.[1]?.split(' ') ?? [];
  t.strictSame([...installed].sort(), [...peerPackages].sort());
});

t.test('CI runs on the versions of Node.js that the README names', async (t) => {
  const readme = readFileSync(join(packageFolder, 'README.md'), 'utf8');
  const named = /You need Node\.js (.*?),/.exec(readme)?.[1]?.split(' or ');
  const script = readFileSync(join(packageFolder, '.ci/other-node-versions'), 'utf8');
  const versions = /^versions=\((.*)\)$/m.exec(script)?.[1]?.split(' ') ?? [];
  t.strictSame(
    versions.map((version) => version.split('.')[0]),
    named,
  );
});
