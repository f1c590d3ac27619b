/** What libxml2 says about a document or a schema, and how that is told to people. */
import { shortened } from './fence-refusal.js';

export interface Complaint {
  readonly message: string;
  /** One of libxml2's xmlerror.h. */
  readonly code: number;
  /** 1-based; libxml2 counts no further than 65,535, and gives 0 where there is no line. */
  readonly line: number;
  /** The value or name in question; '' where there is none. */
  readonly value: string;
}

/** Codes of libxml2's xmlerror.h. */
export const NO_DECLARATION_FOR_ROOT = 1845;
const ELEMENT_NOT_EXPECTED = 1871;

/**
 * Errors of libxml2's parser that do not make a text less well-formed: a namespace that is not a URI, an `xml:id` that
 * is not a name, and one that is repeated. Real documents have the first; the schema judges the others where it wants.
 */
const TOLERATED_CODES: ReadonlySet<number> = new Set([99, 539, 513]);

/** A level of libxml2's xmlerror.h, below which there are warnings. */
const ERROR_LEVEL = 2;

const LONGEST_SENTENCE = 300;
const LAST_KNOWN_LINE = 65_534;

/** Whether a document of which this is said is refused. */
export function isGrave(level: number, code: number): boolean {
  return level >= ERROR_LEVEL && !TOLERATED_CODES.has(code);
}

/** The line that a complaint is about, undefined where libxml2 does not know it. */
export function lineOf({ line }: Complaint): number | undefined {
  return line > 0 && line <= LAST_KNOWN_LINE ? line : undefined;
}

/** One sentence of at most 300 UTF-16 units, without namespaces, with a hint where libxml2 hides the very reason. */
export function sentenceOn(complaint: Complaint): string {
  return shortened(explained(complaint), LONGEST_SENTENCE - 1);
}

function explained(complaint: Complaint): string {
  const sentence = withoutNoise(complaint);
  const name = /^Element '([^']*)'/.exec(sentence)?.[1] ?? '';
  if (complaint.code === NO_DECLARATION_FOR_ROOT) {
    return `Element '${name}': The schema has no such element at the top; its name or its namespace is wrong.`;
  }
  if (complaint.code !== ELEMENT_NOT_EXPECTED) return `${sentence}${hintAtBrackets(complaint)}`;
  const [, expected = ''] = sentence.split(' Expected is ');
  const namesakeExpected = expected.split(/[ ,().]+/).includes(name);
  return namesakeExpected ? `Element '${name}': This element is not expected in this namespace.` : sentence;
}

/** RFC 3986 §3.2.2: brackets are for IPv6 addresses. Clients leave them in predicates and names. */
function hintAtBrackets({ message, value }: Complaint): string {
  const isUri = ["'xs:anyURI'", "'SipUri'", "'XcapUri'"].some((type) => message.includes(` type ${type}`));
  return isUri && /[[\]]/.test(value) ? ' Please write %5B for [ and %5D for ] in it.' : '';
}

/** One line, values of clients cut short, `{namespace}` left out. */
function withoutNoise({ message, value }: Complaint): string {
  return (value === '' ? message : message.replace(value, () => shortened(value)))
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/##other\{[^{}]*\}\*/g, 'an element of another namespace')
    .replace(/\[facet '[^']*'\] /, '')
    .replace(/\{[^{}]*\}(?=[\p{L}_])/gu, '') // The set of an enumeration stands in braces, too, but before no name.
    .replace("is not a valid value of the atomic type 'xs:ID'", 'is not a name, or another element has it');
}
