/** Which server a command talks to, and with which token. The token never stands on the command line: `ps` shows that. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Server } from './api-client.js';
import { messageOf, wrongUsage } from './command-error.js';
import { addHelp } from './help.js';

const defaultUrl = 'http://127.0.0.1:8081';
const certificateBegins = '-----BEGIN CERTIFICATE-----';

/** What the commands that talk to a server have in common. */
export interface ServerOptions {
  readonly url?: string;
  readonly json?: true;
}

/** Adds the common options and help. */
export function serverCommand(command: Command, examples: readonly string[]): Command {
  command
    .option('--url <url>', 'base URL of the management listener')
    .option('--json', 'print JSON, one value on each line');
  return addHelp(command, examples, true);
}

/** @throws CommandError where URL or token cannot be used. */
export function serverOf({ url }: ServerOptions, environment = process.env): Server {
  const given = [url, environment.XCAPD_URL, defaultUrl].find((value) => value !== undefined && value !== '');
  return {
    url: checkedUrl(given ?? defaultUrl),
    token: tokenOf(environment),
    authorities: authoritiesOf(environment),
  };
}

/** OpenSSL skips what is no certificate, and then believes nobody without a word. */
function authoritiesOf({ XCAPD_CA_FILE }: NodeJS.ProcessEnv): string | undefined {
  if (XCAPD_CA_FILE === undefined || XCAPD_CA_FILE === '') return undefined;
  try {
    const text = readFileSync(XCAPD_CA_FILE, 'latin1');
    const [, ...certificates] = text.split(certificateBegins);
    if (certificates.length === 0) throw new Error('it has no certificate');
    certificates.forEach((rest) => new X509Certificate(certificateBegins + rest));
    return text;
  } catch (error) {
    throw wrongUsage(`XCAPD_CA_FILE cannot be used: ${messageOf(error)}.`);
  }
}

function checkedUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw wrongUsage(`'${given}' is no URL that begins with http:// or https://.`);
  }
  // It may hold a password, so it is not repeated.
  if (url.username !== '' || url.password !== '') {
    throw wrongUsage('The URL of the server has a user name or password; give the token by ADMIN_TOKEN.');
  }
  return `${url.origin}${url.pathname.replace(/(?<!\/)\/+$/, '')}`;
}

function tokenOf({ ADMIN_TOKEN, XCAP_ADMIN_TOKEN_FILE }: NodeJS.ProcessEnv): string | undefined {
  if (ADMIN_TOKEN !== undefined && ADMIN_TOKEN !== '') return checkedToken(ADMIN_TOKEN, 'ADMIN_TOKEN');
  if (XCAP_ADMIN_TOKEN_FILE === undefined || XCAP_ADMIN_TOKEN_FILE === '') return undefined;
  const token = firstToken(readTokenFile(XCAP_ADMIN_TOKEN_FILE));
  if (token === undefined) throw wrongUsage('XCAP_ADMIN_TOKEN_FILE has no token.');
  return checkedToken(token, 'XCAP_ADMIN_TOKEN_FILE');
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw wrongUsage(`XCAP_ADMIN_TOKEN_FILE cannot be read: ${messageOf(error)}.`);
  }
}

/** Each line is a token, with a name, or a name and a role, before it; `#` begins a comment. */
function firstToken(text: string): string | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .find((line) => line !== '' && !line.startsWith('#'))
    ?.split(/\s+/)
    .pop();
}

function checkedToken(token: string, variable: string): string {
  if (/^[!-~]+$/.test(token)) return token;
  throw wrongUsage(`${variable} has characters that no HTTP header can carry, or blanks.`);
}
