/** Taking elements from one document into the text of another. */
import { descendantsOrSelf, escapeText } from '../../src/xcap/usage/contract.js';
import type { SourceElement, SourceTree } from '../../src/xcap/terms.js';

/** What takes the place of a stretch of a text. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text after edits that do not overlap; the very text where there are none. */
export function splice(text: string, edits: readonly TextEdit[]): string {
  return edits
    .toSorted((a, b) => b.start - a.start || b.end - a.end)
    .reduce((edited, { start, end, text: part }) => edited.slice(0, start) + part + edited.slice(end), text);
}

/** The edit that puts elements behind the last child; an empty-element tag is opened. */
export function childEnd(text: string, parent: SourceElement, elements: string): TextEdit {
  const { start, startTagEnd, contentEnd, end } = parent;
  if (startTagEnd !== end) return { start: contentEnd, end: contentEnd, text: elements };
  const [, name = ''] = /^<([^\s/>]+)/.exec(text.slice(start, end)) ?? [];
  return { start: end - 2, end, text: `>${elements}</${name}>` };
}

/**
 * The source of a child of the root, with the namespace declarations that it needs below another root. Those that the
 * other root makes alike are left out.
 */
export function standalone(from: SourceTree, element: SourceElement, below: SourceElement): string {
  const text = from.text.slice(element.start, element.end);
  const declarations = Object.entries(from.root.namespaceDeclarations)
    .filter(([prefix, uri]) => below.namespaceDeclarations[prefix] !== uri)
    .filter(([prefix]) => !Object.hasOwn(element.namespaceDeclarations, prefix))
    .filter(([prefix]) => isUsed(prefix, element, text))
    .map(([prefix, uri]) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${attributeText(uri)}"`);
  const [name = ''] = /^<[^\s/>]+/.exec(text) ?? [];
  return name + declarations.join('') + text.slice(name.length);
}

/** Also in values, which may hold qualified names: rather one declaration too many. */
function isUsed(prefix: string, element: SourceElement, text: string): boolean {
  if (prefix !== '') return text.includes(`${prefix}:`);
  return descendantsOrSelf(element).some((descendant) => descendant.prefix === '');
}

function attributeText(uri: string): string {
  return escapeText(uri).replaceAll('"', '&quot;');
}
