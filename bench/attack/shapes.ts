/** The worst documents that are known: those on which somebody could make the server do the most for the least. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { usageFolders } from '../../src/package-files.js';

export interface Shape {
  readonly auid: string;
  readonly name: string;
  readonly text: string;
}

const listsNamespace = 'urn:ietf:params:xml:ns:resource-lists';

/** The texts of that many numbers, in one. */
export function repeat(count: number, text: (number: number) => string): string {
  return Array.from({ length: count }, (_, i) => text(i)).join('');
}

export function resourceLists(content: string): string {
  return `<resource-lists xmlns="${listsNamespace}"><list name="l">${content}</list></resource-lists>`;
}

export function contacts(count: number): string {
  return resourceLists(
    repeat(
      count,
      (i) => `<entry uri="sip:user${i}@example.com"><display-name>User ${i}</display-name></entry>`,
    ),
  );
}

export function group(content: string): string {
  return (
    '<group xmlns="urn:oma:xml:poc:list-service" xmlns:cp="urn:ietf:params:xml:ns:common-policy" ' +
    'xmlns:ocp="urn:oma:xml:xdm:common-policy"><list-service uri="sip:team@example.com">' +
    `${content}</list-service></group>`
  );
}

export function groupRules(count: number, condition: string): string {
  const actions = '<cp:actions><join-handling>true</join-handling></cp:actions>';
  const rule = (i: number) =>
    `<cp:rule id="r${i}"><cp:conditions>${condition}</cp:conditions>${actions}</cp:rule>`;
  return `<cp:ruleset>${repeat(count, rule)}</cp:ruleset>`;
}

function services(content: string): string {
  return `<rls-services xmlns="urn:ietf:params:xml:ns:rls-services">${content}</rls-services>`;
}

function service(i: number, content: string): string {
  return `<service uri="sip:list${i}@example.com">${content}<packages/></service>`;
}

const members = `<list>${repeat(2_500, (i) => `<entry uri="sip:u${i}@example.com"/>`)}</list>`;

const known: readonly Shape[] = [
  { auid: 'resource-lists', name: 'contacts', text: contacts(4_900) },
  { auid: 'resource-lists', name: 'one URI again and again', text: resourceLists(repeated('entry', 'uri')) },
  {
    auid: 'resource-lists',
    name: 'lists of one name',
    text: resourceLists(repeat(9_900, () => '<list name="a"/>')),
  },
  { auid: 'resource-lists', name: 'lists in lists', text: resourceLists(nested(190)) },
  {
    auid: 'rls-services',
    name: 'services',
    text: services(repeat(2_500, (i) => service(i, `<resource-list>http://a/b${i}</resource-list>`))),
  },
  {
    auid: 'rls-services',
    name: 'a service again and again',
    text: services(repeat(4_500, () => service(1, '<list/>'))),
  },
  {
    auid: 'rls-services',
    name: 'one long resource-list',
    text: services(service(1, `<resource-list>http://${'a'.repeat(500_000)}\\</resource-list>`)),
  },
  {
    auid: 'org.openmobilealliance.groups',
    name: 'everybody but those whom others name',
    text: group(groupRules(2_700, '<ocp:other-identity/>')),
  },
  {
    auid: 'org.openmobilealliance.groups',
    name: 'members',
    text: group(members + groupRules(2_000, '<is-list-member/>')),
  },
  {
    auid: 'org.openmobilealliance.groups',
    name: 'identities',
    text: group(
      groupRules(
        1,
        `<cp:identity>${repeat(9_000, (i) => `<cp:one id="sip:u${i}@example.com"/>`)}</cp:identity>`,
      ),
    ),
  },
  {
    auid: 'org.openmobilealliance.groups',
    name: 'exceptions',
    text: group(
      groupRules(
        1,
        `<cp:identity><cp:many>${repeat(9_000, (i) => `<cp:except domain="d${i}.example.com"/>`)}</cp:many></cp:identity>`,
      ),
    ),
  },
];

function repeated(name: string, attribute: string): string {
  return repeat(9_900, () => `<${name} ${attribute}="sip:a@example.com"/>`);
}

/** Ninety deep, side by side. */
function nested(count: number): string {
  const levels = 90;
  return repeat(count, () => '<list>'.repeat(levels) + '</list>'.repeat(levels));
}

/**
 * The known ones, and for every usage each of its examples made as large as it may be: every element in turn stands in its place
 * as often as fits.
 */
export function shapesOf(auid: string, limits: { readonly bytes: number; readonly nodes: number }): Shape[] {
  const folder = join(usageFolders.sources, auid, 'examples');
  const examples = readdirSync(folder).filter((name) => name.endsWith('.xml'));
  const grown = examples.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    return elementsIn(text).map((element) => ({
      auid,
      name: `${name}: ${element.slice(0, 30)}`,
      text: text.replace(element, () => element.repeat(timesThatFit(text, element, limits))),
    }));
  });
  return [...known.filter((shape) => shape.auid === auid), ...grown];
}

/** Elements without children of their own name, as they are written: enough to grow documents in many places. */
function elementsIn(text: string): string[] {
  const starts = [...text.matchAll(/<([A-Za-z][\w:.-]*)[^<>]*>/g)];
  const elements = starts.flatMap(([start, name = '']) => {
    const from = text.indexOf(start);
    if (start.endsWith('/>')) return [start];
    const end = text.indexOf(`</${name}>`, from);
    return end < 0 ? [] : [text.slice(from, end + name.length + 3)];
  });
  return [...new Set(elements)];
}

function timesThatFit(
  text: string,
  element: string,
  { bytes, nodes }: { bytes: number; nodes: number },
): number {
  const nodesIn = (part: string) => part.split(/<(?!\/)|=/).length;
  const byBytes = (bytes - Buffer.byteLength(text)) / Buffer.byteLength(element);
  const byNodes = (nodes - nodesIn(text)) / nodesIn(element);
  return Math.max(1, Math.floor(Math.min(byBytes, byNodes)));
}
