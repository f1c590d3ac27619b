/** Differences in verdict, put into groups that have one cause each. */

/** A document that one schema accepts and the other refuses. */
export interface Difference {
  /** What was done to an example, or that nothing was. */
  readonly kind: string;
  /** The name of the element or attribute it was done to. */
  readonly name: string;
  readonly acceptedBy: 'xcapd' | 'published';
  /** Whether the uniqueness rule of the usage refuses what its schema accepts. */
  readonly isUnique: boolean;
  /** What the schema that refuses says. */
  readonly message: string;
  readonly file: string;
  readonly line: number;
}

export interface Comparison {
  readonly documents: number;
  readonly differences: readonly Difference[];
}

/** The lines on one usage: the numbers, and one line for each group of differences, the largest first. */
export function reportLines(auid: string, { documents, differences }: Comparison): string[] {
  const groups = [...grouped(differences).values()].sort((a, b) => b.length - a.length);
  const numbers = `${count(documents, 'document')} compared, ${count(differences.length, 'difference')}`;
  return [
    `${auid}: ${numbers}${groups.length === 0 ? '' : ` in ${count(groups.length, 'group')}`}`,
    ...groups.flatMap(groupLine),
  ];
}

/**
 * What is the same for documents that are refused for the same reason: no line, no value, and not what would have been
 * accepted, which depends on how far the validator got.
 */
function essence(message: string): string {
  return message
    .replace(/ \(line \d+\)$/, '')
    .replace(/ Expected is .*$/, '')
    .replace(/: '[^']*' is not /, ': the value is not ');
}

/**
 * True where a mutant differs as its example does, as far as the messages tell. A document that the uniqueness rule lets
 * pass is never like one that it refuses.
 */
export function differsAlike(mutant: Difference, example: Difference): boolean {
  return (
    mutant.acceptedBy === example.acceptedBy &&
    (example.isUnique || !mutant.isUnique) &&
    essence(mutant.message) === essence(example.message)
  );
}

function grouped(differences: readonly Difference[]): Map<string, Difference[]> {
  const groups = new Map<string, Difference[]>();
  for (const difference of differences) {
    const { kind, name, message } = difference;
    const key = JSON.stringify([kind, name, verdicts(difference), essence(message)]);
    groups.set(key, [...(groups.get(key) ?? []), difference]);
  }
  return groups;
}

function groupLine(group: readonly Difference[]): string[] {
  const [sample] = group;
  if (sample === undefined) return [];
  const { kind, name, message, file, line } = sample;
  return [
    `  ${group.length} × ${kind} (${name}): ${verdicts(sample)}: ${essence(message)} [${file}, line ${line}]`,
  ];
}

function verdicts({ acceptedBy, isUnique }: Difference): string {
  if (acceptedBy === 'published') return 'published accepts, xcapd refuses';
  return isUnique
    ? 'xcapd accepts, published refuses'
    : 'xcapd refuses by uniqueness-failure, published by its schema';
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
