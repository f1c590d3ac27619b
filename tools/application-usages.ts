/** `npm run docs`: writes docs/application-usages.md from the registry and the examples of the usages. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder, usageFolders } from '../src/package-files.js';
import { loadUsages } from '../src/usages/registry.js';
import {
  globalTreeForTrustedElements,
  ownerAndTrustedElements,
  readableByEveryone,
  readableByOwner,
  readOnly,
  type AuthorizationPolicy,
} from '../src/xcap/policy/authorization.js';
import type { UsagePolicy, ApplicationUsage } from '../src/xcap/usage/contract.js';
import { limitsOf, type LoadedUsage } from '../src/xcap/usage/loaded-usage.js';

export const applicationUsagesFile = join(packageFolder, 'docs/application-usages.md');

const everyUsage = { optionalUsages: 'all', policies: new Map<string, string>() } as const;

const policies = new Map<AuthorizationPolicy, string>([
  [
    ownerAndTrustedElements,
    'the owner reads and writes, trusted elements read; everyone reads the global tree',
  ],
  [
    globalTreeForTrustedElements,
    'the owner reads and writes, trusted elements read; the global tree is read by trusted elements only',
  ],
  [readableByEveryone, 'everyone reads, the owner writes'],
  [readableByOwner, 'the owner and trusted elements read, no user writes'],
  [readOnly, 'everyone reads, no user writes'],
]);

/** The document: one section for each usage, in the order of their AUIDs. */
export async function describeApplicationUsages(): Promise<string> {
  const usages = [...(await loadUsages([usageFolders], everyUsage)).values()];
  return [
    '# Application usages',
    '',
    'What this server serves. Made by `npm run docs` from the definitions and examples in `auids/`; do not edit.',
    '',
    ...usages.flatMap(section),
  ].join('\n');
}

function aliases({ mediaTypeAliases = [] }: LoadedUsage['usage']): string {
  if (mediaTypeAliases.length === 0) return '';
  return `; taken for it: ${mediaTypeAliases.map((type) => `\`${type}\``).join(', ')}`;
}

function section({ usage }: LoadedUsage): string[] {
  return [
    `## ${usage.auid}`,
    '',
    ...(usage.isOptional === true ? ['Off by default, on by `XCAP_OPTIONAL_USAGES`.', ''] : []),
    ...(usage.aliases === undefined
      ? []
      : [`- Also known as: ${usage.aliases.map((auid) => `\`${auid}\``).join(', ')}`]),
    `- Media type: \`${usage.mediaType}\`${aliases(usage)}`,
    `- Root element: ${rootElement(usage)}`,
    ...(usage.lenientSchema === undefined
      ? []
      : ['- Accepts what known clients write against the standard with `XCAP_LENIENT_USAGES`']),
    `- Default document namespace: ${defaultNamespaces(usage)}`,
    `- Namespaces in xcap-caps: ${usage.namespaces.map((name) => `\`${name}\``).join(', ') || 'none'}`,
    `- Documents: ${documents(usage).join('; ')}`,
    ...limits(usage),
    `- Who may: ${access(usage)}`,
    ...Object.entries(usage.otherPolicies ?? {}).map(
      ([name, other]) => `- Who may with the policy \`${name}\`: ${access(other)}`,
    ),
    ...refusals(usage.auid, 'uniqueness-failure', 'Refused as not unique'),
    ...claims(usage),
    ...refusals(usage.auid, 'constraint-failure', 'Refused by another constraint'),
    ...(usage.kind === 'stored' && usage.carriedContent !== undefined
      ? [
          '- What the document carries is delivered for `?raw` or to whoever prefers its media type in `Accept`',
        ]
      : []),
    '',
  ];
}

function limits(usage: ApplicationUsage): string[] {
  if (usage.kind === 'generated') return [];
  const { bytes, nodes } = limitsOf(usage, Infinity);
  return [
    `- Largest document: ${bytes.toLocaleString('en')} bytes, ${nodes.toLocaleString('en')} elements and attributes`,
  ];
}

function rootElement({ rootElement: root }: ApplicationUsage): string {
  return root === undefined ? 'any' : `\`${root.localName}\` of \`${root.namespace}\``;
}

function defaultNamespaces(usage: ApplicationUsage): string {
  const second = usage.secondDefaultNamespace;
  const first = `\`${usage.defaultDocumentNamespace}\``;
  return second === undefined ? first : `${first}, and \`${second}\` for names that only this one declares`;
}

function access({ authorization = ownerAndTrustedElements, anonymousReaders, readers }: UsagePolicy): string {
  const known = policies.get(authorization) ?? 'its own policy, see its folder';
  const policy = anonymousReaders === true ? `${known}; reading takes no credentials` : known;
  return readers === undefined
    ? policy
    : `${policy}; so do those whom rules in documents admit, see its folder`;
}

function documents(usage: ApplicationUsage): string[] {
  const generated = (usage.generated ?? []).map(
    ({ tree, path }) =>
      `\`${[tree, ...(tree === 'users' ? ['<xui>'] : []), ...path].join('/')}\`, made by the server`,
  );
  if (usage.kind === 'generated') return generated;
  const directories = (usage.directories ?? []).map((name) => `, also in \`${name}/\``).join('');
  const home =
    usage.defaultDocument === undefined
      ? []
      : [`a GET of \`users/<xui>/\` answers with \`${usage.defaultDocument}\``];
  const named = (usage.claimDirectories ?? []).map(
    (name) => `\`global/${name}/<uri>\` reads the document that has claimed the URI`,
  );
  return [`\`users/<xui>/<name>\`${directories} or \`global/<name>\``, ...home, ...named, ...generated];
}

function claims(usage: ApplicationUsage): string[] {
  if (usage.kind === 'generated' || usage.claims === undefined) return [];
  return ['- Refused as not unique over all users: a URI that another document or a user has'];
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
