/** §11: detailed conflict reports. Conditions are spelled as their XML elements. */
import { escapeAttribute, escapeText } from '../xml/escape.js';

/** Conditions that carry nothing but a sentence (§11.1). */
export const simpleConditions = [
  'not-well-formed',
  'not-xml-frag',
  'not-xml-att-value',
  'not-utf-8',
  'cannot-insert',
  'cannot-delete',
  'schema-validation-error',
  'constraint-failure',
] as const;

export type SimpleCondition = (typeof simpleConditions)[number];

/** A value that is not unique: where it stands, relative to the document (§11.1), and free values. */
export interface Exists {
  readonly field: string;
  readonly alternatives: readonly string[];
}

export type ConflictReport =
  | { readonly condition: SimpleCondition; readonly phrase: string }
  | { readonly condition: 'no-parent'; readonly phrase: string; readonly ancestor?: string }
  | {
      readonly condition: 'uniqueness-failure';
      readonly phrase: string;
      readonly exists: readonly [Exists, ...Exists[]];
    }
  /** §11.1 extension: `content` is well-formed XML of the extension's own namespace. */
  | { readonly condition: 'extension'; readonly content: string };

/** §11.2: the media type of conflict reports. */
export const conflictMediaType = 'application/xcap-error+xml';

/** §11.2: the body of a 409. Default namespace and no prefix, because handsets look for the bare names. */
export function conflictBody(report: ConflictReport): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<xcap-error xmlns="urn:ietf:params:xml:ns:xcap-error">${conditionElement(report)}</xcap-error>\n`
  );
}

function conditionElement(report: ConflictReport): string {
  switch (report.condition) {
    case 'extension':
      return `<extension>${report.content}</extension>`;
    case 'no-parent':
      return element(
        report.condition,
        report.phrase,
        report.ancestor === undefined ? '' : `<ancestor>${escapeText(report.ancestor)}</ancestor>`,
      );
    case 'uniqueness-failure':
      return element(report.condition, report.phrase, report.exists.map(existsElement).join(''));
    default:
      return element(report.condition, report.phrase, '');
  }
}

function existsElement({ field, alternatives }: Exists): string {
  const values = alternatives.map((value) => `<alt-value>${escapeText(value)}</alt-value>`);
  return `<exists field="${escapeAttribute(field)}">${values.join('')}</exists>`;
}

function element(name: string, phrase: string, content: string): string {
  const start = `<${name} phrase="${escapeAttribute(phrase)}"`;
  return content === '' ? `${start}/>` : `${start}>${content}</${name}>`;
}

/** §11: a request that is refused with 409 and a detailed conflict report. */
export class Conflict extends Error {
  override readonly name = 'Conflict';

  constructor(readonly report: ConflictReport) {
    super('phrase' in report ? report.phrase : report.condition);
  }
}
