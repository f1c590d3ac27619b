/** The text of elements, which the source tree leaves in the source. */
import { referencedCharacter } from './escape.js';
import type { SourceElement } from './source-tree.js';

const markup = /<!--[^]*?-->|<\?[^]*?\?>|<!\[CDATA\[([^]*?)\]\]>|&([^;]*);|\r\n?/g;

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

/** The fence has seen that every reference is known. */
function characters(source: string): string {
  return source.replace(markup, (match: string, cdata?: string, reference?: string) => {
    if (cdata !== undefined) return cdata.replace(/\r\n?/g, '\n');
    if (reference !== undefined) return referencedCharacter(reference) ?? match;
    return match.startsWith('\r') ? '\n' : '';
  });
}
