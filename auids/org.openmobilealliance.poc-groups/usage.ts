import { defineApplicationUsage } from '../../src/xcap/usage/contract.js';
import { usage as groups } from '../org.openmobilealliance.groups/usage.js';

/** OMA PoC XDM: groups of users as before Shared Group XDM, under the name that they had then. */
export const usage = defineApplicationUsage({
  ...groups,
  auid: 'org.openmobilealliance.poc-groups',
  schema: 'poc-groups.xsd',
  claimDirectories: [],
});
