/** `serve` and `migrate`: the commands that need no server, because they are it. */
import type { Command } from 'commander';
import { ConfigError } from '../config/config-error.js';
import type { Config } from '../config/config.js';
import { migrationsFolder } from '../package-files.js';
import { visibleText } from '../visible-text.js';
import { addHelp } from './help.js';

export function addServerCommands(program: Command): void {
  const serveCommand = program
    .command('serve')
    .description('run the server until SIGTERM or SIGINT; also what xcapd does without a command')
    .action(async () => {
      const { serve } = await import('../processes/supervisor.js');
      await serve(await configuration());
    });
  addHelp(serveCommand, ['xcapd serve', 'PORT=9090 DATABASE_URL=postgres://xcapd@db/xcapd xcapd serve']);

  const migrateCommand = program
    .command('migrate')
    .description('bring the database of DATABASE_URL to the schema of this program, and exit')
    .action(async () => {
      const { databaseUrl } = await configuration();
      if (databaseUrl === undefined) throw new ConfigError('DATABASE_URL is not set.');
      const { migrate } = await import('../storage/migrations.js');
      const sentences: string[] = [];
      const applied = await migrate({ url: databaseUrl }, migrationsFolder, (sentence) =>
        sentences.push(visibleText(sentence)),
      );
      const [nothingToDo = 'The schema is up to date.'] = sentences;
      if (applied.length === 0) process.stdout.write(`${nothingToDo}\n`);
      else {
        process.stdout.write(`Applied: ${applied.join(', ')}\n`);
        process.stderr.write(sentences.map((sentence) => `${sentence}\n`).join(''));
      }
    });
  addHelp(migrateCommand, ['DATABASE_URL=postgres://xcapd@db/xcapd xcapd migrate']);
}

/** Loaded here: the other commands need no configuration of a server, and are wanted soon. */
export async function configuration(): Promise<Config> {
  const { readConfig } = await import('../config/config.js');
  return readConfig(process.env);
}
