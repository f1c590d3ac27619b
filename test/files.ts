/** Runs test files, each in a process of its own, and tells what they found. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Parser, type Result } from 'tap-parser';
import { packageFolder } from '../src/package-files.js';

export interface FileReport {
  /** The source, relative to the package. */
  readonly file: string;
  readonly seconds: number;
  readonly passed: number;
  readonly skipped: readonly string[];
  /** What failed, for people. Empty where the file is fine. */
  readonly failures: readonly string[];
}

/** A file that hangs must not keep the run from its end. */
const longestSeconds = 330;
/** What a test may take, of which tap itself tells. */
const tapTimeoutSeconds = 300;

/**
 * The test files below some places, by their sources: the compiled ones of tests that are gone stay where they were.
 *
 * @param places files or folders, relative to the package
 * @throws Error for a place without tests
 */
export function testFilesIn(places: readonly string[]): string[] {
  return places.flatMap((place) => {
    const path = join(packageFolder, place);
    const entries = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
      : [path];
    const files = entries.filter((entry) => entry.endsWith('.test.ts')).sort();
    if (files.length === 0) throw new Error(`${place} has no test file (*.test.ts).`);
    return files.map((file) => relative(packageFolder, file));
  });
}

/** Runs one file to its end. */
export async function runFile(file: string, environment: NodeJS.ProcessEnv): Promise<FileReport> {
  const startedAt = performance.now();
  const compiled = join(packageFolder, 'dist', file.replace(/\.ts$/, '.js'));
  const child = spawn(process.execPath, ['--enable-source-maps', ...ownCoverage(environment), compiled], {
    cwd: packageFolder,
    env: { ...process.env, ...environment, TAP_TIMEOUT: String(tapTimeoutSeconds) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), longestSeconds * 1000);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const parser = new Parser();
  const asserted = collect(parser);
  child.stdout.pipe(parser);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  const failures = [...asserted.failures];
  if (code !== 0 && failures.length === 0) {
    failures.push(`ended with ${signal ?? `exit code ${String(code)}`}\n${errors}`);
  }
  if (asserted.passed() === 0 && failures.length === 0) failures.push('has no test');
  const seconds = (performance.now() - startedAt) / 1000;
  return { file, seconds, passed: asserted.passed(), skipped: asserted.skipped, failures };
}

/** What is recorded of the hundreds of processes that tests start would take longer than the tests. */
function ownCoverage({ NODE_V8_COVERAGE }: NodeJS.ProcessEnv): string[] {
  if (NODE_V8_COVERAGE === undefined) return [];
  return ['--import', 'data:text/javascript,delete process.env.NODE_V8_COVERAGE'];
}

interface Asserted {
  readonly passed: () => number;
  readonly skipped: string[];
  readonly failures: string[];
}

/** Counts the assertions themselves: what a subtest says of all of its own is none. */
function collect(root: Parser): Asserted {
  let passed = 0;
  const skipped: string[] = [];
  const failures: string[] = [];
  const follow = (parser: Parser) => {
    let isSubtest = false;
    parser.on('child', (child: Parser) => {
      isSubtest = true;
      follow(child);
    });
    parser.on('assert', (result: Result) => {
      const isSummary = isSubtest;
      isSubtest = false;
      if (result.skip !== false) skipped.push(nameOf(result));
      else if (!result.ok && !(isSummary && failures.length > 0)) failures.push(describe(result));
      else if (result.ok && !isSummary) passed++;
    });
    parser.on('bailout', (reason: string) => failures.push(`bail out: ${reason}`));
  };
  follow(root);
  return { passed: () => passed, skipped, failures };
}

function nameOf({ fullname, name }: Result): string {
  return fullname === '' ? name : fullname;
}

function describe(result: Result): string {
  const details = result.diag === null ? '' : `\n${JSON.stringify(result.diag, undefined, 2)}`;
  return `${nameOf(result)}${details.replaceAll('\\n', '\n')}`;
}
