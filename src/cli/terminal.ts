/** What is asked of the person at the terminal. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { refused, wrongUsage } from './command-error.js';

/** The whole of standard input. */
export function readStandardInput(): Promise<Buffer<ArrayBuffer>> {
  return buffer(process.stdin);
}

/** A new password: from standard input, or twice from the terminal without echo. @throws CommandError */
export async function readNewPassword(fromStandardInput: boolean): Promise<string> {
  if (fromStandardInput) return notEmpty((await readStandardInput()).toString('utf8').replace(/\r?\n$/, ''));
  if (!hasTerminal()) throw wrongUsage('There is no terminal to ask for the password on: --password-stdin.');
  const password = notEmpty(await ask('Password: ', false));
  if ((await ask('The same again: ', false)) !== password) throw refused('The two passwords differ.');
  return password;
}

/** @throws CommandError where the answer is no, or there is nobody to ask and no `--yes`. */
export async function confirm(question: string, { yes }: { readonly yes?: true }): Promise<void> {
  if (yes === true) return;
  if (!hasTerminal()) throw wrongUsage('There is no terminal to ask on: --yes says that it is meant.');
  if (!/^y(es)?$/i.test(await ask(`${question} [y/N] `, true))) throw refused('Nothing was done.');
}

function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

function notEmpty(password: string): string {
  if (password === '') throw wrongUsage('The password is empty.');
  return password;
}

/** Standard output is for results. */
async function ask(question: string, echoes: boolean): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: echoes ? process.stderr : nowhere,
    terminal: true,
  });
  const cancelled = new AbortController();
  lines.on('SIGINT', () => cancelled.abort());
  // The end of the input would leave the question without an answer for ever.
  lines.on('close', () => cancelled.abort());
  if (!echoes) process.stderr.write(question);
  try {
    return await lines.question(echoes ? question : '', { signal: cancelled.signal });
  } catch {
    throw refused('Nothing was done.');
  } finally {
    if (!echoes) process.stderr.write('\n');
    lines.close();
  }
}
