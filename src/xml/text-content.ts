/** The text of elements, which the source tree leaves in the source. */
import { referencedCharacter } from './escape.js';
import type { SourceElement } from './source-tree.js';

const markup = /[<&\r]/g;
const reference = { begin: '&', end: ';' };
const cdata = { begin: '<![CDATA[', end: ']]>' };
const delimiters = [reference, cdata, { begin: '<!--', end: '-->' }, { begin: '<?', end: '?>' }];

/** The text directly inside an element: references resolved, CDATA as text, line ends as newlines, other white space kept. */
export function textOf(text: string, element: SourceElement): string {
  let content = '';
  let at = element.startTagEnd;
  for (const child of element.children) {
    content += characters(text.slice(at, child.start));
    at = child.end;
  }
  return content + characters(text.slice(at, element.contentEnd));
}

/** The fence has seen that every reference is known, and that all markup ends. */
function characters(source: string): string {
  let content = '';
  let at = 0;
  for (let from = nextMarkup(source, at); from < source.length; from = nextMarkup(source, at)) {
    const piece = pieceAt(source, from);
    content += source.slice(at, from) + piece.text;
    at = piece.end;
  }
  return content + source.slice(at);
}

function nextMarkup(source: string, from: number): number {
  markup.lastIndex = from;
  return markup.exec(source)?.index ?? source.length;
}

/** What stands at a place where the text is not simply what is written. */
function pieceAt(source: string, start: number): { text: string; end: number } {
  if (source.startsWith('\r\n', start)) return { text: '\n', end: start + 2 };
  if (source.startsWith('\r', start)) return { text: '\n', end: start + 1 };
  const { begin, end } = delimiters.find((pair) => source.startsWith(pair.begin, start)) ?? reference;
  const contentStart = start + begin.length;
  const contentEnd = source.indexOf(end, contentStart);
  const content = source.slice(contentStart, contentEnd);
  return { text: textOfMarkup(begin, content), end: contentEnd + end.length };
}

function textOfMarkup(begin: string, content: string): string {
  if (begin === reference.begin) return referencedCharacter(content) ?? '';
  return begin === cdata.begin ? content.replace(/\r\n?/g, '\n') : '';
}
