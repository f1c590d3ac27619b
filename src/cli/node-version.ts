/** Imported before everything else: what comes behind it fails on an old Node.js with a stack that says nothing. */

const oldest = [20, 18, 1] as const;

function isOlder(version: string): boolean {
  const numbers = version.split('.').map(Number);
  const different = oldest.findIndex((number, i) => number !== numbers[i]);
  return different >= 0 && (numbers[different] ?? 0) < (oldest[different] ?? 0);
}

if (isOlder(process.versions.node)) {
  process.stderr.write(
    `xcapd: Node.js ${process.versions.node} is too old; install ${oldest.join('.')} or later, best 22 or 24.\n`,
  );
  process.exit(2);
}
