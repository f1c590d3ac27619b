/** §10: the format of namespace bindings. */
import { escapeAttribute } from '../../xml/escape.js';
import { namespacesInScope, type SourceElement } from '../../xml/source-tree.js';
import { qualifiedName } from '../../xml/start-tag.js';

/** An empty element of the same name with all declarations in scope. */
export function namespaceBindingsOf(element: SourceElement): string {
  const declarations = [...namespacesInScope(element)].map(
    ([prefix, uri]) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(uri)}"`,
  );
  return `<${qualifiedName(element)}${declarations.join('')}/>`;
}
