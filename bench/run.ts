/** `npm run bench`: starts everything, measures in interleaved rounds, reports, and stops everything. */
import { join } from 'node:path';
import { poolSizes } from '../src/storage/database.js';
import { makeDirectory, startDatabase, urlOf } from './database.js';
import { startDatabaseLoad } from './database-load.js';
import {
  comparisons,
  listFigures,
  mostConnections,
  prepareDocuments,
  type Figure,
  type Peer,
} from './figures.js';
import { readOptions, type Options } from './options.js';
import { cpuSeconds, processTree, type ProcessFigures } from './processes.js';
import { newProfile, startProfile, workersOf } from './profile.js';
import { figureTable, machineLine, ratioTable, type Measured } from './report.js';
import { startBareServer, startXcapServer, type Server } from './servers.js';
import { latencyFigures, type Sample } from './statistics.js';
import { runAndUndo, say, undoings } from './undoings.js';

/** As many connections to PostgreSQL as a worker of the server has for writes. */
const poolSize = poolSizes.writes;

async function bench(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) return;
  const { material, materialName, subscribers, workers } = options;
  const directory = makeDirectory();
  say(`Starting PostgreSQL, the server with ${workers} workers, and what it is compared with.`);
  const url = urlOf(await startDatabase(directory));
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
  const profile = options.profile ? newProfile() : undefined;
  const environment = profile?.environment;
  const xcap = await startXcapServer({ databaseUrl: url, workers, logFile, environment });
  undoings.push(() => xcap.stop());

  const participants = { xcap, peer: peerOf(options), bare, database, material, subscribers };
  say(`Making ${rows} documents of ${bytes} bytes.`);
  const remarks = await prepareDocuments(participants);
  for (const remark of remarks) say(remark);
  const figures = listFigures(participants).filter((figure) => titleOf(figure).includes(options.only));
  await warmUp(figures, options);
  const endProfile = profile && startProfile(profile, xcap);
  const measured = await measureAll(figures, options);
  await endProfile?.();
  print(
    machine,
    `${options.rounds} rounds of ${options.seconds} s a figure; ${workers} workers; ${materialName}: document of ` +
      `${bytes} bytes, element of ${Buffer.byteLength(material.elements[0])}; ` +
      `${subscribers} subscribers a connection`,
    figureTable(measured),
    ratioTable(measured, comparisons),
    ...remarks,
    residentLine(xcap),
    ...(profile === undefined ? [] : [`CPU profile of one worker over all rounds: ${profile.file}`]),
  );
}

function peerOf({ peer, peerPid, material }: Options): Peer | undefined {
  if (peer === undefined) return undefined;
  const { origin, pathname } = peer;
  return { target: { origin, rootPath: pathname.replace(/\/$/, ''), material }, pid: peerPid };
}

async function warmUp(figures: readonly Figure[], { seconds }: Options): Promise<void> {
  for (const figure of figures) {
    say(`Warming up: ${titleOf(figure)}`);
    await measure(figure, Math.min(seconds, 2));
  }
}

/** A round measures every figure once, so that what changes on the machine meanwhile changes them all. */
async function measureAll(figures: readonly Figure[], { rounds, seconds }: Options): Promise<Measured[]> {
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

/** @throws where any answer is not 2xx. */
async function measure(figure: Figure, seconds: number): Promise<Sample> {
  try {
    await figure.prepare?.();
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
  } catch (error) {
    throw new Error(`${titleOf(figure)}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function readCpu({ answerers, databases }: Figure): { answering: number; database: number } {
  const isPostgres = ({ name }: ProcessFigures): boolean => name === 'postgres';
  return {
    answering: cpuSeconds(answerers.flatMap(processTree).filter((one) => !isPostgres(one))),
    database: cpuSeconds(databases.flatMap(processTree).filter(isPostgres)),
  };
}

function residentLine(server: Server): string {
  const megabytes = workersOf(server).map(({ residentBytes }) => (residentBytes / 2 ** 20).toFixed(0));
  return `Resident memory of the server's workers after the run: ${megabytes.join(' and ')} MiB`;
}

function titleOf({ name, connections }: Figure): string {
  return `${name} x${connections}`;
}

function print(...parts: readonly string[]): void {
  process.stdout.write(`\n${parts.join('\n\n')}\n`);
}

await runAndUndo('bench', bench);
