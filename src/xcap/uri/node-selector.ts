/** §6.3: the grammar of node selectors. */
import { referencedCharacter } from '../../xml/escape.js';
import { LIMITS } from '../../xml/fence.js';
import { Refusal } from '../refusal.js';
import type { ExpandedName, NamespaceBindings, NodeSelector, Step } from '../terms.js';
import { encodeSegment, percentDecode } from './percent-encoding.js';
import { encodeNamespaceBindings, parseNamespaceBindings, type EncodedNodeSelector } from './uri.js';

/** A node selector as it was understood, with what is needed to name its ancestors in a conflict report. */
export interface ParsedNodeSelector {
  readonly selector: NodeSelector;
  /** The steps as the client wrote them, decoded. */
  readonly stepTexts: readonly string[];
  readonly bindings: NamespaceBindings;
}

// Namespaces in XML 1.0 §3: an NCName, by the name characters of XML 1.0 §2.3.
const nameStart =
  'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}' +
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}';
const ncName = `[${nameStart}][${nameStart}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*`;
const qName = `(?:(?<prefix>${ncName}):)?(?<localName>${ncName})`;

const attributeSelector = new RegExp(`^@${qName}/?$`, 'u');
const namespaceSelector = /^namespace::\*\/?$/;
const nameOrAny = new RegExp(`(?:\\*|${qName})`, 'uy');
const positionTest = /\[([0-9]{1,9})\]/y;
const attributeTest = new RegExp(`\\[@${qName}=(?:"(?<double>[^"<]*)"|'(?<single>[^'<]*)')\\]`, 'uy');

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';

/** §5.2: the namespace of an unprefixed element name. */
export type DefaultNamespace = (localName: string) => string;

/**
 * Reads a node selector. Unprefixed element names take their namespace from the usage (§5.2), prefixes come from the
 * query component (§6.4).
 *
 * @throws Refusal 400 for an undeclared prefix or a bad escape, 404 for a selector that is not understood (§8).
 */
export function parseNodeSelector(
  { selector, query }: EncodedNodeSelector,
  defaultNamespace: DefaultNamespace,
): ParsedNodeSelector {
  const text = percentDecode(selector);
  const bindings = parseNamespaceBindings(query);
  const steps: Step[] = [];
  const stepTexts: string[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    if (isNonEmpty(steps) && namespaceSelector.test(rest)) {
      return { selector: { kind: 'namespace-bindings', steps }, stepTexts, bindings };
    }
    const attribute = attributeSelector.exec(rest);
    if (isNonEmpty(steps) && attribute !== null) {
      const name = { ...attributeName(attribute, bindings), prefix: attribute.groups?.prefix ?? '' };
      return { selector: { kind: 'attribute', steps, attribute: name }, stepTexts, bindings };
    }
    if (steps.length >= LIMITS.depth) throw tooDeep();
    const { step, end } = readStep(text, at, bindings, defaultNamespace);
    if (end < text.length && text.charAt(end) !== '/') throw notUnderstood();
    steps.push(step);
    stepTexts.push(text.slice(at, end));
    at = end + 1;
  }
  if (!isNonEmpty(steps)) throw notUnderstood();
  return { selector: { kind: 'element', steps }, stepTexts, bindings };
}

/** The first `count` steps as a node selector on the wire, with the query component that it needs. */
export function encodeSteps({ stepTexts, bindings }: ParsedNodeSelector, count: number): string {
  return stepTexts.slice(0, count).map(encodeSegment).join('/') + encodeNamespaceBindings(bindings);
}

function readStep(
  text: string,
  start: number,
  bindings: NamespaceBindings,
  defaultNamespace: DefaultNamespace,
): { step: Step; end: number } {
  const name = matchAt(nameOrAny, text, start);
  if (name === null) throw notUnderstood();
  const positionMatch = matchAt(positionTest, text, nameOrAny.lastIndex);
  const afterPosition = positionMatch === null ? nameOrAny.lastIndex : positionTest.lastIndex;
  const attributeMatch = matchAt(attributeTest, text, afterPosition);
  const step: Step = {
    name: name[0] === '*' ? '*' : elementName(name, bindings, defaultNamespace),
    ...(positionMatch === null ? {} : { position: Number(positionMatch[1]) }),
    ...(attributeMatch === null ? {} : { attribute: readAttributeTest(attributeMatch, bindings) }),
  };
  return { step, end: attributeMatch === null ? afterPosition : attributeTest.lastIndex };
}

function readAttributeTest(match: RegExpExecArray, bindings: NamespaceBindings) {
  const value = match.groups?.double ?? match.groups?.single ?? '';
  return { name: attributeName(match, bindings), value: attributeValue(value) };
}

/** What the AttValue stands for (XML 1.0 §3.3.3). An ampersand that begins no reference is meant as one. */
function attributeValue(literal: string): string {
  return literal
    .replace(/[\t\n\r]/g, ' ')
    .replace(/&(#?[A-Za-z0-9]+);/g, (_reference: string, name: string) => {
      const character = referencedCharacter(name);
      if (character === undefined) throw notUnderstood();
      return character;
    });
}

function elementName(
  match: RegExpExecArray,
  bindings: NamespaceBindings,
  defaultNamespace: DefaultNamespace,
): ExpandedName {
  const { prefix, localName = '' } = match.groups ?? {};
  const namespace = prefix === undefined ? defaultNamespace(localName) : boundNamespace(prefix, bindings);
  return { namespace, localName };
}

/** §6.3: an unprefixed attribute name is in no namespace; namespace declarations are no attributes. */
function attributeName(match: RegExpExecArray, bindings: NamespaceBindings): ExpandedName {
  const { prefix, localName = '' } = match.groups ?? {};
  if (prefix === undefined) {
    return { namespace: localName === 'xmlns' ? xmlnsNamespace : '', localName };
  }
  return { namespace: boundNamespace(prefix, bindings), localName };
}

function boundNamespace(prefix: string, bindings: NamespaceBindings): string {
  // Namespaces in XML 1.0 §3: these two are bound by definition.
  if (prefix === 'xml') return xmlNamespace;
  if (prefix === 'xmlns') return xmlnsNamespace;
  const namespace = bindings.get(prefix);
  if (namespace === undefined) {
    throw new Refusal(
      400,
      `The prefix ${prefix.slice(0, 60)} of the node selector is not declared by an xmlns() part of the query component.`,
    );
  }
  return namespace;
}

/** The fence lets no document have an element there. */
function tooDeep(): Refusal {
  return new Refusal(
    404,
    `The node selector has more than ${LIMITS.depth} steps and selects nothing: elements are at most ${LIMITS.depth} levels deep.`,
  );
}

function notUnderstood(): Refusal {
  return new Refusal(404, 'The node selector is not understood.');
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function isNonEmpty<T>(items: T[]): items is [T, ...T[]] {
  return items.length > 0;
}
