#!/usr/bin/env node
/** The command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { ConfigError, readConfig } from './config.js';
import { migrationsFolder, packageFolder } from './package-files.js';
import { migrate } from './storage/migrations.js';
import { serve } from './supervisor.js';

const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
  version: string;
};

const program = new Command('xcapd')
  .description('XCAP server (RFC 4825) and XML document management server for IMS')
  .version(version)
  .addHelpText('after', '\nConfiguration is by environment variables; README.md has the table.');

program
  .command('serve', { isDefault: true })
  .description('run the server until SIGTERM or SIGINT')
  .action(() => serve(readConfig(process.env)));

program
  .command('migrate')
  .description('bring the database of DATABASE_URL to the schema of this program, and exit')
  .action(async () => {
    const { databaseUrl } = readConfig(process.env);
    if (databaseUrl === undefined) throw new ConfigError('DATABASE_URL is not set.');
    const applied = await migrate({ url: databaseUrl }, migrationsFolder);
    process.stdout.write(
      applied.length === 0 ? 'The schema is up to date.\n' : `Applied: ${applied.join(', ')}\n`,
    );
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`xcapd: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
