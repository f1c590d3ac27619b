/** `npm run bench`: starts everything, measures in interleaved rounds, reports, and stops everything. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { poolSizes } from '../src/storage/database.js';
import { startEmbeddedPostgres } from '../src/storage/embedded/postgres.js';
import { startDatabaseLoad } from './database-load.js';
import { comparisons, listFigures, mostConnections, prepareDocuments, type Figure } from './figures.js';
import { readOptions, type Options } from './options.js';
import { cpuSeconds, processTree, type ProcessFigures } from './processes.js';
import { figureTable, machineLine, ratioTable, type Measured } from './report.js';
import { startBareServer, startXcapServer, type Server } from './servers.js';
import { latencyFigures, type Sample } from './statistics.js';

/** As many connections to PostgreSQL as a worker of the server has for writes. */
const poolSize = poolSizes.writes;

/** What is undone at the end, the last first. */
const undoings: (() => unknown)[] = [];

async function bench(options: Options): Promise<void> {
  const { material, materialName, subscribers, workers } = options;
  const directory = makeDirectory();
  say(`Starting PostgreSQL, the server with ${workers} workers, and what it is compared with.`);
  const url = await startDatabase(directory);
  const rows = subscribers * mostConnections;
  const bytes = Buffer.byteLength(material.documents[0]);
  const database = await startDatabaseLoad({
    url,
    processes: workers,
    poolSize,
    rows,
    material,
    materialName,
  });
  undoings.push(() => database.stop());
  const machine = machineLine(database.serverVersion);
  const bare = await startBareServer(workers, materialName);
  undoings.push(() => bare.stop());
  const logFile = join(directory, 'server.log');
  const xcap = await startXcapServer({ databaseUrl: url, workers, logFile });
  undoings.push(() => xcap.stop());

  const participants = { xcap, bare, database, material, subscribers };
  say(`Making ${rows} documents of ${bytes} bytes.`);
  await prepareDocuments(participants);
  const figures = listFigures(participants).filter((figure) => titleOf(figure).includes(options.only));
  const measured = await measureAll(figures, options);
  print(
    machine,
    `${options.rounds} rounds of ${options.seconds} s a figure; ${workers} workers; ${materialName}: document of ` +
      `${bytes} bytes, element of ${Buffer.byteLength(material.elements[0])}; ` +
      `${subscribers} subscribers a connection`,
    figureTable(measured),
    ratioTable(measured, comparisons),
    residentLine(xcap),
  );
}

/** PostgreSQL may run under another account, which has to get through to its data. */
function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'xcapd-bench-'));
  chmodSync(directory, 0o755);
  undoings.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The server's own embedded PostgreSQL with its usual settings, so that a commit waits for the disk. */
async function startDatabase(directory: string): Promise<string> {
  const postgres = await startEmbeddedPostgres({
    dataDirectory: directory,
    log: (_level, message) => say(message),
  });
  undoings.push(() => postgres.stop());
  const { host, user, database } = postgres.connection;
  return `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}`;
}

/** A round measures every figure once, so that what changes on the machine meanwhile changes them all. */
async function measureAll(figures: readonly Figure[], { rounds, seconds }: Options): Promise<Measured[]> {
  for (const figure of figures) {
    say(`Warming up: ${titleOf(figure)}`);
    await figure.run(Math.min(seconds, 2));
  }
  const measured = figures.map((figure) => ({ figure, samples: new Array<Sample>() }));
  for (let round = 1; round <= rounds; round++) {
    for (const { figure, samples } of measured) {
      const sample = await measure(figure, seconds);
      samples.push(sample);
      say(`Round ${round} of ${rounds}: ${titleOf(figure)}: ${sample.perSecond.toFixed(0)}/s`);
    }
  }
  return measured;
}

async function measure(figure: Figure, seconds: number): Promise<Sample> {
  const cpuBefore = readCpu(figure);
  const { latencies, seconds: elapsed } = await figure.run(seconds);
  const cpuAfter = readCpu(figure);
  const perAnswer = (before: number, after: number): number => ((after - before) * 1e6) / latencies.length;
  return {
    perSecond: latencies.length / elapsed,
    ...latencyFigures(latencies),
    answeringCpu: perAnswer(cpuBefore.answering, cpuAfter.answering),
    databaseCpu: perAnswer(cpuBefore.database, cpuAfter.database),
  };
}

function readCpu({ answerers }: Figure): { answering: number; database: number } {
  const isPostgres = ({ name }: ProcessFigures): boolean => name === 'postgres';
  return {
    answering: cpuSeconds(answerers.flatMap(processTree)),
    database: cpuSeconds(processTree(process.pid).filter(isPostgres)),
  };
}

function residentLine({ pid }: Server): string {
  const megabytes = processTree(pid)
    .filter(({ command }) => command.includes('worker.js'))
    .map(({ residentBytes }) => (residentBytes / 2 ** 20).toFixed(0));
  return `Resident memory of the server's workers after the run: ${megabytes.join(' and ')} MiB`;
}

function titleOf({ name, connections }: Figure): string {
  return `${name} x${connections}`;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(...parts: readonly string[]): void {
  process.stdout.write(`\n${parts.join('\n\n')}\n`);
}

async function undoAll(): Promise<void> {
  for (let undo = undoings.pop(); undo !== undefined; undo = undoings.pop()) {
    try {
      await undo();
    } catch (error) {
      say(`At the end: ${String(error)}`);
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    say('Stopping.');
    void undoAll().finally(() => process.exit(130));
  });
}
try {
  const options = readOptions(process.argv.slice(2));
  if (options !== undefined) await bench(options);
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await undoAll();
}
