/** Addresses that users give out, to groups and services. */
import { domainOf } from '../policy/common-policy.js';
import type { DocumentSelector } from '../terms.js';
import { addressFault } from '../uri/address-fault.js';
import { canonicalXui } from '../uri/xui.js';

/**
 * Users give out addresses of their own domain, and of those below it. Owners without a domain are those of mission critical
 * services; documents of the global tree are the operator's.
 *
 * @param what has the address
 * @returns a sentence on why the owner of the document cannot give the address out, or undefined
 */
export function unusableAddress(
  what: 'group' | 'service',
  given: string,
  document: DocumentSelector,
): string | undefined {
  const uri = canonicalXui(given);
  if (!/^(?:tel:|sips?:[^@]*@)/.test(uri)) {
    return `The address of a ${what} has to be a SIP URI with a name and a domain, or a tel URI: ${given}`;
  }
  const fault = addressFault(given);
  if (fault !== undefined) {
    return `The address of a ${what} is no URI of anybody, because ${fault}: ${given}`;
  }
  const domain = uri.startsWith('tel:') ? domainOfNumber(uri) : domainOf(uri);
  const ownerDomain = document.tree === 'users' ? domainOf(document.xui) : undefined;
  if (ownerDomain === undefined || domain === ownerDomain || domain?.endsWith(`.${ownerDomain}`)) {
    return undefined;
  }
  return `The address of a ${what} has to be in the domain ${ownerDomain}: ${given}`;
}

/** RFC 3966 §5.1.5: a number that is not global may belong to a domain. */
function domainOfNumber(uri: string): string | undefined {
  const [, context] = /;phone-context=([^+;][^;]*)/.exec(uri) ?? [];
  return context === undefined ? undefined : domainOf(`sip:number@${context}`);
}
