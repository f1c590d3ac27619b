/** What clients write, as logs show it: short, readable, and without the passwords that some put into URIs. */

/** Of one value that a client chose, in characters. */
const maximalValue = 64;
/** Of a whole selector or sentence. */
const maximalText = 512;
/** What is encoded more often than this is cut to pieces that hold nothing. */
const maximalDecodings = 8;

/** A document selector (§6.2), from its decoded segments. */
export function shownPath(segments: readonly string[]): string {
  return cut(segments.map(shownSegment).join('/'), maximalText);
}

/** A node selector (§6.3), from the request target. */
export function shownNode(encoded: string): string {
  const pieces = decodedToTheEnd(encoded).match(/"[^"]*"?|'[^']*'?|[^"'/]+|\//g) ?? [];
  return cut(pieces.map(shownPiece).join(''), maximalText);
}

/** The sentence of an answer: it may repeat what the client wrote. */
export function shownSentence(sentence: string): string {
  const words = sentence.split(/([\s"'<>])/);
  return cut(words.map(withoutPassword).join(''), maximalText);
}

/** A string of a node selector keeps its quotes. */
function shownPiece(piece: string): string {
  const [quote] = /^["']/.exec(piece) ?? [];
  if (quote === undefined) return shownValue(piece);
  const isClosed = piece.length > 1 && piece.endsWith(quote);
  const end = isClosed ? quote : '';
  return `${quote}${shownValue(piece.slice(1, isClosed ? -1 : undefined))}${end}`;
}

/** A segment of a path, such as the identity of somebody who is no subscriber. */
export function shownSegment(segment: string): string {
  return shownValue(decodedToTheEnd(segment));
}

function shownValue(value: string): string {
  return cut(withoutPassword(value), maximalValue);
}

/** RFC 3261 §19.1.1: a userinfo may have a password behind the user; whatever is there, up to the last `@`, goes. */
function withoutPassword(value: string): string {
  const at = value.lastIndexOf('@');
  if (at < 0) return value;
  const [, scheme = '', userinfo = ''] =
    /^([^a-z]*(?:sips?|im|pres|xmpp|mailto|acct|https?|urn|tel):(?:\/\/)?)?(.*)$/is.exec(
      value.slice(0, at),
    ) ?? [];
  const [user = ''] = userinfo.split(':');
  return `${scheme}${user}${value.slice(at)}`;
}

/** Some clients encode a value twice; what is under the last encoding is what must not be shown. */
function decodedToTheEnd(encoded: string): string {
  let text = encoded;
  for (let i = 0; i < maximalDecodings; i++) {
    const decoded = text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
      Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
    );
    if (decoded === text) return text;
    text = decoded;
  }
  return '…';
}

/** PostgreSQL stores no NUL. */
function cut(text: string, maximal: number): string {
  const short = text.length <= maximal ? text : `${text.slice(0, maximal)}…`;
  return short.replaceAll('\0', '\ufffd');
}
