/** What the operating system tells about processes. Linux only; elsewhere there are none, and the figures are NaN. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFigures {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly command: string;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** The unit of /proc/PID/stat: Linux shows a hundredth of a second to programs, whatever the kernel counts in. */
const ticksPerSecond = 100;

/** The process `root` and all that descend from it. */
export function processTree(root: number): ProcessFigures[] {
  const all = listProcesses();
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

export function cpuSeconds(processes: readonly ProcessFigures[]): number {
  return processes.length === 0 ? NaN : processes.reduce((sum, one) => sum + one.cpuSeconds, 0);
}

function listProcesses(): ProcessFigures[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => readProcess(pid) ?? []);
  } catch {
    return [];
  }
}

/** Undefined for a process that has ended meanwhile. */
function readProcess(pid: string): ProcessFigures | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    // proc(5): from the state (3) on. 4 ppid, 14 to 17 the time of the process and of its children that have ended.
    const fields = rest.split(' ');
    const field = (number: number): number => Number(fields[number - 3]);
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      pid: Number(pid),
      parent: field(4),
      name,
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
      cpuSeconds: (field(14) + field(15) + field(16) + field(17)) / ticksPerSecond,
      residentBytes: Number(resident ?? 0) * 1024,
    };
  } catch {
    return undefined;
  }
}
