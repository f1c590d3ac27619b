/** The names that only one of two schemas declares. Mutants show differences only where an example goes. */
import type { SourceElement } from '../../src/xml/source-tree.js';
import type { Vocabulary } from '../../src/xml/vocabulary.js';

/** The names that a schema declares, by namespace. */
export type Vocabularies = ReadonlyMap<string, Vocabulary>;

/** One line for each namespace and side with names that the other side does not declare. */
export function namesDeclaredOnce(ours: Vocabularies, published: Vocabularies): string[] {
  return [
    ...missingNames(ours, published).map((names) => `  only xcapd declares ${names}`),
    ...missingNames(published, ours).map((names) => `  only the published schema declares ${names}`),
  ];
}

/** The outermost element that is or encloses the given one and that only the first of both schemas declares. */
export function outermostDeclaredOnce(
  element: SourceElement,
  declared: Vocabularies,
  elsewhere: Vocabularies,
): SourceElement | undefined {
  const { namespace, localName, parent } = element;
  const outer = parent && outermostDeclaredOnce(parent, declared, elsewhere);
  if (outer !== undefined) return outer;
  const isDeclaredOnce =
    declared.get(namespace)?.elements.has(localName) === true &&
    elsewhere.get(namespace)?.elements.has(localName) !== true;
  return isDeclaredOnce ? element : undefined;
}

function missingNames(declared: Vocabularies, elsewhere: Vocabularies): string[] {
  return [...declared].flatMap(([namespace, { elements, attributes }]) => {
    const other = elsewhere.get(namespace);
    const place = namespace === '' ? 'no namespace' : namespace;
    const count = elements.size + attributes.size;
    if (other === undefined) return count === 0 ? [] : [`the ${count} names of ${place}`];
    const names = [
      ...[...elements].filter((name) => !other.elements.has(name)),
      ...[...attributes].filter((name) => !other.attributes.has(name)).map((name) => `@${name}`),
    ];
    return names.length === 0 ? [] : [`${names.join(', ')} of ${place}`];
  });
}
