/** A line of the log as a person at a terminal reads it. */
import { visibleText } from '../visible-text.js';

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** What a terminal has no use for, and what stands elsewhere in the line. */
const hidden: readonly string[] = ['level', 'time', 'pid', 'hostname', 'msg', 'err', 'reqId'];

/** From a line of JSON; what is none stays as it is. */
export function readableLine(line: string): string {
  const record = parsed(line);
  if (record === undefined) return line;
  const { time, level, msg = '', err } = record;
  const facts = Object.entries(record)
    .filter(([name]) => !hidden.includes(name))
    .map(([name, value]) => `${name}=${shown(value)}`);
  const head = [clock(time), (levels[Number(level)] ?? '').padEnd(5), text(msg), ...facts].join(' ');
  return `${visibleText(`${head}${traceOf(err)}`)}\n`;
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The time of day where the terminal is. */
function clock(time: unknown): string {
  const date = new Date(Number(time));
  if (Number.isNaN(date.getTime())) return '';
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** In quotes where it would not be clear where it ends. */
function shown(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"'=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

function traceOf(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const { stack, message } = err as { readonly stack?: unknown; readonly message?: unknown };
  const trace = text(stack ?? message);
  return trace === '' ? '' : `\n${trace.replace(/^/gm, '    ')}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
