/** Writing text into XML, and reading the references in an attribute value. */

/** What XML 1.0 §2.2 does not allow as a character. */
const notAChar = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const notAChars = new RegExp(notAChar.source, 'gu');

const predefined: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** True where every character of the text may stand in an XML document (XML 1.0 §2.2). */
export function isXmlText(text: string): boolean {
  return !notAChar.test(text);
}

/** Text as element content. Characters that XML cannot carry become U+FFFD. */
export function escapeText(text: string): string {
  return text
    .replace(notAChars, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** Text as an attribute value between double quotes. Characters that XML cannot carry become U+FFFD. */
export function escapeAttribute(text: string): string {
  return escapeText(text)
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#9;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\r', '&#13;');
}

/** The character of a reference's name (`amp`, `#38`, `#x26`), or undefined where there is none. */
export function referencedCharacter(name: string): string | undefined {
  if (!name.startsWith('#')) return Object.hasOwn(predefined, name) ? predefined[name] : undefined;
  const digits = /^#(?:x0*([0-9a-fA-F]{1,6})|0*([0-9]{1,7}))$/.exec(name);
  if (digits === null) return undefined;
  const codePoint = digits[1] !== undefined ? parseInt(digits[1], 16) : Number(digits[2]);
  if (codePoint > 0x10ffff) return undefined;
  const character = String.fromCodePoint(codePoint);
  return isXmlText(character) ? character : undefined;
}
