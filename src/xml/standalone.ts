/** Elements outside of the document that they come from. */
import { escapeAttribute } from './escape.js';
import { namespacesInScope, type SourceElement } from './source-tree.js';
import { attributesEnd } from './start-tag.js';

/** The text of an element with the namespace declarations that it inherits, so that it means the same anywhere. */
export function standaloneText(text: string, element: SourceElement): string {
  const declarations = [...namespacesInScope(element)]
    .filter(([prefix]) => element.namespaceDeclarations[prefix] === undefined)
    .map(([prefix, uri]) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(uri)}"`);
  const place = attributesEnd(text, element);
  return text.slice(element.start, place) + declarations.join('') + text.slice(place, element.end);
}
