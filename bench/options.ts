/** The command line of the benchmark. */
import { parseArgs } from 'node:util';
import { materials, type Material } from './material.js';

export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly workers: number;
  readonly materialName: string;
  readonly material: Material;
  /** Subscribers for each connection. */
  readonly subscribers: number;
  /** Figures to measure: all whose name contains it. */
  readonly only: string;
  /** The XCAP root of another server that is measured beside ours. */
  readonly peer: URL | undefined;
  /** The process from which all processes of the other server descend. */
  readonly peerPid: number | undefined;
  readonly profile: boolean;
}

const help = `npm run bench -- [options]

Measures reads and writes of documents and elements on a real server, beside bare Fastify routes and plain SQL.

  --rounds N        rounds; every figure is measured once in each (3)
  --seconds N       how long each measurement takes (4)
  --quick           one round of one second: shows that everything works, no more
  --document NAME   ${Object.keys(materials).join(' or ')} (resource-lists)
  --workers N       worker processes of the server and of everything beside it (2)
  --subscribers N   documents for each connection, used in turn (16)
  --only TEXT       only the figures whose name contains TEXT, such as "PUT element" or "x32"
  --peer URL        the XCAP root of another server, which gets the same requests in the same rounds
  --peer-pid N      the process from which its processes descend, whose processor time is then shown
  --profile         writes a CPU profile of one worker of the server over all rounds into this directory
  --help

LOG_LEVEL is the server's (info). All traffic but that with the other server is on 127.0.0.1; the data lie in a temporary
directory.
`;

/** Undefined where only help was asked for, which is printed. */
export function readOptions(argv: string[]): Options | undefined {
  const { values } = parseArgs({
    args: argv,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      quick: { type: 'boolean', default: false },
      document: { type: 'string', default: 'resource-lists' },
      workers: { type: 'string', default: '2' },
      subscribers: { type: 'string', default: '16' },
      only: { type: 'string', default: '' },
      peer: { type: 'string' },
      'peer-pid': { type: 'string' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return undefined;
  }
  const material = materials[values.document];
  if (material === undefined) throw new Error(`--document is one of ${Object.keys(materials).join(', ')}.`);
  const { peer, 'peer-pid': peerPid } = values;
  if (peerPid !== undefined && peer === undefined) throw new Error('--peer-pid needs --peer.');
  return {
    rounds: values.quick ? 1 : positive('rounds', values.rounds),
    seconds: values.quick ? 1 : positive('seconds', values.seconds),
    workers: positive('workers', values.workers),
    materialName: values.document,
    material,
    subscribers: positive('subscribers', values.subscribers),
    only: values.only,
    peer: peer === undefined ? undefined : xcapRoot(peer),
    peerPid: peerPid === undefined ? undefined : runningProcess(positive('peer-pid', peerPid)),
    profile: values.profile,
  };
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} takes a whole number greater than 0.`);
}

function xcapRoot(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (!isHttp || `${url.username}${url.password}${url.search}${url.hash}` !== '')
    throw new Error('--peer takes an XCAP root such as http://127.0.0.1:8080/xcap-root.');
  return url;
}

function runningProcess(pid: number): number {
  try {
    process.kill(pid, 0);
  } catch {
    throw new Error(`--peer-pid: there is no process ${pid}.`);
  }
  return pid;
}
