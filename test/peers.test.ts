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
