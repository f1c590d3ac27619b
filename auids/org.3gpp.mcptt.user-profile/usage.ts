import {
  commonPolicyNamespace,
  defineApplicationUsage,
  ownerAndTrustedElements,
  readableByOwner,
  repeatedRuleIds,
  ruleOrder,
} from '../../src/xcap/usage/contract.js';
import type { ChildOrder } from '../../src/xcap/usage/contract.js';
import type { ExpandedName } from '../../src/xcap/terms.js';
import { misplacedProfile } from './place.js';

const namespace = 'urn:3gpp:mcptt:user-profile:1.0';

/** TS 24.484 §8.3: what an MCPTT user is and may do. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'org.3gpp.mcptt.user-profile',
  defaultDocumentNamespace: namespace,
  rootElement: profile('mcptt-user-profile'),
  mediaType: 'application/vnd.3gpp.mcptt-user-profile+xml',
  defaultDocument: 'mcptt-user-profile.xml',
  schema: 'user-profile.xsd',
  // Its own is not advertised, see README.md.
  namespaces: [commonPolicyNamespace],
  // TS 24.484 §6.3: the permissions of a user are the administrator's to write.
  authorization: readableByOwner,
  otherPolicies: { 'owner-writes': { authorization: ownerAndTrustedElements } },
  childOrder: childOrder(),
  uniqueness: repeatedRuleIds,
  constraints: misplacedProfile,
});

/** Only the smallest parts, the calls and the rules have an order. */
function childOrder(): ChildOrder[] {
  const entry = sequence('uri-entry', 'display-name', 'anyExt');
  return [
    { parent: profile('entry'), children: entry },
    { parent: profile('MCPTTUserID'), children: entry },
    { parent: profile('PrivateCallURI'), children: entry },
    {
      parent: profile('PrivateCallProSeUser'),
      children: sequence('DiscoveryGroupID', 'User-Info-ID', 'anyExt'),
    },
    { parent: profile('PrivateCall'), children: sequence('PrivateCallList', 'EmergencyCall', 'anyExt') },
    ruleOrder,
  ];
}

/** Children of this vocabulary, and behind them those of others. */
function sequence(...localNames: readonly string[]): (ExpandedName | '*')[] {
  return [...localNames.map(profile), '*'];
}

function profile(localName: string): ExpandedName {
  return { namespace, localName };
}
