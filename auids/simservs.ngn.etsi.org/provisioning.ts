/**
 * What an operator provisions and what a subscriber sets (TS 24.623, TS 29.364): a profile is a simservs document. Its
 * services are those that the subscriber has, with their first settings; its capability elements are the operator's. A
 * handset takes a service that is absent for one that is not subscribed to, so a provisioned one is always present.
 */
import { sameName, type Provisioning, type ReadText } from '../../src/xcap/usage/contract.js';
import type { SourceElement, SourceTree } from '../../src/xcap/terms.js';
import { childEnd, splice, standalone, type TextEdit } from './splicing.js';
import { sameStructure, type Attributes } from './structure.js';
import {
  commonPolicyNamespace,
  namespace,
  omaCommonPolicyNamespace,
  servicesOf,
  subscriberName,
} from './vocabulary.js';

export const provisioning: Provisioning = {
  document: 'simservs.xml',
  profileFault,
  reconcile,
  violation,
};

/** Handsets write names without a prefix, with `ss:`, `cp:` and `ocp:` into the document, as they like. */
const wantedBindings: readonly (readonly [prefix: string, uri: string])[] = [
  ['', namespace],
  ['ss', namespace],
  ['cp', commonPolicyNamespace],
  ['ocp', omaCommonPolicyNamespace],
];

function profileFault({ root }: SourceTree): string | undefined {
  for (const [prefix, uri] of wantedBindings) {
    if (declaredOn(root, prefix) === uri) continue;
    const declaration = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
    return `The root element has to declare ${declaration}="${uri}", because handsets rely on it.`;
  }
  const services = servicesOf(root);
  const repeated = services.find((element, i) => services.findIndex((e) => sameName(e, element)) < i);
  return repeated && `The service '${repeated.localName}' stands in the profile more than once.`;
}

function declaredOn({ namespaceDeclarations }: SourceElement, prefix: string): string | undefined {
  return Object.hasOwn(namespaceDeclarations, prefix) ? namespaceDeclarations[prefix] : undefined;
}

function reconcile(profile: SourceTree, written: SourceTree, textOf: ReadText): string {
  const provisioned = servicesOf(profile.root);
  const present = servicesOf(written.root);
  const edits = present.flatMap((element): TextEdit[] => {
    const { start, end } = element;
    const model = provisioned.find((candidate) => sameName(candidate, element));
    if (model === undefined) return [{ start, end, text: '' }];
    if (!isCapability(model) || sameStructure(profile, model, written, element, textOf)) return [];
    return [{ start, end, text: standalone(profile, model, written.root) }];
  });
  const missing = provisioned.filter((model) => !present.some((element) => sameName(element, model)));
  return splice(written.text, [...edits, ...insertions(profile, missing, written)]);
}

/** `extensions` is the last child by the schema. */
function insertions(
  profile: SourceTree,
  missing: readonly SourceElement[],
  { root, text }: SourceTree,
): TextEdit[] {
  if (missing.length === 0) return [];
  const elements = missing.map((model) => `${standalone(profile, model, root)}\n`).join('');
  const extensions = root.children.find((child) => sameName(child, { namespace, localName: 'extensions' }));
  if (extensions === undefined) return [childEnd(text, root, elements)];
  return [{ start: extensions.start, end: extensions.start, text: elements }];
}

function violation(
  profile: SourceTree,
  current: SourceTree,
  next: SourceTree,
  textOf: ReadText,
): string | undefined {
  const provisioned = servicesOf(profile.root);
  const present = servicesOf(next.root);
  const strange = present.find((element) => !provisioned.some((model) => sameName(model, element)));
  if (strange !== undefined) {
    return isCapability(strange)
      ? settingsOfTheOperator(strange)
      : `${subscriberName(strange)} is not part of your subscription.`;
  }
  for (const model of provisioned) {
    const versions = present.filter((element) => sameName(element, model));
    if (versions.length === 0) {
      return isCapability(model)
        ? settingsOfTheOperator(model)
        : `${subscriberName(model)} is part of your subscription and cannot be removed. It can be switched off.`;
    }
    if (isCapability(model) && versions.some((e) => !sameStructure(profile, model, next, e, textOf))) {
      return settingsOfTheOperator(model);
    }
    if (isSharedWithOperator(model)) {
      const [before] = servicesOf(current.root).filter((element) => sameName(element, model));
      const [tree, old] = before === undefined ? [profile, model] : [current, before];
      if (versions.some((e) => !sameStructure(tree, old, next, e, textOf, operatorsAttributes))) {
        return `${subscriberName(model)} is set up by your operator. You can switch numbers on and off and name devices.`;
      }
    }
  }
  return undefined;
}

function settingsOfTheOperator(element: SourceElement): string {
  return `${subscriberName(element)} is set by your operator and cannot be changed.`;
}

function isCapability({ localName }: SourceElement): boolean {
  return localName.endsWith('-serv-cap');
}

/** TS 24.174: the subscriber switches numbers on and off and names devices; the rest is the operator's. */
function isSharedWithOperator({ localName }: SourceElement): boolean {
  return localName === 'multi-device' || localName === 'multi-identity';
}

const operatorsAttributes: Attributes = ({ localName, namespace: ofElement, attributes }) => {
  const free = ofElement === namespace ? freeAttributes.get(localName) : undefined;
  return attributes.filter((attribute) => attribute.namespace !== '' || attribute.localName !== free);
};

const freeAttributes: ReadonlyMap<string, string> = new Map([
  ['ue-instance', 'alias'],
  ['Registered-identity', 'Activated'],
  ['Shared-identity', 'Activated'],
  ['Delegated-user', 'Activated'],
]);
