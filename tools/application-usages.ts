/** `npm run docs`: writes docs/application-usages.md from the registry and the examples of the usages. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder, usageFolders } from '../src/package-files.js';
import { loadUsages } from '../src/usages/registry.js';
import {
  ownerAndTrustedElements,
  readableByEveryone,
  readableByOwner,
  readOnly,
  type AuthorizationPolicy,
} from '../src/xcap/authorization.js';
import type { LoadedUsage } from '../src/xcap/loaded-usage.js';

export const applicationUsagesFile = join(packageFolder, 'docs/application-usages.md');

const policies = new Map<AuthorizationPolicy, string>([
  [
    ownerAndTrustedElements,
    'the owner reads and writes, trusted elements read; everyone reads the global tree',
  ],
  [readableByEveryone, 'everyone reads, the owner writes'],
  [readableByOwner, 'the owner and trusted elements read, no user writes'],
  [readOnly, 'everyone reads, no user writes'],
]);

/** The document: one section for each usage, in the order of their AUIDs. */
export async function describeApplicationUsages(): Promise<string> {
  const usages = [...(await loadUsages([usageFolders])).values()];
  return [
    '# Application usages',
    '',
    'What this server serves. Made by `npm run docs` from the definitions and examples in `auids/`; do not edit.',
    '',
    ...usages.flatMap(section),
  ].join('\n');
}

function section(loaded: LoadedUsage): string[] {
  const { usage } = loaded;
  const policy =
    policies.get(usage.authorization ?? ownerAndTrustedElements) ?? 'its own policy, see its folder';
  return [
    `## ${usage.auid}`,
    '',
    `- Media type: \`${usage.mediaType}\``,
    `- Root element: \`${usage.rootElement.localName}\` of \`${usage.rootElement.namespace}\``,
    `- Default document namespace: \`${usage.defaultDocumentNamespace}\``,
    `- Namespaces in xcap-caps: ${usage.namespaces.map((name) => `\`${name}\``).join(', ') || 'none'}`,
    `- Documents: ${documents(loaded)}`,
    `- Who may: ${policy}`,
    ...refusals(usage.auid, 'uniqueness-failure', 'Refused as not unique'),
    ...refusals(usage.auid, 'constraint-failure', 'Refused by another constraint'),
    '',
  ];
}

function documents({ usage }: LoadedUsage): string {
  if (usage.kind === 'generated') return `\`global/${usage.path.join('/')}\`, made by the server`;
  const directories = (usage.directories ?? []).map((name) => `, also in \`${name}/\``).join('');
  const home =
    usage.defaultDocument === undefined
      ? ''
      : `; a GET of \`users/<xui>/\` answers with \`${usage.defaultDocument}\``;
  return `\`users/<xui>/<name>\`${directories} or \`global/<name>\`${home}`;
}

/** The names of the examples that have that outcome, which say what they show. */
function refusals(auid: string, outcome: string, title: string): string[] {
  const shown = readdirSync(join(usageFolders.sources, auid, 'examples'))
    .filter((name) => name.startsWith(`${outcome}-`))
    .map((name) => name.slice(outcome.length + 1, -'.xml'.length).replaceAll('-', ' '))
    .sort();
  return shown.length === 0 ? [] : [`- ${title}, for example: ${shown.join('; ')}`];
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(applicationUsagesFile, await describeApplicationUsages());
}
