/** What is imported, wherever it comes from. */
import { createReadStream } from 'node:fs';
import { linesOf } from '../ndjson.js';
import { messageOf, wrongUsage } from './command-error.js';

export interface ImportDocument {
  readonly auid: string;
  /** Percent-encoded, below the home directory. */
  readonly path: string;
  readonly content: string;
}

export interface ImportDigest {
  readonly realm: string;
  readonly username: string;
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly ha1: string;
}

/** The part of a line of an import that this program knows; the server knows all of it. */
export interface ImportSubscriber {
  readonly xui: string;
  readonly password?: string;
  readonly digest?: readonly ImportDigest[];
  readonly passwordHash?: string;
  readonly documents?: readonly ImportDocument[];
}

/** A line of the input as it is sent. */
export interface InputLine {
  /** Where it stands in the input; missing where the input has no lines. */
  readonly input?: number;
  readonly text: string;
}

/** What is not imported, or is kept although it is not valid, and why. */
export interface RefusedPart {
  /** The line of the input, where that has lines. */
  readonly input?: number;
  readonly user?: string;
  /** The document, or what of the credentials; without either it is the whole subscriber. */
  readonly document?: string;
  readonly credential?: string;
  /** The line in the document, where it is known. */
  readonly line?: number;
  readonly condition?: string;
  readonly reason: string;
}

export type ImportInput = InputLine | RefusedPart;

export function isRefused(input: ImportInput): input is RefusedPart {
  return 'reason' in input;
}

export function isLine(input: ImportInput): input is InputLine {
  return 'text' in input;
}

/** The lines of a file, or of standard input for `-`. @throws CommandError where it cannot be read. */
export async function* linesOfFile(file: string): AsyncGenerator<InputLine> {
  const source: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const { number, text = '' } of linesOf(source, Infinity)) yield { input: number, text };
  } catch (error) {
    throw wrongUsage(`The input cannot be read: ${messageOf(error)}.`);
  }
}

/** The line that a sentence of the server's core names: `… (line 3)`. Programs want it by itself. */
export function lineIn(reason: string): number | undefined {
  const [, line] = /\(line (\d+)\)/.exec(reason) ?? [];
  return line === undefined ? undefined : Number(line);
}

/** Undefined where the text is no subscriber. */
export function parseSubscriber(text: string): ImportSubscriber | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isSubscriber(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSubscriber(value: unknown): value is ImportSubscriber {
  if (typeof value !== 'object' || value === null || !hasText(value, 'xui')) return false;
  if (!('documents' in value)) return true;
  return Array.isArray(value.documents) && value.documents.every(isDocument);
}

function isDocument(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['auid', 'path', 'content'].every((name) => hasText(value, name))
  );
}

function hasText(value: object, name: string): boolean {
  return typeof Object.entries(value).find(([key]) => key === name)?.[1] === 'string';
}
