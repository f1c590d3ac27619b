import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../../src/package-files.js';

t.test('redocly has nothing against openapi.yaml', async (t) => {
  const program = join(packageFolder, 'node_modules/@redocly/cli/bin/cli.js');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, 'lint', join(packageFolder, 'openapi.yaml'), '--format=json'],
    { env: { PATH: process.env.PATH, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
  );
  const { totals } = JSON.parse(stdout) as { totals: { errors: number } };
  t.equal(totals.errors, 0);
});
