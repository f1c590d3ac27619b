/** The figures as Markdown tables. */
import { cpus, loadavg, totalmem } from 'node:os';
import type { Comparison, Figure } from './figures.js';
import { spread, type Sample, type Spread } from './statistics.js';

export interface Measured {
  readonly figure: Figure;
  /** One for each round. */
  readonly samples: readonly Sample[];
}

/** What the figures were measured on. */
export function machineLine(postgresVersion: string): string {
  const [cpu] = cpus();
  return (
    `${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ` +
    `${Math.round(totalmem() / 2 ** 30)} GiB; Node.js ${process.version}; PostgreSQL ${postgresVersion}; ` +
    `load average before the run ${(loadavg()[0] ?? 0).toFixed(2)}`
  );
}

export function figureTable(measured: readonly Measured[]): string {
  const header = [
    'connections',
    'figure',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'CPU µs/request',
    'of PostgreSQL',
  ];
  const rows = measured.map(({ figure, samples }) => [
    String(figure.connections),
    figure.name,
    shown(spread(samples.map((one) => one.perSecond)), 0),
    shown(spread(samples.map((one) => one.p50)), 2),
    shown(spread(samples.map((one) => one.p99)), 2),
    middle(samples.map((one) => one.answeringCpu)),
    middle(samples.map((one) => one.databaseCpu)),
  ]);
  return table(header, rows);
}

/** Ratios of rates, made within each round: what disturbs a round disturbs both sides. */
export function ratioTable(measured: readonly Measured[], comparisons: readonly Comparison[]): string {
  const rows = measured.flatMap(({ figure, samples }) =>
    comparisons
      .filter(({ name }) => name === figure.name)
      .flatMap((comparison) => {
        const other = measured.find(
          (one) => one.figure.name === comparison.with && one.figure.connections === figure.connections,
        );
        if (other === undefined) return [];
        const ratios = samples.map(
          ({ perSecond }, round) => perSecond / (other.samples[round]?.perSecond ?? NaN),
        );
        return [ratioRow(figure.connections, comparison, spread(ratios))];
      }),
  );
  return table(['connections', 'ratio', 'median (min–max)', 'target', ''], rows);
}

function ratioRow(connections: number, comparison: Comparison, ratio: Spread): string[] {
  const { name, with: other, target } = comparison;
  const verdict = target === undefined ? '' : ratio.median >= target ? 'met' : 'missed';
  return [
    String(connections),
    `${name} / ${other}`,
    shown(ratio, 2),
    target === undefined ? '' : `≥ ${target}`,
    verdict,
  ];
}

function shown({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** A dash where the operating system does not tell. */
function middle(values: readonly number[]): string {
  const { median } = spread(values);
  return Number.isNaN(median) ? '–' : median.toFixed(0);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
