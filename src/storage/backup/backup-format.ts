/**
 * The text of a backup: comments that say what it is, `COPY` with the rows of each table as PostgreSQL writes them, where the
 * sequences go on, and a last line without which the file is not complete. `psql` can read it into an empty database with the
 * same schema version.
 */

/** What the first lines say. */
export interface BackupHeader {
  readonly programVersion: string;
  readonly schemaVersion: number;
}

export interface CopiedTable {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface SequencePosition {
  readonly name: string;
  /** The number that comes next. */
  readonly next: string;
}

/** How many tables and rows there are in all. */
export interface BackupTotals {
  readonly tables: number;
  readonly rows: number;
}

const firstLine = '-- xcapd backup, format 1';

export const beginning = 'BEGIN;';
export const end = 'COMMIT;';

export function headerText({ programVersion, schemaVersion }: BackupHeader, now: Date): string {
  const lines = [
    firstLine,
    `-- made by xcapd ${programVersion} at ${now.toISOString()}`,
    `-- schema version ${schemaVersion}`,
    '-- As secret as what is in it. To restore it: xcapd restore FILE',
    beginning,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Undefined where this is no line of a header. */
export function headerPart(line: string): Partial<BackupHeader> | undefined {
  const program = /^-- made by xcapd (\S+) at \S+$/.exec(line);
  if (program !== null) return { programVersion: program[1] ?? '' };
  const schema = /^-- schema version (\d{1,9})$/.exec(line);
  if (schema !== null) return { schemaVersion: Number(schema[1]) };
  return line === firstLine || line.startsWith('-- As secret') ? {} : undefined;
}

export function isFirstLine(line: string | undefined): boolean {
  return line === firstLine;
}

export function copyText({ name, columns }: CopiedTable): string {
  return `COPY xcapd.${name} (${columns.join(', ')}) FROM stdin;\n`;
}

export function copiedTable(line: string): CopiedTable | undefined {
  const [, name, columns] = /^COPY xcapd\.([a-z0-9_]+) \(([a-z0-9_, ]+)\) FROM stdin;$/.exec(line) ?? [];
  return name === undefined || columns === undefined ? undefined : { name, columns: columns.split(', ') };
}

/** Behind the rows of a table. */
export const endOfRows = '\\.\n';

export function sequenceText({ name, next }: SequencePosition): string {
  return `ALTER SEQUENCE xcapd.${name} RESTART WITH ${next};\n`;
}

export function sequencePosition(line: string): SequencePosition | undefined {
  const [, name, next] = /^ALTER SEQUENCE xcapd\.([a-z0-9_]+) RESTART WITH (-?\d{1,19});$/.exec(line) ?? [];
  return name === undefined || next === undefined ? undefined : { name, next };
}

export function totalsText({ tables, rows }: BackupTotals): string {
  return `${end}\n-- end of the backup: ${tables} tables, ${rows} rows\n`;
}

export function totalsOf(line: string): BackupTotals | undefined {
  const [, tables, rows] = /^-- end of the backup: (\d{1,9}) tables, (\d{1,15}) rows$/.exec(line) ?? [];
  return tables === undefined ? undefined : { tables: Number(tables), rows: Number(rows) };
}
