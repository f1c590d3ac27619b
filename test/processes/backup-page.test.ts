/** What docs/backup.md tells to type works as it stands there, with the embedded PostgreSQL. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { emptyDatabase, query } from '../fixtures/database.js';
import { client } from '../fixtures/http-client.js';
import { operatedMachine, releases } from '../fixtures/operated-machine.js';
import { follow, runnable } from '../fixtures/operators-pages.js';
import { alice, resourceList } from '../fixtures/resource-lists.js';
import { programFile, urlOf } from '../fixtures/serve.js';
import { exampleUnit } from '../fixtures/service-unit.js';

t.test('backup', async (t) => {
  const own = await emptyDatabase(t, "template template0 encoding 'utf8'");
  const embedded = await operatedMachine(t, [['postgres://xcapd@db.example.com/xcapd', `'${urlOf(own)}'`]], {
    XCAP_DATA_DIR: '/var/lib/xcapd',
  });
  const { place, port, shell, service } = embedded;
  mkdirSync(place('etc/xcapd'));
  writeFileSync(place('etc/xcapd/xcapd.env'), '');
  writeFileSync(place('etc/systemd/system/xcapd.service'), exampleUnit());
  symlinkSync(packageFolder, place('opt/xcapd'));
  writeFileSync(place('usr/local/bin/xcapd'), `#!/bin/sh\nexec node ${programFile} "$@"\n`, { mode: 0o755 });
  await shell.systemctl('start xcapd');
  await service().wrote(/"msg":"xcapd listens"/);
  const body = resourceList('friends');
  t.equal((await client(port, false)('PUT', `${alice}/index`, { body })).status, 201);
  const settings = { ...shell.environment, XCAP_DATA_DIR: undefined };
  const [upgrade] = runnable('upgrade');
  if (upgrade === undefined) throw new Error('docs/upgrade.md tells nothing to type');
  await follow(t, { ...embedded, shell: { ...shell, environment: settings } }, [upgrade]);
  t.match(readFileSync(place(`var/backups/xcapd-${releases.old}.sql`), 'utf8'), /name="friends"/);
  await follow(t, embedded, runnable('backup'));
  t.strictSame(await query(own, 'select content from xcapd.documents'), [{ content: body }]);
});
