/** Where the files of the package lie that are not compiled. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of package.json, which is above this file in the sources and one more above it in `dist/`. */
export const packageFolder = findPackageFolder(import.meta.dirname);

/** `auids/`: schemas and examples in the sources, definitions where they were compiled to. */
export const usageFolders = {
  sources: join(packageFolder, 'auids'),
  definitions: join(import.meta.dirname, '..', 'auids'),
};

export const migrationsFolder = join(packageFolder, 'migrations');

function findPackageFolder(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json of xcapd is missing');
  return findPackageFolder(parent);
}
