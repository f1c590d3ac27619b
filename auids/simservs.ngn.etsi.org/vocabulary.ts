/** The names of the document's elements, and what subscribers call the services. */
import type { ExpandedName, SourceElement } from '../../src/xcap/terms.js';

export const namespace = 'http://uri.etsi.org/ngn/params/xml/simservs/xcap';
export const commonPolicyNamespace = 'urn:ietf:params:xml:ns:common-policy';
export const omaCommonPolicyNamespace = 'urn:oma:xml:xdm:common-policy';
/** TS 24.259 annex B spells it without `urn:`. */
export const personalNetworkNamespace = 'uri:3gpp:pnm';

/** An element of the services themselves. */
export function service(localName: string): ExpandedName {
  return { namespace, localName };
}

/** An element of rules: RFC 4745. */
export function policy(localName: string): ExpandedName {
  return { namespace: commonPolicyNamespace, localName };
}

/** A condition of OMA. */
export function omaPolicy(localName: string): ExpandedName {
  return { namespace: omaCommonPolicyNamespace, localName };
}

/** The services in the document with that root, capability elements among them. */
export function servicesOf(root: SourceElement): SourceElement[] {
  return root.children.filter((child) => child.namespace === namespace && child.localName !== 'extensions');
}

/** What subscribers call the services. Handsets show the phrase of a conflict report on the screen. */
const subscriberNames: ReadonlyMap<string, string> = new Map([
  ['communication-diversion', 'Call forwarding'],
  ['communication-diversion-serv-cap', 'What call forwarding offers'],
  ['incoming-communication-barring', 'Barring of incoming calls'],
  ['outgoing-communication-barring', 'Barring of outgoing calls'],
  ['communication-barring-serv-cap', 'What call barring offers'],
  ['communication-waiting', 'Call waiting'],
  ['originating-identity-presentation', 'Display of the calling number'],
  ['originating-identity-presentation-restriction', 'Hiding of your own number when you call'],
  ['terminating-identity-presentation', 'Display of the number that answers'],
  ['terminating-identity-presentation-restriction', 'Hiding of your own number when you answer'],
  ['flexible-alerting-default', 'Ringing with your default group'],
  ['flexible-alerting-specific', 'Ringing with your other groups'],
  ['multi-device', 'Use of several devices'],
  ['multi-identity', 'Use of several numbers'],
]);

/** The name of a service for the person at the handset. */
export function subscriberName({ localName }: { readonly localName: string }): string {
  return subscriberNames.get(localName) ?? localName;
}
