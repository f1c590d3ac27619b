/** §8.2.1: homes and the global tree always exist; other directories where the usage declares them. */
import { Conflict } from '../conflict.js';
import type { XcapUri } from '../uri/uri.js';
import type { LoadedStoredUsage } from '../usage/loaded-usage.js';
import { noDirectory } from './no-parent.js';

/** @throws Conflict no-parent; constraint-failure where a directory has the document's name */
export function checkDirectory(target: XcapUri, { usage }: LoadedStoredUsage): void {
  const directories = usage.directories ?? [];
  const { path } = target.document;
  const directory = path.slice(0, -1).join('/');
  if (directory !== '' && !directories.includes(directory)) throw noDirectory(target);
  const name = path.join('/');
  if (directories.some((other) => other === name || other.startsWith(`${name}/`))) {
    throw new Conflict({
      condition: 'constraint-failure',
      phrase: 'A directory has this name; choose another one for the document.',
    });
  }
}
