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
  --help

LOG_LEVEL is the server's (info). All traffic is on 127.0.0.1; the data lie in a temporary directory.
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
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return undefined;
  }
  const material = materials[values.document];
  if (material === undefined) throw new Error(`--document is one of ${Object.keys(materials).join(', ')}.`);
  return {
    rounds: values.quick ? 1 : positive('rounds', values.rounds),
    seconds: values.quick ? 1 : positive('seconds', values.seconds),
    workers: positive('workers', values.workers),
    materialName: values.document,
    material,
    subscribers: positive('subscribers', values.subscribers),
    only: values.only,
  };
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} takes a whole number greater than 0.`);
}
