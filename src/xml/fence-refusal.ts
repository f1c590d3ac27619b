/**
 * Why the fence refused a text, and how that is told to people.
 */

/**
 * Why the fence refused. `forbidden` stands for XML that is well-formed but not taken here: a document type
 * declaration, something over a limit, or a comment or processing instruction around a fragment.
 */
export interface FenceRefusal {
  readonly reason: 'not-utf-8' | 'not-well-formed' | 'unbound-prefix' | 'forbidden';
  /** A sentence for people. It names no namespace and holds at most a few short pieces of the refused text. */
  readonly message: string;
  /** 1-based line, where it is known. */
  readonly line?: number;
}

export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: FenceRefusal };

/** Ends a parse: saxes would go on behind an error. */
export class Refused extends Error {
  constructor(readonly refusal: FenceRefusal) {
    super(refusal.message);
  }
}

/** What saxes says, in the words of the reader. */
const EXPLANATIONS: readonly (readonly [start: string, statement: string])[] = [
  ['unexpected close tag', 'An end tag does not match the start tag before it'],
  ['unmatched closing tag', 'There is an end tag without a start tag'],
  ['unclosed tag', 'An element has no end tag'],
  ['unexpected end', 'The text ends too early'],
  ['document must contain a root element', 'There is no element'],
  ['documents may contain only one root', 'There is more than one top element'],
  ['text data outside of root node', 'There is text outside of the top element'],
  ['undefined entity', 'Only the entities amp, lt, gt, quot and apos exist'],
  ['malformed character entity', 'A character reference is malformed'],
  ['invalid attempt to undefine prefix', 'A prefix is declared for an empty namespace'],
];

/** The reason and the statement for an error of the parser. */
export function explanation(message: string): [FenceRefusal['reason'], string] {
  const plain = message
    .replace(/^\d+:\d+: /, '')
    .replace(/\{[^{}]*\}/g, '')
    .replace(/\.$/, '');
  const unbound = /^unbound namespace prefix: "(.*)"$/s.exec(plain);
  if (unbound !== null) {
    return ['unbound-prefix', `The prefix '${shortened(unbound[1] ?? '')}' is not declared`];
  }
  const known = EXPLANATIONS.find(([start]) => plain.startsWith(start));
  return ['not-well-formed', known?.[1] ?? `The text is not well-formed XML: ${shortened(plain, 120)}`];
}

/** At most that many UTF-16 units of what a client sent. */
export function shortened(text: string, length = 60): string {
  return text.length > length ? `${text.slice(0, length).replace(/\p{Surrogate}$/u, '')}…` : text;
}

/** Makes the sentence of a statement. */
export function refusal(reason: FenceRefusal['reason'], statement: string, line?: number): FenceRefusal {
  if (line === undefined) return { reason, message: `${statement}.` };
  return { reason, message: `${statement} (line ${String(line)}).`, line };
}
