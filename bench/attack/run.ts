/**
 * `npm run attack [-- TEXT]`: somebody does their worst to a server of one worker, while somebody else asks for a small document. Prints how
 * long the other one waited, and fails where that was long. With a text
 * only the attacks whose name contains it.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/storage/embedded/postgres.js';
import { processTree } from '../processes.js';
import { startXcapServer, type XcapServer } from '../servers.js';
import { attacks, type Attack } from './attacks.js';
import { costOfRules } from './judgement.js';
import { startWatcher, type Watcher } from './watcher.js';

/** What is aimed at is a tenth of a second; machines are busy, and what stops a worker stops it for many seconds. */
const longestWaitMilliseconds = 1_000;
const mostGrowthBytes = 400 * 1024 * 1024;
const dearestRuleMilliseconds = 200;
const settleMilliseconds = 300;

const undoings: (() => unknown)[] = [];
const failures: string[] = [];

async function run(): Promise<void> {
  const only = process.argv[2] ?? '';
  if (only === '') await judge();
  const directory = mkdtempSync(join(tmpdir(), 'xcapd-attack-'));
  undoings.push(() => rmSync(directory, { recursive: true, force: true }));
  // PostgreSQL may run under another account, which has to get through.
  chmodSync(directory, 0o755);
  const server = await startServer(directory);
  const watcher = await startWatching(server);
  say('\nWhat somebody else waits for a small document meanwhile:\n');
  say(`${'longest wait'.padStart(13)}  ${'requests'.padStart(8)}  ${'memory'.padStart(7)}  attack`);
  for (const attack of attacks.filter(({ name }) => name.includes(only)))
    await endure(attack, server, watcher);
}

/** The rules of the usages, in this process. */
async function judge(): Promise<void> {
  const costs = await costOfRules();
  say('The dearest rules of usages on the worst documents that they accept:\n');
  for (const { what, shape, milliseconds } of costs.slice(0, 12)) {
    say(`${milliseconds.toFixed(1).padStart(8)} ms  ${what} (${shape})`);
  }
  for (const { what, shape, milliseconds } of costs) {
    if (milliseconds > dearestRuleMilliseconds)
      failures.push(`${what} took ${milliseconds.toFixed(0)} ms on "${shape}".`);
  }
}

async function startServer(directory: string): Promise<XcapServer> {
  const postgres = await startEmbeddedPostgres({
    dataDirectory: join(directory, 'postgres'),
    log: (_level, message) => say(message),
  });
  undoings.push(() => postgres.stop());
  const { host, user, database } = postgres.connection;
  const keys = join(directory, 'keys.json');
  writeFileSync(keys, '{"keys":[]}');
  const server = await startXcapServer({
    databaseUrl: `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}`,
    workers: 1,
    logFile: join(directory, 'server.log'),
    environment: {
      XCAP_IDENTITY_METHODS: 'asserted-identity,digest,bearer',
      XCAP_JWT_JWKS: keys,
      XCAP_DEFAULT_DOMAIN: 'example.com',
      XCAP_OPEN_PROVISIONING: 'true',
    },
  });
  undoings.push(() => server.stop());
  return server;
}

async function startWatching({ port }: XcapServer): Promise<Watcher> {
  const path = '/xcap-root/resource-lists/users/sip:watcher@example.com/index';
  const headers = {
    'x-3gpp-asserted-identity': 'sip:watcher@example.com',
    'content-type': 'application/resource-lists+xml',
  };
  const body = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
  const made = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'PUT', headers, body });
  if (!made.ok) throw new Error(`the watcher's document was not stored: ${await made.text()}`);
  const watcher = startWatcher({ port, path, headers });
  undoings.push(() => watcher.stop());
  return watcher;
}

async function endure(attack: Attack, server: XcapServer, watcher: Watcher): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, settleMilliseconds));
  await watcher.waits();
  const before = residentBytes(server);
  const came = await attack.strike(server.port);
  const growth = residentBytes(server) - before;
  const { requests, longestMilliseconds } = await watcher.waits();
  const wait = `${longestMilliseconds.toFixed(0)} ms`;
  const memory = `${growth < 0 ? '' : '+'}${(growth / 1024 / 1024).toFixed(0)} MB`;
  say(
    `${wait.padStart(13)}  ${String(requests).padStart(8)}  ${memory.padStart(7)}  ${attack.name} (${came})`,
  );
  if (longestMilliseconds > longestWaitMilliseconds) failures.push(`${attack.name}: a wait of ${wait}.`);
  if (growth > mostGrowthBytes) failures.push(`${attack.name}: ${memory} of memory.`);
}

function residentBytes({ pid }: XcapServer): number {
  const workers = processTree(pid).filter(({ command }) => command.includes('node'));
  return workers.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await run();
} finally {
  for (const undo of undoings.reverse()) await undo();
}
if (failures.length > 0) {
  say(`\nNot withstood:\n${failures.join('\n')}`);
  process.exitCode = 1;
}
