/**
 * The fence: what a text must be before anything else sees it. One strict parse refuses whatever is not plain
 * namespace-well-formed XML 1.0 in UTF-8 (RFC 4825 §8.2.2, §8.2.5) and yields the source positions that selectors and
 * edits work on. What passes here is safe for the schema validator, whose parser is old and forgives too much.
 */
import { SaxesParser, type SaxesAttributeNS, type SaxesTagNS } from 'saxes';
import { explanation, refusal, Refused, shortened, type FenceRefusal, type Result } from './fence-refusal.js';
import {
  ancestorsOrSelf,
  declarationCount,
  namespacesInScope,
  type SourceAttribute,
  type SourceElement,
  type SourceTree,
  type UnfinishedElement,
} from './source-tree.js';

export type { FenceRefusal, Result } from './fence-refusal.js';

/** The limits of the fence. A document beyond them is refused, not truncated. */
export const LIMITS = {
  /** UTF-16 units. libxml2 gives up on a single value over 10,000,000 bytes; one unit takes at most three of them. */
  length: 3_000_000,
  /** Levels of elements. libxml2 gives up at 256; recursion over the tree stays shallow. */
  depth: 100,
  /** Attributes and namespace declarations of one element. libxml2 compares them pairwise. */
  attributes: 64,
  /** Namespace declarations in scope at once. libxml2 searches them one by one for each prefixed name. */
  declarationsInScope: 256,
  /** Elements, attributes, comments and processing instructions: each takes memory, here and in libxml2. */
  nodes: 100_000,
  /** UTF-16 units of a qualified name. libxml2 gives up at 50,000 bytes. */
  name: 1_000,
} as const;

type SizeLimits = Readonly<Record<'length' | 'nodes', number>>;

/** For what this server has made itself, which libxml2 never sees. */
export const UNLIMITED: SizeLimits = { length: Infinity, nodes: Infinity };

/** XML Namespaces 1.0 §3: a local part starts like a name. saxes checks the start of the whole name only. */
const NAME_START =
  /^[A-Z_a-z\xC0-\xD6\xD8-\xF6\xF8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\u{10000}-\u{EFFFF}]/u;

/** A text declaration (XML 1.0 §4.3.1) may leave out the version, which saxes insists on. */
const VERSIONLESS_DECLARATION =
  /^\uFEFF?<\?xml[\t\r\n ]+encoding[\t\r\n ]*=[\t\r\n ]*(?:"([^"<]*)"|'([^'<]*)')[\t\r\n ]*\?>/;

/** libxml2 takes some letters from the eleventh digit on for an error, where other readers do not. */
const TOO_LONG_REFERENCE = /&#x[0-9a-fA-F]{11}/;

/** What begins where no reference is one, and how that ends. */
const LITERALS: ReadonlyMap<string, string> = new Map([
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
]);

type OpenElement = UnfinishedElement & { readonly children: SourceElement[] };
type Mode = 'document' | 'fragment';

/** Bytes → text (RFC 4825 §8.2.2: bodies are UTF-8). A byte order mark stays: it is part of what was PUT. */
export function decodeUtf8(bytes: Uint8Array): Result<string> {
  // ASCII in UTF-16 or UTF-32 without a byte order mark is valid UTF-8 full of NULs; no XML text starts with one.
  if (bytes[0] === 0 || bytes[1] === 0) return refused('not-utf-8', 'The body is not encoded in UTF-8');
  try {
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return refused('not-utf-8', 'The body is not encoded in UTF-8');
  }
}

/**
 * Reads a whole document. The offsets of the tree count in `text` as it is, byte order mark included.
 *
 * @param size instead of `LIMITS`
 */
export function readDocument(text: string, size: Partial<SizeLimits> = {}): Result<SourceTree> {
  return attempt(() => {
    const reader = new Reader(text, 'document', size);
    const root = reader.read();
    return { text, root, nodes: reader.nodes, earlierText: 0 };
  });
}

/**
 * Reads one element as a child of `parent`, whose namespaces it inherits, or as the root where there is none. It counts
 * in the limits of depth and declarations what there is above it. The offsets and lines of what it returns are those in
 * `text`, and its parent is left out.
 */
export function readChild(text: string, parent: SourceElement | undefined): Result<SourceElement> {
  return attempt(() => new Reader(text, 'document', {}, parent).read());
}

/**
 * Reads an element fragment (RFC 4825 §8.2.2, media type application/xcap-el+xml) and tells where in the body its one
 * element stands. White space and a declaration before it are tolerated, nothing else is. Prefixes may be unbound: they
 * resolve where the element goes, and the document that results has to pass {@link readDocument} in its turn.
 */
export function readFragment(text: string): Result<{ readonly start: number; readonly end: number }> {
  return attempt(() => {
    const { start, end } = new Reader(withoutVersionlessDeclaration(text), 'fragment').read();
    return { start, end };
  });
}

/** The same text with blanks in place of the declaration, so that offsets and lines stay. */
function withoutVersionlessDeclaration(text: string): string {
  const match = VERSIONLESS_DECLARATION.exec(text);
  if (match === null) return text;
  checkEncoding(match[1] ?? match[2], 1);
  return match[0].replace(/[^\r\n]/g, ' ') + text.slice(match[0].length);
}

/** One parse of one text. saxes goes on behind an error, so every refusal is thrown. */
class Reader {
  readonly #text: string;
  readonly #mode: Mode;
  readonly #size: SizeLimits;
  readonly #parser: SaxesParser<{ xmlns: true }>;
  readonly #open: OpenElement[] = [];
  readonly #depthAbove: number;
  #root: SourceElement | undefined;
  #nodes = 0;
  #declarationsInScope: number;

  constructor(text: string, mode: Mode, size: Partial<SizeLimits> = {}, parent?: SourceElement) {
    const above = ancestorsOrSelf(parent);
    this.#depthAbove = above.length;
    this.#declarationsInScope = above.reduce((sum, element) => sum + declarationCount(element), 0);
    this.#text = text;
    this.#mode = mode;
    this.#size = { ...LIMITS, ...size };
    this.#parser = new SaxesParser({
      xmlns: true,
      forceXMLVersion: true,
      defaultXMLVersion: '1.0',
      ...(parent && { additionalNamespaces: Object.fromEntries(namespacesInScope(parent)) }),
      // A namespace of its own for each unbound prefix; `&` keeps it apart from all that a document may declare.
      ...(mode === 'fragment' ? { resolvePrefix: (prefix: string) => `&${prefix}` } : {}),
    });
  }

  get nodes(): number {
    return this.#nodes;
  }

  read(): SourceElement {
    if (this.#text.length > this.#size.length) {
      throw new Refused(
        refusal('forbidden', `The text has more than ${String(this.#size.length)} characters`),
      );
    }
    // saxes takes the unit behind a lone surrogate for its other half, even where that is a `<`.
    if (/\p{Surrogate}/u.test(this.#text)) throw new Refused(refusal('not-utf-8', 'The text is not Unicode'));
    if (hasTooLongReference(this.#text)) {
      throw new Refused(refusal('forbidden', 'A hexadecimal character reference has more than 10 digits'));
    }
    this.#listen();
    this.#parser.write(this.#text).close();
    return this.#root ?? this.#refuse('not-well-formed', 'There is no element');
  }

  /** saxes turns five times slower with more than six listeners: V8 then keeps the parser as a hash table. */
  #listen(): void {
    const parser = this.#parser;
    parser.on('error', (error) => this.#refuse(...explanation(error.message)));
    parser.on('doctype', () => this.#refuse('forbidden', 'A document type declaration is not allowed'));
    parser.on('comment', () => this.#miscellaneous('A comment'));
    parser.on('processinginstruction', ({ target }) => this.#processingInstruction(target));
    parser.on('opentag', (tag) => this.#openTag(tag));
    parser.on('closetag', () => this.#closeTag());
  }

  #refuse(reason: FenceRefusal['reason'], statement: string): never {
    throw new Refused(refusal(reason, statement, this.#parser.line));
  }

  #processingInstruction(target: string): void {
    this.#checkName(target);
    this.#miscellaneous('A processing instruction');
  }

  #miscellaneous(what: string): void {
    const element = this.#open.at(-1);
    if (this.#mode === 'fragment' && element === undefined) {
      this.#refuse('forbidden', `${what} is not allowed around the element`);
    }
    this.#countNodes(1);
    if (element !== undefined) element.nodes += 1;
  }

  #countNodes(count: number): void {
    this.#nodes += count;
    if (this.#nodes > this.#size.nodes) {
      this.#refuse('forbidden', `There are more than ${String(this.#size.nodes)} nodes`);
    }
  }

  #checkXmlDeclaration(): void {
    const { version, encoding } = this.#parser.xmlDecl;
    checkEncoding(encoding, 1);
    if (version !== undefined && version !== '1.0') {
      throw new Refused(refusal('not-well-formed', 'Only XML 1.0 is accepted', 1));
    }
  }

  #checkTag(name: string, attributes: readonly SaxesAttributeNS[]): void {
    if (this.#depthAbove + this.#open.length >= LIMITS.depth) {
      this.#refuse('forbidden', `The elements are nested more than ${String(LIMITS.depth)} deep`);
    }
    if (attributes.length > LIMITS.attributes) {
      this.#refuse('forbidden', `An element has more than ${String(LIMITS.attributes)} attributes`);
    }
    this.#countNodes(1 + attributes.length);
    this.#checkName(name);
    for (const attribute of attributes) {
      this.#checkName(attribute.name);
      if (!isOrdinary(attribute)) this.#checkNamespace(attribute.value);
    }
  }

  #checkName(name: string): void {
    if (name.length > LIMITS.name) {
      this.#refuse('forbidden', `A name has more than ${String(LIMITS.name)} characters`);
    }
    const colon = name.indexOf(':');
    if (colon !== -1 && !NAME_START.test(name.slice(colon + 1))) {
      this.#refuse('not-well-formed', `'${shortened(name)}' is not a name`);
    }
  }

  #checkNamespace(uri: string): void {
    // libxml2 does not resolve `&amp;` here, and saxes trims: each would see another namespace than we do.
    if (uri.includes('&')) this.#refuse('forbidden', "A namespace may not contain '&'");
    if (uri !== uri.trim()) this.#refuse('forbidden', 'A namespace may not start or end with white space');
  }

  #openTag(tag: SaxesTagNS): void {
    if (this.#root === undefined) this.#checkXmlDeclaration();
    const attributes = Object.values(tag.attributes);
    this.#checkTag(tag.name, attributes);
    const { position, line } = this.#parser;
    // A start tag holds no other `<`, so that the search back is no longer than the tag.
    const start = this.#text.lastIndexOf('<', position - 1);
    const parent = this.#open.at(-1);
    const element: OpenElement = {
      namespace: tag.uri,
      localName: tag.local,
      prefix: tag.prefix,
      parent,
      children: [],
      attributes: attributes.filter(isOrdinary).map(sourceAttribute),
      namespaceDeclarations: tag.ns,
      start,
      startTagEnd: position,
      contentEnd: 0,
      end: 0,
      line: line - lineEnds(this.#text.slice(start, position)),
      nodes: 1 + attributes.length,
    };
    this.#declarationsInScope += declarationCount(element);
    if (this.#declarationsInScope > LIMITS.declarationsInScope) {
      this.#refuse(
        'forbidden',
        `More than ${String(LIMITS.declarationsInScope)} namespaces are declared at once`,
      );
    }
    parent?.children.push(element);
    this.#root ??= element;
    this.#open.push(element);
  }

  #closeTag(): void {
    const element = this.#open.pop();
    if (element === undefined) return;
    const { position } = this.#parser;
    element.end = position;
    element.contentEnd =
      element.startTagEnd === position ? position : this.#text.lastIndexOf('<', position - 1);
    this.#declarationsInScope -= declarationCount(element);
    const parent = this.#open.at(-1);
    if (parent !== undefined) parent.nodes += element.nodes;
  }
}

/** In a well-formed text; any other is refused by the parse. */
function hasTooLongReference(text: string): boolean {
  // Hardly any text has something like it, and the search for one is short.
  if (!TOO_LONG_REFERENCE.test(text)) return false;
  const marks = /<!--|<!\[CDATA\[|<\?|&#x[0-9a-fA-F]{11}/g;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    const end = LITERALS.get(mark[0]);
    if (end === undefined) return true;
    const at = text.indexOf(end, marks.lastIndex);
    if (at < 0) return false;
    marks.lastIndex = at + end.length;
  }
  return false;
}

function sourceAttribute({ uri, local, prefix, value }: SaxesAttributeNS): SourceAttribute {
  return { namespace: uri, localName: local, prefix, value };
}

/** How many lines end in the text: by CR, LF or both. */
export function lineEnds(text: string): number {
  return text.match(/\r\n?|\n/g)?.length ?? 0;
}

function isOrdinary({ name, prefix }: SaxesAttributeNS): boolean {
  return prefix !== 'xmlns' && name !== 'xmlns';
}

function checkEncoding(encoding: string | undefined, line: number): void {
  if (encoding === undefined || encoding.toUpperCase() === 'UTF-8') return;
  throw new Refused(
    refusal('not-utf-8', `The declared encoding is '${shortened(encoding)}', not UTF-8`, line),
  );
}

function attempt<T>(read: () => T): Result<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

function refused(reason: FenceRefusal['reason'], statement: string): Result<never> {
  return { ok: false, refusal: refusal(reason, statement) };
}
