import {
  actionsOf,
  defineApplicationUsage,
  readableByEveryone,
  rulesThatHold,
  sameName,
} from '../../src/xcap/usage/contract.js';
import type { CarriedContent, Reader, UsageContext } from '../../src/xcap/usage/contract.js';
import type { DocumentSelector, ExpandedName, SourceElement } from '../../src/xcap/terms.js';

const namespace = 'urn:oma:xml:prs:pres-content';

/** The largest picture, before its encoding. */
const maxPictureBytes = 300 * 1024;

/** What pictures of a type start with. */
const signatures: ReadonlyMap<string, readonly string[]> = new Map([
  ['image/gif', ['GIF87a', 'GIF89a']],
  ['image/jpeg', ['\xff\xd8\xff']],
  ['image/png', ['\x89PNG\r\n\x1a\n']],
]);

/** OMA Presence Content XDM: the picture that stands for a user, to which their presence refers. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.openmobilealliance.pres-content',
  aliases: ['oma_status-icon'],
  defaultDocumentNamespace: namespace,
  rootElement: named('content'),
  limits: { bytes: 512 * 1024, nodes: 1_000 },
  mediaType: 'application/vnd.oma.pres-content+xml',
  schema: 'pres-content.xsd',
  namespaces: [namespace],
  directories: ['oma_status-icon'],
  childOrder: [
    {
      parent: named('content'),
      children: [...['mime-type', 'encoding', 'description', 'data'].map(named), '*'],
    },
  ],
  constraints,
  carriedContent,
  otherPolicies: {
    watchers: { readers: { rulesFor: presenceRulesFor, admit: admitsWatcher } },
    everyone: { authorization: readableByEveryone },
    'without-login': { authorization: readableByEveryone, anonymousReaders: true },
  },
});

function named(localName: string): ExpandedName {
  return { namespace, localName };
}

/** The picture is delivered under its own type, too, so it has to be what it says it is. */
function constraints(root: SourceElement, { textOf }: UsageContext): string | undefined {
  const encoding = textIn(root, 'encoding', textOf) ?? 'base64';
  if (encoding.toLowerCase() !== 'base64') return `The encoding of a picture has to be base64: ${encoding}`;
  const { mediaType, base64 } = carriedContent(root, textOf);
  const starts = signatures.get(mediaType);
  if (starts === undefined) {
    return `The mime-type of a picture has to be image/jpeg, image/gif or image/png: ${mediaType || 'none'}`;
  }
  if (!isBase64(base64)) return 'The data of the picture is not encoded in base64.';
  if (decodedLength(base64) > maxPictureBytes) {
    return `A picture can have at most ${String(maxPictureBytes)} bytes, this one has ${String(decodedLength(base64))}.`;
  }
  // The signatures are shorter than what 16 characters encode.
  const start = Buffer.from(base64.slice(0, 16), 'base64').toString('latin1');
  if (starts.some((signature) => start.startsWith(signature))) return undefined;
  return `The data is not a picture of the type ${mediaType}.`;
}

function carriedContent(root: SourceElement, textOf: UsageContext['textOf']): CarriedContent {
  return {
    mediaType: textIn(root, 'mime-type', textOf)?.toLowerCase() ?? '',
    base64: textIn(root, 'data', textOf)?.replace(/[ \t\r\n]+/g, '') ?? '',
  };
}

function textIn(root: SourceElement, localName: string, textOf: UsageContext['textOf']): string | undefined {
  const element = root.children.find((child) => sameName(child, named(localName)));
  return element && textOf(element).trim();
}

/** RFC 4648 §4, with its padding. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

function decodedLength(base64: string): number {
  const [padding = ''] = /={0,2}$/.exec(base64) ?? [];
  return (base64.length / 4) * 3 - padding.length;
}

/** Where the owner of a picture says who may watch their presence: OMA's name, then those that other clients write. */
function presenceRulesFor(document: DocumentSelector): DocumentSelector[] {
  if (document.tree === 'global') return [];
  const { tree, xui } = document;
  return [
    { tree, xui, auid: 'org.openmobilealliance.pres-rules', path: ['pres-rules'] },
    { tree, xui, auid: 'org.openmobilealliance.pres-rules', path: ['index'] },
    { tree, xui, auid: 'pres-rules', path: ['index'] },
  ];
}

/** RFC 5025 §3.2.1: the highest handling of all rules that hold counts, and none is higher than `allow`. */
function admitsWatcher(ruleset: SourceElement, reader: Reader, textOf: UsageContext['textOf']): boolean {
  const subHandling = { namespace: 'urn:ietf:params:xml:ns:pres-rules', localName: 'sub-handling' };
  return rulesThatHold(ruleset, reader)
    .flatMap(actionsOf)
    .some((action) => sameName(action, subHandling) && textOf(action).trim() === 'allow');
}
