/** A function without arguments that does its work on the first call only, and answers all others the same. */
export function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => (done ??= { value: work() }).value;
}
